"""What memory cards are made of, as far as it shows without building one."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from edge_runtime.setup.conf import KEYS, read
from edge_runtime.setup.setup import check

SCRIPTS = (
    "build",
    "debian/finish",
    "debian/install-packages",
    "debian/make-card",
    "debian/make-initrd",
    "debian/init",
    "debian/root/usr/lib/edge-runtime-image/grow-root",
    "raspberry-pi-os/edge-runtime-install.sh",
    "raspberry-pi-os/firstrun.sh",
    "raspberry-pi-os/vendor-data",
    "pi-gen/stage-edge-runtime/prerun.sh",
    "pi-gen/stage-edge-runtime/00-edge-runtime/01-run.sh",
    "pi-gen/stage-edge-runtime/00-edge-runtime/02-run-chroot.sh",
)
CLOUD_INIT_PYTHON = Path("/usr/bin/python3")


@pytest.fixture
def image(repository: Path) -> Path:
    return repository / "deploy" / "image"


def run(*words: str | Path, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=dict(os.environ) | environ,
    )


def test_the_template_is_right_as_it_is_and_with_every_example(image: Path, tmp_path: Path) -> None:
    text = (image / "edge.conf").read_text()
    assert [each.problem for each in check(image / "edge.conf")] == [None]
    taken = tmp_path / "edge.conf"
    taken.write_text(re.sub(r"(?m)^#(?=\w+ = )", "", text))
    assert {line.key for line in read(taken.read_bytes()) if line.key} == set(KEYS)
    wrong = [each.problem for each in check(taken) if each.problem is not None]
    # The example's key is no key, and that it has to be replaced is said.
    assert [problem for problem in wrong if "ssh_key" not in problem] == []


@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts_are_executable_and_parse(name: str, image: Path) -> None:
    script = image / name
    assert os.access(script, os.X_OK) or name.endswith("vendor-data")
    shell = "bash" if "bash" in script.read_text().splitlines()[0] else "sh"
    done = run(shell, "-n", script)
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="needs shellcheck")
def test_scripts_please_shellcheck(image: Path) -> None:
    done = run("shellcheck", *(image / name for name in SCRIPTS))
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--speed"], "unknown argument --speed"),
        (["--deb"], "--deb needs a value"),
        (["--deb", "nowhere.deb"], "there is no file nowhere.deb"),
        (["--edge-conf", "nowhere.conf"], "there is no file nowhere.conf"),
    ],
)
def test_a_wrong_argument_is_told(arguments: list[str], said: str, image: Path) -> None:
    done = run(image / "build", *arguments)
    assert done.returncode == 2
    assert done.stderr.startswith(f"deploy/image/build: {said}")
    assert len(done.stderr.splitlines()) == 1


def test_each_package_of_the_image_is_named_once(image: Path) -> None:
    lines = (image / "debian/packages").read_text().splitlines()
    names = [line.split("#")[0].strip() for line in lines if line.split("#")[0].strip()]
    assert len(set(names)) == len(names)
    assert {"raspi-firmware", "network-manager", "avahi-daemon", "python3"} <= set(names)
    assert all(re.fullmatch(r"[a-z0-9][a-z0-9.+-]+", name) for name in names)


def test_the_partitions_are_called_the_same_everywhere(image: Path) -> None:
    card, finish = ((image / "debian" / name).read_text() for name in ("make-card", "finish"))
    fstab = (image / "debian/root/etc/fstab").read_text()
    firmware = (image / "debian/root/etc/default/raspi-firmware").read_text()
    (identifier,) = set(re.findall(r"label-id: 0x(\w+)", card))
    assert f"ROOTPART=PARTUUID={identifier}-02" in firmware
    assert "LABEL=BOOT /boot/firmware" in fstab
    assert "-n BOOT" in card
    assert "LABEL=root /" in fstab
    assert "-L root" in finish
    # edge.conf holds secrets.
    assert "umask=0077" in fstab


def test_the_root_partition_grows_once(image: Path, tmp_path: Path) -> None:
    """With programs that remember what they were asked, on a card of 32 GB and a full one."""
    script = (image / "debian/root/usr/lib/edge-runtime-image/grow-root").read_text()
    block = tmp_path / "sys/block/mmcblk0"
    (block / "mmcblk0p2").mkdir(parents=True)
    (block / "mmcblk0p2/partition").write_text("2\n")
    (block / "mmcblk0p2/start").write_text("1056768\n")
    (block / "mmcblk0p2/size").write_text("4000000\n")
    linked = tmp_path / "sys/class/block"
    linked.mkdir(parents=True)
    (linked / "mmcblk0").symlink_to(block)
    (linked / "mmcblk0p2").symlink_to(block / "mmcblk0p2")
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("sfdisk", "partx", "resize2fs"):
        (programs / name).write_text(f'#!/bin/sh\necho {name} "$@" >>{tmp_path}/asked\n')
    (programs / "findmnt").write_text("#!/bin/sh\necho /dev/mmcblk0p2\n")
    for program in programs.iterdir():
        program.chmod(0o755)
    here = tmp_path / "grow-root"
    here.write_text(script.replace("/sys/class/block", str(linked)))

    def asked(sectors: int) -> list[str]:
        (block / "size").write_text(f"{sectors}\n")
        (tmp_path / "asked").write_text("")
        done = run("sh", here, PATH=f"{programs}:{os.environ['PATH']}")
        assert done.returncode == 0, done.stderr
        return (tmp_path / "asked").read_text().splitlines()

    assert asked(62_500_000) == [
        "sfdisk --quiet --no-reread --force -N 2 /dev/mmcblk0",
        "partx --update --nr 2 /dev/mmcblk0",
        "resize2fs /dev/mmcblk0p2",
    ]
    assert asked(5_056_768) == ["resize2fs /dev/mmcblk0p2"]


SBIN = f"{os.environ['PATH']}:/usr/sbin:/sbin"
CARD_TOOLS = ("mcopy", "mkfs.vfat", "mke2fs", "sfdisk", "debugfs")


@pytest.mark.skipif(
    any(shutil.which(tool, path=SBIN) is None for tool in CARD_TOOLS),
    reason="needs mtools, dosfstools, e2fsprogs and fdisk",
)
def test_a_card_is_made_of_two_partitions_without_mounting(image: Path, tmp_path: Path) -> None:
    """A small one, taken apart again by other programs."""
    boot, root = tmp_path / "boot", tmp_path / "root"
    (boot / "overlays").mkdir(parents=True)
    (boot / "config.txt").write_text("arm_64bit=1\n")
    (boot / "overlays/one.dtbo").write_text("overlay")
    (root / "etc").mkdir(parents=True)
    (root / "etc/hostname").write_text("edge\n")
    done = run("mke2fs", "-q", "-t", "ext4", "-d", root, tmp_path / "root.ext4", "8M", PATH=SBIN)
    assert done.returncode == 0, done.stderr
    words = (boot, tmp_path / "root.ext4", image / "edge.conf")
    cards = [tmp_path / "card.img", tmp_path / "again.img"]
    for card in cards:
        done = run(image / "debian/make-card", *words, card, SOURCE_DATE_EPOCH="1780000000")
        assert done.returncode == 0, done.stderr
    card = cards[0]
    assert run("cmp", *cards).returncode == 0
    # Not two cards of half a GiB on a tester's disk.
    assert card.stat().st_blocks * 512 < 40 << 20
    table = json.loads(run("sfdisk", "--json", card, PATH=SBIN).stdout)["partitiontable"]
    assert (table["id"], table["label"]) == ("0xed6e0001", "dos")
    partitions = [(each["start"], each["size"], each["type"]) for each in table["partitions"]]
    assert partitions == [(8192, 1048576, "c"), (1056768, 16384, "83")]
    listed = run("mdir", "-b", "-/", "-i", f"{card}@@4M", "::").stdout.split()
    assert {"::/config.txt", "::/edge.conf", "::/overlays/one.dtbo"} <= set(listed)
    with card.open("rb") as file, (tmp_path / "part").open("wb") as part:
        file.seek(1056768 * 512)
        shutil.copyfileobj(file, part)
    said = run("debugfs", "-R", "cat /etc/hostname", tmp_path / "part", PATH=SBIN).stdout
    assert said == "edge\n"


@pytest.mark.skipif(shutil.which("cloud-init") is None, reason="needs cloud-init")
def test_cloud_init_understands_what_it_is_given(image: Path) -> None:
    done = run("cloud-init", "schema", "--config-file", image / "raspberry-pi-os/user-data")
    assert done.returncode == 0, done.stderr
    assert "error" not in done.stderr.lower()


@pytest.mark.skipif(shutil.which("cloud-init") is None, reason="needs cloud-init")
def test_a_mistake_would_be_noticed(image: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "user-data"
    text = (image / "raspberry-pi-os/user-data").read_text()
    wrong.write_text(text.replace("preserve_hostname: true", "preserve_hostname: perhaps"))
    done = run("cloud-init", "schema", "--config-file", wrong)
    assert done.returncode != 0


READ_SEED = """
import json, sys, yaml
from cloudinit import util
from cloudinit.net import network_state
folder = sys.argv[1]
_, user, vendor = util.read_seeded(f"file://{folder}/")[:3]
network = yaml.safe_load(open(f"{folder}/network-config"))["network"]
state = network_state.parse_net_config_data(network)
print(json.dumps([user.decode(), vendor.decode(), [i["name"] for i in state.iter_interfaces()]]))
"""


@pytest.mark.skipif(shutil.which("cloud-init") is None, reason="needs cloud-init")
@pytest.mark.parametrize("wifi", [False, True])
def test_cloud_init_finds_all_of_it_beside_each_other(
    wifi: bool, image: Path, tmp_path: Path
) -> None:
    for name in ("user-data", "vendor-data", "network-config"):
        shutil.copy(image / "raspberry-pi-os" / name, tmp_path)
    (tmp_path / "meta-data").write_text("instance_id: raspberry\n")
    if wifi:
        file = tmp_path / "network-config"
        file.write_text(re.sub(r"(?m)^#(?=  )", "", file.read_text()))
        assert "\n  wifis:" in file.read_text()
    done = run(CLOUD_INIT_PYTHON, "-c", READ_SEED, tmp_path)
    assert done.returncode == 0, done.stderr
    user, vendor, interfaces = json.loads(done.stdout)
    assert user.startswith("#cloud-config")
    # cloud-init runs vendor data of this kind as a script.
    assert vendor.startswith("#!/bin/sh\n")
    assert "eth0" in interfaces


def tools(folder: Path, **answers: str) -> str:
    """A PATH whose programs do what the test says; what is not named is the system's."""
    folder.mkdir()
    for name, body in answers.items():
        program = folder / name.replace("_", "-")
        program.write_text(f"#!/bin/sh\n{body}\n")
        program.chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


@pytest.mark.parametrize(
    ("apt", "rc", "said"),
    [
        ("exit 0", 0, "installed, with the camera's library"),
        ('case "$*" in *--no-install-recommends*) exit 0;; esac; exit 100', 0, "without internet"),
        ("echo no such package; exit 100", 1, "could not be installed"),
    ],
)
def test_raspberry_pi_os_installs_by_itself(
    apt: str, rc: int, said: str, image: Path, tmp_path: Path
) -> None:
    boot = tmp_path / "boot"
    boot.mkdir()
    for version in ("0.1.0", "0.2.0"):
        (boot / f"edge-runtime_{version}_arm64.deb").touch()
    path = tools(
        tmp_path / "bin", dpkg="echo arm64", apt_get=f'echo "$@" >>{tmp_path}/asked\n{apt}'
    )
    script = image / "raspberry-pi-os/edge-runtime-install.sh"
    done = run("sh", script, PATH=path, EDGE_RUNTIME_BOOT=str(boot))
    assert done.returncode == rc
    assert said in done.stdout.splitlines()[-1]
    assert said in (boot / "edge-runtime-install.log").read_text()
    asked = (tmp_path / "asked").read_text()
    assert "edge-runtime_0.2.0_arm64.deb" in asked
    assert "edge-runtime_0.1.0_arm64.deb" not in asked


@pytest.mark.parametrize(
    ("architecture", "said"),
    [("armhf", "this is a 32-bit system"), ("arm64", "there is no edge-runtime_VERSION_arm64.deb")],
)
def test_a_card_that_cannot_work_is_told(
    architecture: str, said: str, image: Path, tmp_path: Path
) -> None:
    path = tools(tmp_path / "bin", dpkg=f"echo {architecture}", apt_get="exit 9")
    script = image / "raspberry-pi-os/edge-runtime-install.sh"
    done = run("sh", script, PATH=path, EDGE_RUNTIME_BOOT=str(tmp_path))
    assert done.returncode == 1
    assert done.stdout.startswith(f"edge-runtime: {said}")


def test_the_run_before_the_first_start_leaves_an_ordinary_start(
    image: Path, tmp_path: Path
) -> None:
    script = image / "raspberry-pi-os/firstrun.sh"
    # The words that the script itself tells people to append.
    (words,) = re.findall(r"(?m)^#   (systemd\.run=.*)$", script.read_text())
    (tmp_path / "etc/systemd/system").mkdir(parents=True)
    line = "console=tty1 root=PARTUUID=1-02 rootwait quiet"
    (tmp_path / "cmdline.txt").write_text(f"{line} {words}\n")
    for _ in range(2):
        done = run("sh", script, EDGE_RUNTIME_BOOT=str(tmp_path), EDGE_RUNTIME_ROOT=str(tmp_path))
        assert done.returncode == 0, done.stderr
        assert (tmp_path / "cmdline.txt").read_text() == f"{line}\n"
    unit = tmp_path / "etc/systemd/system/multi-user.target.wants/edge-runtime-install.service"
    assert "edge-runtime-install.sh" in unit.read_text()
    readme = (image / "README.md").read_text()
    assert words in readme


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
@pytest.mark.parametrize(
    "unit",
    [
        "systemd/edge-runtime-setup.service",
        "deploy/image/debian/root/usr/lib/systemd/system/edge-runtime-grow-root.service",
    ],
)
def test_systemd_understands_every_line(unit: str, repository: Path, tmp_path: Path) -> None:
    here = tmp_path / Path(unit).name
    text = (repository / unit).read_text()
    here.write_text(re.sub(r"(?m)^ExecStart=\S+", f"ExecStart={sys.executable}", text))
    done = run("systemd-analyze", "verify", "--man=no", here)
    assert [line for line in done.stderr.splitlines() if here.name in line] == []


CLOUD_INIT = """[Unit]
DefaultDependencies=no
Wants=networking.service edge-runtime-setup.service sysinit.target network-pre.target
After=networking.service
Before=sysinit.target
[Service]
Type=oneshot
ExecStart=/bin/true
"""
NETWORKING = """[Unit]
DefaultDependencies=no
After=local-fs.target network-pre.target
[Service]
Type=oneshot
ExecStart=/bin/true
"""


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
def test_the_setup_has_a_place_where_the_network_comes_up_early(
    repository: Path, tmp_path: Path
) -> None:
    """cloud-init's network stage comes before sysinit.target, after ifupdown's networking."""
    unit = "edge-runtime-setup.service"
    text = (repository / "systemd" / unit).read_text()
    (tmp_path / unit).write_text(re.sub(r"(?m)^ExecStart=\S+", "ExecStart=/bin/true", text))
    (tmp_path / "networking.service").write_text(NETWORKING)
    (tmp_path / "cloud-init.service").write_text(CLOUD_INIT)
    done = run(
        "systemd-analyze",
        "verify",
        "--man=no",
        tmp_path / "cloud-init.service",
        SYSTEMD_UNIT_PATH=f"{tmp_path}:",
    )
    assert "cycle" not in done.stderr


def test_avahi_reads_its_service_file(repository: Path) -> None:
    file = repository / "deploy/deb/avahi.service"
    group = ElementTree.parse(file).getroot()
    assert group.tag == "service-group"
    service = group.find("service")
    assert service is not None
    assert (service.findtext("type"), service.findtext("port")) == ("_http._tcp", "8000")
    dtd = Path("/usr/share/avahi/avahi-service.dtd")
    if dtd.exists() and shutil.which("xmllint"):
        done = run("xmllint", "--noout", "--dtdvalid", dtd, file)
        assert done.returncode == 0, done.stderr


def test_the_layer_of_rpi_image_gen_has_what_it_asks_for(image: Path) -> None:
    """Fields between METABEGIN and METAEND, one variable prefix, and hooks of mmdebstrap."""
    text = (image / "rpi-image-gen/layer/edge-runtime.yaml").read_text()
    head, _, body = text.partition("# METAEND\n---\n")
    fields = dict(re.findall(r"(?m)^# X-Env-([\w-]+): (.*)$", head))
    assert head.startswith("# METABEGIN\n")
    assert {"Layer-Name", "Layer-Version", "Layer-Category", "Layer-Desc"} <= fields.keys()
    for name in ("deb", "conf"):
        described = {f"Var-{name}{end}" for end in ("", "-Desc", "-Required", "-Valid", "-Set")}
        assert described <= fields.keys()
        assert f"$IGconf_{fields['VarPrefix']}_{name}" in body
    config = (image / "rpi-image-gen/config/edge-runtime.yaml").read_text()
    assert f"app: {fields['Layer-Name']}\n" in config


def test_yaml_of_rpi_image_gen_parses(image: Path) -> None:
    yaml = pytest.importorskip("yaml")
    layer = yaml.safe_load((image / "rpi-image-gen/layer/edge-runtime.yaml").read_text())
    assert all(isinstance(hook, str) for hook in layer["mmdebstrap"]["customize-hooks"])
    assert "python3-picamera2" in layer["mmdebstrap"]["packages"]
    config = yaml.safe_load((image / "rpi-image-gen/config/edge-runtime.yaml").read_text())
    assert config["layer"] == {"app": "edge-runtime"}


def test_the_stage_of_pi_gen_has_names_that_are_run(image: Path) -> None:
    stage = image / "pi-gen/stage-edge-runtime"
    assert (stage / "prerun.sh").exists()
    assert (stage / "EXPORT_IMAGE").exists()
    known = re.compile(r"\d\d-(run\.sh|run-chroot\.sh|packages|packages-nr|debconf|patches)")
    assert all(known.fullmatch(each.name) for each in (stage / "00-edge-runtime").iterdir())
