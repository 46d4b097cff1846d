"""The first file system of a guest."""

import stat

from guest.initramfs import build_initramfs
from guest.kmod import Module
from tests.guest.unpack import unpack

AGENT = b"\x7fELF agent"


def test_the_agent_is_init_and_can_be_run() -> None:
    found = {each.path: each for each in unpack(build_initramfs(AGENT, ()))}
    assert (found["init"].content, found["init"].mode) == (AGENT, stat.S_IFREG | 0o755)
    assert found["dev/console"].mode == stat.S_IFCHR | 0o600
    assert found["dev/console"].device == (5, 1)
    assert {path for path, each in found.items() if stat.S_ISDIR(each.mode)} == {"dev", "modules", "proc", "sys", "tmp"}


def test_modules_sorted_by_name_are_in_loading_order() -> None:
    for number in (1, 12, 101):
        modules = [Module(f"m{999 - i}", b"%d" % i) for i in range(number)]
        found = [each for each in unpack(build_initramfs(AGENT, modules)) if each.path.startswith("modules/")]
        in_order = sorted(found, key=lambda each: each.path)
        assert [each.content for each in in_order] == [module.content for module in modules]
        assert in_order[0].path.endswith("0-m999.ko")


def test_extra_files_can_be_run_and_have_their_folders_before_them() -> None:
    found = unpack(build_initramfs(AGENT, (), {"bin/deep/tool": b"1", "bin/other": b"2", "tmp/x": b"3"}))
    paths = [each.path for each in found]
    assert paths.count("bin") == paths.count("bin/deep") == paths.count("tmp") == 1
    for path in ("bin/deep/tool", "bin/other", "tmp/x"):
        assert paths.index(path.rpartition("/")[0]) < paths.index(path)
        assert found[paths.index(path)].mode == stat.S_IFREG | 0o755
