"""Where the cache is."""

from pathlib import Path

import pytest

from workers.targets.errors import BadTargetError
from workers.targets.place import agents_folder, cache_folder, targets_folder


def test_the_variable_comes_before_the_users_cache(tmp_path: Path) -> None:
    assert cache_folder({"MMFUZZ_CACHE": str(tmp_path), "XDG_CACHE_HOME": "/elsewhere"}) == tmp_path
    assert cache_folder({"MMFUZZ_CACHE": "", "XDG_CACHE_HOME": "/elsewhere"}) == Path("/elsewhere/mmfuzz")
    assert cache_folder({"XDG_CACHE_HOME": "relative"}) == Path("~/.cache/mmfuzz").expanduser()
    assert cache_folder({"MMFUZZ_CACHE": "relative"}) == Path.cwd() / "relative"
    assert {targets_folder({"MMFUZZ_CACHE": "/c"}), agents_folder({"MMFUZZ_CACHE": "/c"})} == {
        Path("/c/targets"),
        Path("/c/agents"),
    }


def test_without_a_home_it_is_told_how_to_name_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_home(path: Path) -> Path:
        raise RuntimeError(f"Could not determine home directory of {path}")

    monkeypatch.setattr(Path, "expanduser", no_home)
    with pytest.raises(BadTargetError, match="name a folder with MMFUZZ_CACHE"):
        cache_folder({})
