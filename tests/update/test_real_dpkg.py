"""What is assumed of dpkg and apt, asked of the real ones in a root of their own."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from edge_runtime.errors import UpdateRefused
from edge_runtime.update.dpkg import Dpkg, InstallFailed
from edge_runtime.update.repack import Repack
from tests.update.debian import KILLS_DPKG, SETTINGS, TREE, Debian, deb

pytestmark = [
    pytest.mark.skipif(shutil.which("apt-get") is None, reason="needs dpkg and apt"),
    pytest.mark.skipif(
        os.geteuid() != 0, reason="installing needs root, also in a root of its own"
    ),
]


@pytest.fixture
def debian(tmp_path: Path) -> Debian:
    return Debian(tmp_path / "root")


@pytest.fixture
def dpkg(debian: Debian) -> Dpkg:
    return Dpkg(debian.run, lambda seconds: None)


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return deb(tmp_path, "1.0.0")


def test_a_package_is_described(dpkg: Dpkg, old: Path) -> None:
    found = dpkg.describe(old)
    assert (found.name, found.version) == ("edge-runtime", "1.0.0")
    assert found.architecture == dpkg.architecture()
    assert found.installed_kib == 4


def test_half_a_package_is_refused(dpkg: Dpkg, old: Path) -> None:
    half = old.with_name("half.deb")
    half.write_bytes(old.read_bytes()[:-2000])
    with pytest.raises(UpdateRefused, match="damaged"):
        dpkg.describe(half)


def test_something_else_is_refused(dpkg: Dpkg, tmp_path: Path) -> None:
    page = tmp_path / "page.deb"
    page.write_text("<html>not found</html>\n" * 100)
    with pytest.raises(UpdateRefused, match=r"no Debian package of ours: .*not a Debian format"):
        dpkg.describe(page)


def test_versions_are_compared_as_debian_does(dpkg: Dpkg) -> None:
    assert dpkg.is_older("1.0.0~rc1", than="1.0.0")
    assert not dpkg.is_older("1.10.0", than="1.9.0")


def test_nothing_is_installed(dpkg: Dpkg) -> None:
    assert dpkg.installed() is None
    assert not dpkg.is_whole()


def test_apt_installs_and_updates(dpkg: Dpkg, debian: Debian, old: Path, tmp_path: Path) -> None:
    dpkg.rehearse(old)
    assert dpkg.installed() is None
    dpkg.install(old)
    assert (dpkg.installed(), dpkg.is_whole()) == ("1.0.0", True)
    dpkg.install(deb(tmp_path, "1.1.0"))
    assert debian.text(TREE) == "version = '1.1.0'\n"
    dpkg.install(old)
    assert debian.text(TREE) == "version = '1.0.0'\n"


def test_what_cannot_be_satisfied_is_refused_before(dpkg: Dpkg, tmp_path: Path) -> None:
    with pytest.raises(UpdateRefused, match=r"would not install .*libfuture"):
        dpkg.rehearse(deb(tmp_path, "1.1.0", depends="libfuture9"))


def test_damaged_files_are_noticed(dpkg: Dpkg, debian: Debian, old: Path) -> None:
    dpkg.install(old)
    (debian.root / SETTINGS).write_text("# mine\n")
    assert dpkg.is_whole()
    (debian.root / TREE).write_text("flipped\n")
    assert not dpkg.is_whole()


@pytest.mark.parametrize("script", ["preinst", "postinst"])
def test_dpkg_dies_within_the_new_version(
    script: str, dpkg: Dpkg, debian: Debian, old: Path, tmp_path: Path
) -> None:
    dpkg.install(old)
    new = deb(tmp_path, "1.1.0", scripts={script: KILLS_DPKG})
    with pytest.raises(InstallFailed):
        dpkg.install(new)
    assert not dpkg.is_whole()
    dpkg.put_back(old)
    assert (dpkg.installed(), dpkg.is_whole()) == ("1.0.0", True)
    assert debian.text(TREE) == "version = '1.0.0'\n"


@pytest.mark.parametrize("script", ["prerm", "postrm"])
def test_dpkg_dies_within_the_old_version(
    script: str, dpkg: Dpkg, debian: Debian, tmp_path: Path
) -> None:
    # Dies once: the way back calls the same scripts again.
    once = f'#!/bin/sh\n[ -e "{tmp_path}/died" ] && exit 0\ntouch "{tmp_path}/died"\n'
    old = deb(tmp_path, "1.0.0", scripts={script: once + KILLS_DPKG.partition("\n")[2]})
    dpkg.install(old)
    with pytest.raises(InstallFailed):
        dpkg.install(deb(tmp_path, "1.1.0"))
    assert (tmp_path / "died").exists()
    dpkg.put_back(old)
    assert (dpkg.installed(), dpkg.is_whole()) == ("1.0.0", True)
    assert debian.text(TREE) == "version = '1.0.0'\n"


def test_apt_is_no_way_back_after_dpkg_died(dpkg: Dpkg, old: Path, tmp_path: Path) -> None:
    """Why ``put_back`` is dpkg's: the case for which it is there."""
    dpkg.install(old)
    with pytest.raises(InstallFailed):
        dpkg.install(deb(tmp_path, "1.1.0", scripts={"preinst": KILLS_DPKG}))
    with pytest.raises(InstallFailed, match=r"dpkg was interrupted|reinstall"):
        dpkg.install(old)


def test_changed_settings_stay_through_all_of_it(
    dpkg: Dpkg, debian: Debian, old: Path, tmp_path: Path
) -> None:
    dpkg.install(old)
    (debian.root / SETTINGS).write_text("# mine\n")
    dpkg.install(deb(tmp_path, "1.1.0", settings="# newer\n"))
    assert debian.text(SETTINGS) == "# mine\n"
    dpkg.put_back(old)
    assert debian.text(SETTINGS) == "# mine\n"


def test_untouched_settings_follow_the_version(
    dpkg: Dpkg, debian: Debian, old: Path, tmp_path: Path
) -> None:
    dpkg.install(old)
    dpkg.install(deb(tmp_path, "1.1.0", settings="# newer\n"))
    assert debian.text(SETTINGS) == "# newer\n"


def test_purging_removes_the_settings(dpkg: Dpkg, debian: Debian, old: Path) -> None:
    dpkg.install(old)
    (debian.root / SETTINGS).write_text("# mine\n")
    assert debian.run(("dpkg", "--remove", "edge-runtime")).returncode == 0
    assert debian.text(SETTINGS) == "# mine\n"
    assert debian.run(("dpkg", "--purge", "edge-runtime")).returncode == 0
    assert not (debian.root / "etc/edge-runtime").exists()


# What is installed, made a package again.


def packed(debian: Debian, folder: Path) -> Path:
    out = folder / "packed.deb"
    Repack(debian.run)(out)
    return out


def listed(debian: Debian, package: Path) -> str:
    shown = debian.run(("dpkg-deb", "--contents", str(package))).stdout
    # Without times: the folders' are those of the installation.
    return "\n".join(f"{line[:40]} {line.split(maxsplit=5)[5]}" for line in shown.splitlines())


def fields(debian: Debian, package: Path) -> list[str]:
    """dpkg's database has them in an order of its own."""
    return sorted(debian.run(("dpkg-deb", "--field", str(package))).stdout.splitlines())


def test_the_packed_version_is_the_installed_one(
    dpkg: Dpkg, debian: Debian, tmp_path: Path
) -> None:
    scripts = {"postinst": "#!/bin/sh\nexit 0\n", "prerm": "#!/bin/sh\nexit 0\n"}
    old = deb(tmp_path, "1.0.0", scripts=scripts)
    dpkg.install(old)
    again = packed(debian, tmp_path)
    assert listed(debian, again) == listed(debian, old)
    assert fields(debian, again) == fields(debian, old)
    assert debian.run(("dpkg-deb", "--info", str(again), "postinst")).stdout == scripts["postinst"]
    assert list(tmp_path.glob(".repack*")) == []


def test_a_packed_version_brings_it_back(
    dpkg: Dpkg, debian: Debian, old: Path, tmp_path: Path
) -> None:
    dpkg.install(old)
    again = packed(debian, tmp_path)
    dpkg.install(deb(tmp_path, "1.1.0"))
    dpkg.put_back(again)
    assert (dpkg.installed(), dpkg.is_whole()) == ("1.0.0", True)
    assert debian.text(TREE) == "version = '1.0.0'\n"
    assert (debian.root / "usr/lib/edge-runtime/current.py").is_symlink()


def test_somebodys_settings_are_not_packed_as_the_shipped_ones(
    dpkg: Dpkg, debian: Debian, old: Path, tmp_path: Path
) -> None:
    dpkg.install(old)
    (debian.root / SETTINGS).write_text("# mine\n")
    dpkg.put_back(packed(debian, tmp_path))
    # Were they, dpkg would think them untouched, and the next version would replace them.
    dpkg.install(deb(tmp_path, "1.1.0", settings="# newer\n"))
    assert debian.text(SETTINGS) == "# mine\n"


def test_settings_that_lie_nowhere_as_shipped_are_left_out(
    dpkg: Dpkg, debian: Debian, old: Path, tmp_path: Path
) -> None:
    dpkg.install(old)
    (debian.root / SETTINGS).write_text("# mine\n")
    (debian.root / "usr/share/edge-runtime/config.toml").unlink()
    (debian.root / "var/lib/dpkg/info/edge-runtime.list").write_text(
        f"/.\n/usr\n/usr/lib\n/usr/lib/edge-runtime\n/{TREE}\n/etc\n/etc/edge-runtime\n/{SETTINGS}\n"
    )
    dpkg.put_back(packed(debian, tmp_path))
    dpkg.install(deb(tmp_path, "1.1.0", settings="# newer\n"))
    assert debian.text(SETTINGS) == "# mine\n"


def test_what_is_not_installed_cannot_be_packed(debian: Debian, tmp_path: Path) -> None:
    with pytest.raises(UpdateRefused, match=r"cannot be packed as a way back .dpkg-query"):
        packed(debian, tmp_path)
