"""Kernels from Debian: which is chosen, that apt brings it, and what is said when it does not."""

import os
import shutil
from pathlib import Path

import pytest

from tests.workers.targets.kernels import bzimage
from workers.targets.apt import Apt, AptFailed, Package, is_newer, unpack
from workers.targets.debian import choose, fetch, parse_spec
from workers.targets.errors import BadTargetError, TargetError
from workers.targets.images import KernelImage, add, image_names, load

needs_dpkg = pytest.mark.skipif(shutil.which("dpkg") is None, reason="this machine has no dpkg, which orders versions")
needs_apt = pytest.mark.skipif(shutil.which("apt-get") is None, reason="this machine has no apt-get")

OFFERED = [
    Package(f"linux-image-{release}-cloud-amd64", version)
    for release, version in {
        "6.1.0-9": "6.1.27-1",
        "6.1.0-56": "6.1.192-2",
        "6.1.0-10": "6.1.38-1",
        "6.12.117+deb12": "6.12.117-1~deb12u1",
        "6.12.9+deb12": "6.12.9-1~deb12u1",
        "6.2.4": "6.2.4-1~exp1",
    }.items()
]


@needs_dpkg
@pytest.mark.parametrize(
    ("wanted", "release"),
    [
        ("6.1", "6.1.0-56"),
        ("6.12", "6.12.117+deb12"),
        ("newest", "6.12.117+deb12"),
        ("6.1.0-9", "6.1.0-9"),
        ("6.1.0", "6.1.0-56"),
        ("6.12.9+deb12", "6.12.9+deb12"),
        ("6.2", "6.2.4"),
    ],
)
def test_the_newest_of_the_version_is_chosen(wanted: str, release: str) -> None:
    assert choose(OFFERED, wanted).name == f"linux-image-{release}-cloud-amd64"


@needs_dpkg
@pytest.mark.parametrize("wanted", ["6.11", "6.1.0-5", "5.10", "6.1.0-99"])
def test_a_version_that_is_not_offered_is_told_with_those_that_are(wanted: str) -> None:
    expected = f"no kernel {wanted} here; there are 6.1.0-9, 6.1.0-10, 6.1.0-56, 6.2.4, 6.12.9"
    with pytest.raises(BadTargetError) as caught:
        choose(OFFERED, wanted)
    assert expected in str(caught.value)


@needs_dpkg
def test_versions_are_in_debians_order() -> None:
    assert is_newer("6.1.10-1", "6.1.9-1")
    assert not is_newer("6.1~rc1-1", "6.1-1")
    assert not is_newer("6.1-1", "6.1-1")


@pytest.mark.parametrize("spec", ["", "debian", "debian:", "ubuntu:6.1", "debian:6", "debian:6.1 x", "debian:../6.1"])
def test_an_unknown_spec_is_told(spec: str, tmp_path: Path) -> None:
    with pytest.raises(BadTargetError, match="unknown kernel to fetch"):
        fetch(spec, folder=tmp_path)
    assert parse_spec("debian:newest") == "newest"
    assert parse_spec("debian:6.12.117+deb12") == "6.12.117+deb12"


def test_what_was_fetched_is_signed_by_its_name_and_whole(debian_6_1: KernelImage, debian_6_12: KernelImage) -> None:
    for image, version in ((debian_6_1, "6.1"), (debian_6_12, "6.12")):
        assert image.name == f"debian-{version}"
        assert image.release.startswith(f"{version}.")
        package, _, _ = image.source.partition(" ")
        assert package == f"linux-image-{image.release}"
        assert image.modules is not None
        assert (image.modules / "modules.builtin").is_file()


def test_fetching_again_downloads_nothing(debian_6_1: KernelImage) -> None:
    said: list[str] = []
    again = fetch("debian:6.1", say=said.append)
    assert (again.changed, again.before, again.image) == (False, None, debian_6_1)
    assert not any("downloading" in line for line in said)


def test_a_newer_one_takes_the_place_of_an_older(debian_6_1: KernelImage, tmp_path: Path) -> None:
    (tmp_path / "old").write_bytes(bzimage())
    older = add("mine", tmp_path / "old", source="linux-image-6.1.0-1-cloud-amd64 6.1.1-1", folder=tmp_path / "t")
    fetched = fetch("debian:6.1", "mine", folder=tmp_path / "t")
    assert (fetched.changed, fetched.before) == (True, older.source)
    assert (fetched.image.release, fetched.image.sha256) == (debian_6_1.release, debian_6_1.sha256)
    assert load("mine", tmp_path / "t") == fetched.image
    assert not older.kernel.exists()


@needs_apt
@pytest.mark.usefixtures("debian_6_1")
def test_a_target_from_elsewhere_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "own").write_bytes(bzimage())
    own = add("own", tmp_path / "own", folder=tmp_path / "t")
    with pytest.raises(BadTargetError, match=r"the target own is not from Debian but from .*; choose another"):
        fetch("debian:6.1", "own", folder=tmp_path / "t")
    with pytest.raises(BadTargetError, match="no name for a target"):
        fetch("debian:6.1", "a/b", folder=tmp_path / "t")
    assert load("own", tmp_path / "t") == own


@needs_apt
def test_who_is_not_root_gets_lists_of_his_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 65534)
    said: list[str] = []
    lists = tmp_path / "cache" / "apt"
    fetched = fetch("debian:newest", folder=tmp_path / "t", apt_folder=lists, say=said.append)
    assert fetched.changed
    assert said[0] == f"apt updates lists of our own in {lists}"
    assert list((lists / "state" / "lists").glob("*Packages*"))
    assert image_names(tmp_path / "t") == (fetched.image.name,)
    # It is kept under the name of its version, so that it stays the same thing when there is a newer one.
    assert fetched.image.name == f"debian-{'.'.join(fetched.image.release.split('.')[:2])}"


@needs_apt
def test_without_a_network_it_is_told_and_nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Nobody listens at a proxy's port 9.
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    monkeypatch.setattr(os, "geteuid", lambda: 65534)
    with pytest.raises(TargetError, match=r"(?s)apt offers no linux-image-.*; check the network") as caught:
        fetch("debian:6.1", folder=tmp_path / "t", apt_folder=tmp_path / "apt")
    assert not isinstance(caught.value, BadTargetError)
    assert image_names(tmp_path / "t") == ()
    assert {path.name for path in (tmp_path / "t").iterdir()} == {".lock"}


@needs_apt
def test_a_package_that_is_gone_is_told(tmp_path: Path) -> None:
    with pytest.raises(AptFailed, match="could not be downloaded"):
        Apt().download(Package("linux-image-0.0.0-cloud-amd64", "0"), tmp_path)
    assert Apt().packages([]) == ()


@needs_dpkg
def test_a_package_that_is_damaged_is_told(tmp_path: Path) -> None:
    (tmp_path / "x.deb").write_bytes(b"!<arch>\ndebian-binary")
    with pytest.raises(AptFailed, match=r"x\.deb could not be unpacked"):
        unpack(tmp_path / "x.deb", tmp_path / "files")


def test_without_apt_it_is_told_what_to_do_instead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(TargetError, match="give it to `mmfuzz target add NAME IMAGE --modules DIR`"):
        fetch("debian:6.1", folder=tmp_path / "t", apt_folder=tmp_path / "apt")
