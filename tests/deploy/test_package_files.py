"""What the Debian package is made of, as far as it shows without building it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from edge_runtime.config import problems_in_file

LOCKS = ("deb-py3.11.txt", "deb-py3.13.txt", "deb-photographs.txt", "deb-tools.txt")
SCRIPTS = ("build", "check-depends", "postinst", "prerm", "postrm")


@pytest.fixture
def deb(repository: Path) -> Path:
    return repository / "deploy" / "deb"


def fields(control: str) -> dict[str, str]:
    return dict(line.split(": ", 1) for line in control.splitlines() if re.match(r"[A-Z]", line))


def test_what_a_board_has_to_have(deb: Path) -> None:
    control = fields((deb / "control.in").read_text())
    assert "python3 (<< 3.12~) | python3 (>= 3.13~)" in control["Depends"]
    assert "python3-picamera2" in control["Recommends"]
    assert "rpicam-apps-lite" in control["Recommends"]
    # A PC and plain Debian have none of these: it has to install there, too.
    assert "picamera2" not in control["Depends"]


@pytest.mark.parametrize("name", LOCKS)
def test_everything_from_elsewhere_is_locked_by_hash(name: str, repository: Path) -> None:
    lock = (repository / "requirements" / name).read_text()
    names = re.findall(r"(?m)^[\w.-]+(?:\[\w+\])?==\S+", lock)
    assert names
    assert len(re.findall(r"--hash=sha256:[0-9a-f]{64}", lock)) >= len(names)


@pytest.mark.parametrize(("python", "major"), [("3.11", "1"), ("3.13", "2")])
def test_numpy_is_of_the_kind_apts_picamera2_was_built_for(
    python: str, major: str, repository: Path
) -> None:
    lock = (repository / "requirements" / f"deb-py{python}.txt").read_text()
    assert re.search(rf"(?m)^numpy=={major}\.", lock)


def test_the_shipped_settings_are_the_defaults(deb: Path, tmp_path: Path) -> None:
    text = (deb / "config.toml").read_text()
    assert problems_in_file(deb / "config.toml") == ()
    # Also with every example taken in.
    taken = tmp_path / "config.toml"
    taken.write_text(re.sub(r"(?m)^#(?=\[|\w+ = )", "", text))
    assert problems_in_file(taken) == ()
    assert "[web]" in taken.read_text().splitlines()


@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts_are_executable_and_parse(name: str, deb: Path) -> None:
    script = deb / name
    assert os.access(script, os.X_OK)
    shell = script.read_text().splitlines()[0].split("/")[-1].split()[-1]
    done = subprocess.run([shell, "-n", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="needs shellcheck")
def test_scripts_please_shellcheck(deb: Path) -> None:
    done = subprocess.run(
        ["shellcheck", *(deb / name for name in SCRIPTS)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_the_start_is_not_waited_for(deb: Path) -> None:
    asked = re.findall(r"(?m)^\s*(systemctl .*\$service)", (deb / "postinst").read_text())
    assert asked
    assert all("--no-block" in line for line in asked)


@pytest.mark.parametrize("arguments", [["--arch", "armhf"], ["--arch"], ["--speed"]])
def test_a_wrong_argument_is_told(arguments: list[str], deb: Path) -> None:
    done = subprocess.run([deb / "build", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("deploy/deb/build: ")
    assert len(done.stderr.splitlines()) == 1


def launch(deb: Path, root: Path) -> subprocess.CompletedProcess[str]:
    launcher = root / "edge-runtime"
    text = (deb / "launcher").read_text()
    assert 'ROOT = "/usr/lib/edge-runtime"' in text
    launcher.write_text(text.replace("/usr/lib/edge-runtime", str(root / "lib")))
    return subprocess.run(
        [sys.executable, launcher, "--version"],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


def test_the_launcher_takes_the_libraries_of_its_python(deb: Path, tmp_path: Path) -> None:
    cli = tmp_path / f"lib/py{sys.version_info.major}.{sys.version_info.minor}/edge_runtime/cli"
    cli.mkdir(parents=True)
    for folder in (cli, cli.parent):
        (folder / "__init__.py").touch()
    (cli / "main.py").write_text(
        "import os, sys\n"
        "def console():\n    print(__file__, os.environ['PYTHONPATH'])\n    sys.exit(5)\n"
    )
    done = launch(deb, tmp_path)
    assert done.returncode == 5, done.stderr
    assert done.stdout == f"{cli / 'main.py'} {cli.parents[1]}\n"


def test_the_launcher_under_a_python_without_libraries(deb: Path, tmp_path: Path) -> None:
    (tmp_path / "lib/py2.7").mkdir(parents=True)
    done = launch(deb, tmp_path)
    assert done.returncode == 6
    assert "has libraries for Python 2.7, and /usr/bin/python3 is 3." in done.stderr
