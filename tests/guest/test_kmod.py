"""Which modules are loaded and in which order, from small trees and from those of real kernels."""

import shutil
from pathlib import Path

import pytest

from guest.errors import GuestError, ModuleError
from guest.kmod import Module, ModuleTree, loading_order, module_name
from tests.guest.modules import RELEASE, module, tree
from workers.targets.images import KernelImage

WANTED = ("zram", "virtio_pci", "virtio_blk", "virtio_console")


def names(modules: tuple[Module, ...]) -> list[str]:
    """Their names, in order."""
    return [each.name for each in modules]


def test_what_a_module_depends_on_is_loaded_before_it(tmp_path: Path) -> None:
    folder = tree(
        tmp_path,
        {
            "a.ko": module("a", ["b", "c"]),
            "b.ko": module("b", ["c"]),
            "deep/er/c.ko": module("c"),
            "unwanted.ko": module("unwanted"),
        },
    )
    assert names(loading_order(folder, ["a"])) == ["c", "b", "a"]
    assert names(loading_order(folder, ["c", "a", "b"])) == ["c", "b", "a"]
    assert loading_order(folder, []) == ()


def test_what_is_built_in_is_left_out_with_what_it_would_need(tmp_path: Path) -> None:
    folder = tree(tmp_path, {"a.ko": module("a", ["in-side"])}, built_in=["drivers/in-side.ko", "drivers/b.ko"])
    assert names(loading_order(folder, ["a", "b"])) == ["a"]


def test_all_that_is_missing_is_named_at_once(tmp_path: Path) -> None:
    folder = tree(tmp_path, {"a.ko": module("a", ["gone"])})
    with pytest.raises(ModuleError, match=r"neither built into the kernel nor in .*: gone, no_such"):
        loading_order(folder, ["a", "no-such"])
    (folder / "modules.builtin").unlink()
    with pytest.raises(ModuleError, match=r"without a modules\.builtin none counts as built in"):
        loading_order(folder, ["a"])


def test_dashes_and_underscores_are_one(tmp_path: Path) -> None:
    folder = tree(tmp_path, {"lzo-rle.ko": module("lzo_rle")})
    assert names(loading_order(folder, ["lzo-rle"])) == names(loading_order(folder, ["lzo_rle"])) == ["lzo_rle"]
    assert module_name("kernel/drivers/virtio-rng.ko.xz") == "virtio_rng"


@pytest.mark.parametrize("ending", ["ko", "ko.gz", "ko.xz", "ko.zst"])
def test_modules_are_unpacked(tmp_path: Path, ending: str) -> None:
    if ending == "ko.zst" and shutil.which("zstd") is None:
        pytest.skip("the program zstd is not installed")
    folder = tree(tmp_path, {f"a.{ending}": module("a")})
    assert loading_order(folder, ["a"]) == (Module("a", module("a")),)


@pytest.mark.parametrize("ending", ["ko", "ko.gz", "ko.xz", "ko.zst"])
def test_what_is_no_module_is_told_with_its_name(tmp_path: Path, ending: str) -> None:
    if ending == "ko.zst" and shutil.which("zstd") is None:
        pytest.skip("the program zstd is not installed")
    folder = tree(tmp_path, {"a.ko": module("a")})
    (folder / "kernel" / "a.ko").rename(folder / "kernel" / f"a.{ending}")
    (folder / "kernel" / f"a.{ending}").write_bytes(b"\x1f\x8b\x08 not one")
    with pytest.raises(ModuleError, match=r"a is no kernel module|cannot be read: .*a\.ko"):
        loading_order(folder, ["a"])


@pytest.mark.parametrize("length", [0, 3, 63, 100, 200])
def test_a_module_that_is_cut_off_is_told(tmp_path: Path, length: int) -> None:
    with pytest.raises(ModuleError, match="a is no kernel module"):
        loading_order(tree(tmp_path, {"a.ko": module("a")[:length]}), ["a"])


def test_an_unknown_compression_is_told(tmp_path: Path) -> None:
    folder = tree(tmp_path, {"a.ko": module("a")})
    (folder / "kernel" / "a.ko").rename(folder / "kernel" / "a.ko.lz4")
    with pytest.raises(ModuleError, match=r"known are \.gz, \.ko, "):
        loading_order(folder, ["a"])


def test_zstd_without_its_program_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tree(tmp_path, {"a.ko": module("a")})
    (folder / "kernel" / "a.ko").rename(folder / "kernel" / "a.ko.zst")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(GuestError, match="install the package zstd"):
        loading_order(folder, ["a"])


def test_modules_that_need_each_other_are_told(tmp_path: Path) -> None:
    folder = tree(tmp_path, {"a.ko": module("a", ["b"]), "b.ko": module("b", ["a"])})
    with pytest.raises(ModuleError, match="depend on each other: "):
        loading_order(folder, ["a"])


def test_a_module_below_updates_is_taken_in_place_of_the_kernels_own(tmp_path: Path) -> None:
    folder = tree(tmp_path, {"a.ko": module("a"), "../updates/a.ko": module("a", ["b"]), "b.ko": module("b")})
    assert names(loading_order(folder, ["a"])) == ["b", "a"]


def test_the_release_is_that_of_the_kernel_they_are_for(tmp_path: Path) -> None:
    assert ModuleTree(tree(tmp_path / "one", {"a.ko": module("a")})).release() == RELEASE
    assert ModuleTree(tree(tmp_path / "none", {})).release() is None


def test_no_tree_means_that_all_is_built_in_and_no_folder_is_a_mistake(tmp_path: Path) -> None:
    assert loading_order(None, WANTED) == ()
    with pytest.raises(ModuleError, match=r"no folder of modules: .*nowhere"):
        loading_order(tmp_path / "nowhere", WANTED)


def test_a_real_6_1_needs_all_of_virtio_and_zrams_compressor(debian_6_1: KernelImage) -> None:
    found = names(loading_order(debian_6_1.modules, WANTED))
    assert set(found) == {
        *("zsmalloc", "lzo_rle", "zram", "virtio", "virtio_ring", "virtio_pci_modern_dev", "virtio_pci_legacy_dev"),
        *("virtio_pci", "virtio_blk", "virtio_console"),
    }
    before = [("zsmalloc", "zram"), ("lzo_rle", "zram"), ("virtio_ring", "virtio"), ("virtio", "virtio_pci")]
    assert all(found.index(first) < found.index(second) for first, second in before)


def test_a_real_6_12_has_virtio_built_in_and_modules_by_xz(debian_6_12: KernelImage) -> None:
    found = loading_order(debian_6_12.modules, WANTED)
    assert set(names(found)) == {"zsmalloc", "lz4_compress", "lz4hc_compress", "zram", "virtio_blk"}
    assert {each.release for each in found} == {debian_6_12.release}
