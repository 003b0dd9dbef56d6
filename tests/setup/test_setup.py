"""A first start with an edge.conf, as far as it goes without a board."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from edge_runtime.config import load_config
from edge_runtime.doctor.settings import SETUP_REPORT
from edge_runtime.errors import ConfigError, OutputUnwritable, SetupFailed
from edge_runtime.setup.conf import KEYS
from edge_runtime.setup.setup import STEPS, check, set_up
from edge_runtime.setup.system import System
from edge_runtime.web.tokens import TOKEN_FILE, TokenFile, Tokens
from tests.setup.board import Board, problems

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f me@home"
TOKEN = "ert_0123456789abcdefghijklmnopqrstuv"


def mode(file: Path) -> int:
    return stat.S_IMODE(file.stat().st_mode)


def state(board: Board) -> Path:
    return board.root / "var/lib/edge-runtime"


def test_every_key_has_its_step() -> None:
    assert sorted(key for step in STEPS for key in step.keys) == sorted(KEYS)


def test_the_name(board: Board) -> None:
    assert problems(board.start("hostname = Cam7\n")) == []
    assert board.text("etc/hostname") == "cam7\n"
    assert board.text("etc/hosts") == "127.0.0.1\tlocalhost\n127.0.1.1\tcam7\n"
    assert ("hostname", "cam7") in board.ran
    assert board.left() == ["# applied: hostname = Cam7"]


@pytest.mark.parametrize("name", ["cam 7", "-cam", "cam7.local", "a" * 64, "42", "$(id)"])
def test_a_name_that_is_none(name: str, board: Board) -> None:
    (problem,) = problems(board.start(f"hostname = {name}\n"))
    assert "is no name for a machine" in problem
    assert board.text("etc/hostname") == "raspberrypi\n"
    assert board.left() == [f"# PROBLEM: {problem}", f"hostname = {name}"]


def test_the_wifi(board: Board) -> None:
    text = "wifi_name = Café\nwifi_password =  a\\b c;d# \nwifi_country = de\n"
    assert problems(board.start(text)) == []
    file = board.root / "etc/NetworkManager/system-connections/edge-runtime-wifi.nmconnection"
    assert mode(file) == 0o600
    lines = file.read_text().splitlines()
    assert "ssid=67;97;102;195;169;" in lines
    assert "psk=a\\\\b c;d#" in lines
    assert "ieee80211_regdom=DE" in board.text("etc/modprobe.d/edge-runtime-wifi.conf")
    assert board.left()[1] == "# applied: wifi_password = ***"


def test_blanks_at_the_ends_of_a_password_stay(board: Board) -> None:
    board.start('wifi_name = a\nwifi_password = " seven 7 "\n')
    file = "etc/NetworkManager/system-connections/edge-runtime-wifi.nmconnection"
    assert "psk=\\sseven 7\\s" in board.text(file).splitlines()


def test_an_open_network_has_no_password(board: Board) -> None:
    board.start("wifi_name = guests\n")
    file = "etc/NetworkManager/system-connections/edge-runtime-wifi.nmconnection"
    assert "wifi-security" not in board.text(file)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("wifi_password = long enough", "without wifi_name"),
        (f"wifi_name = {'é' * 17}", "longer than 32 bytes"),
        ("wifi_name = a\nwifi_password = short", "no WPA password"),
        ("wifi_name = a\nwifi_password = pässwörter", "no WPA password"),
        ("wifi_name = a\nwifi_country = Germany", "no country"),
    ],
)
def test_a_wifi_that_cannot_be(text: str, said: str, board: Board) -> None:
    (problem,) = problems(board.start(text))
    assert said in problem
    assert "short" not in problem
    # All of it stays, with its password, to be mended.
    assert [line for line in board.left() if line[0] != "#"] == text.splitlines()


def test_a_system_without_networkmanager_says_so(board: Board) -> None:
    (board.root / "usr/sbin/NetworkManager").unlink()
    assert "sudo apt install network-manager" in problems(board.start("wifi_name = a\n"))[0]


def test_keys_let_the_first_person_in(board: Board) -> None:
    file = board.root / "home/pi/.ssh/authorized_keys"
    other = KEY.replace("me@home", "me@work")
    assert problems(board.start(f"ssh_key = {KEY}\nssh_key = {other}\nssh_key = {KEY}\n")) == []
    assert file.read_text() == f"{KEY}\n{other}\n"
    assert (mode(file), mode(file.parent)) == (0o600, 0o700)
    assert board.owners["authorized_keys"] == board.owners[".ssh"[1:]] == (1000, 1000)
    # An image has no keys of its own; made once, and not anew.
    assert board.ran.count(("ssh-keygen", "-A")) == 3
    board.put("etc/ssh/ssh_host_ed25519_key", "x")
    board.ran.clear()
    board.start(f"ssh_key = {KEY}\n")
    assert ("ssh-keygen", "-A") not in board.ran
    assert ("systemctl", "--no-block", "start", "ssh.service") in board.ran


@pytest.mark.parametrize(
    "key",
    [
        "AAAAC3NzaC1lZDI1NTE5AAAAIAAB",
        "ssh-ed25519",
        "ssh-ed25519 not/base64!",
        KEY.replace("ssh-ed25519", "ssh-rsa"),
        f'command="reboot" {KEY}',
    ],
)
def test_a_key_that_is_none(key: str, board: Board) -> None:
    (problem,) = problems(board.start(f"ssh_key = {key}\n"))
    assert "no public key" in problem
    assert not (board.root / "home/pi/.ssh").exists()


def test_a_private_key_is_not_repeated(board: Board) -> None:
    (problem,) = problems(board.start("ssh_key = -----BEGIN OPENSSH PRIVATE KEY----- abc\n"))
    assert "must not leave your computer" in problem
    assert "abc" not in problem


def test_a_system_without_people(board: Board) -> None:
    board.put("etc/passwd", "root:x:0:0:root:/root:/bin/bash\n")
    assert "has no user yet" in problems(board.start(f"ssh_key = {KEY}\n"))[0]


def test_the_camera(board: Board) -> None:
    assert problems(board.start("camera = v4l2:///dev/video2?size=640x480\n")) == []
    file = board.root / "etc/edge-runtime/config.toml"
    config = load_config(file, {}, {})
    assert [each.uri for each in config.cameras] == ["v4l2:///dev/video2?size=640x480"]
    assert file.read_text().startswith("# Settings.\n")
    assert mode(file) == 0o644
    assert ("systemctl", "--no-block", "try-restart", "edge-runtime.service") in board.ran


def test_a_cameras_password_is_for_the_service_alone(board: Board) -> None:
    done = board.start("camera = rtsp://me:secret@10.0.0.9/stream\n")
    assert problems(done) == []
    assert "secret" not in str(done[0])
    file = board.root / "etc/edge-runtime/config.toml"
    assert mode(file) == 0o640
    assert board.owners["config.toml"] == (-1, 990)


def test_a_camera_that_is_none_and_one_that_cannot_be_written(board: Board) -> None:
    assert "v4l3" in problems(board.start("camera = v4l3://0\n"))[0]
    before = '[[camera]]\nname = "door"\nuri = "v4l2:///dev/video0"\n'
    board.put("etc/edge-runtime/config.toml", before)
    assert len(problems(board.start("camera = picamera://0\n"))) == 1
    assert board.text("etc/edge-runtime/config.toml") == before
    assert list((board.root / "etc/edge-runtime").iterdir()) == [
        board.root / "etc/edge-runtime/config.toml"
    ]


def test_a_token_of_ones_own_opens_the_page_to_the_network(board: Board) -> None:
    done = board.start(f"token = {TOKEN}\n")
    assert problems(done) == []
    assert TOKEN not in str(done)
    tokens = Tokens(TokenFile(state(board) / TOKEN_FILE))
    kept = tokens.by_token(TOKEN)
    assert kept is not None
    assert kept.scope.word == "admin"
    config = load_config(board.root / "etc/edge-runtime/config.toml", {}, {})
    assert config.web.host == "0.0.0.0"
    assert board.left() == ["# applied: token = ***"]
    assert board.owners["edge-runtime"] == (990, 990)


def test_a_new_token_is_told_to_who_holds_the_card_or_the_board(board: Board) -> None:
    done = board.start("hostname = cam7\ntoken = new\n")
    assert problems(done) == []
    note = (board.card / "edge-runtime-link.txt").read_text()
    link = next(line.strip() for line in note.splitlines() if "login#" in line)
    address, _, secret = link.partition("login#")
    assert address == "http://cam7.local:8000/"
    assert Tokens(TokenFile(state(board) / TOKEN_FILE)).by_token(secret) is not None
    screen = board.root / "run/issue.d/edge-runtime.issue"
    assert link in screen.read_text()
    assert "█" in screen.read_text()
    assert mode(screen) == 0o600
    # And to nobody else.
    assert secret not in str(done)
    assert secret not in str(board.ran)
    assert secret not in board.conf.read_text()


def test_the_next_token_takes_the_place_of_the_last(board: Board) -> None:
    board.start("token = new\n")
    board.start(f"token = {TOKEN}\n")
    kept = TokenFile(state(board) / TOKEN_FILE).read()
    assert [token.name for token in kept] == ["edge.conf"]
    assert json.loads((state(board) / TOKEN_FILE).read_text())["tokens"]


@pytest.mark.parametrize("token", ["secret", "a" * 40, "abcabcabc" * 5, "with blanks " * 4])
def test_a_token_that_can_be_guessed_lets_nobody_in(token: str, board: Board) -> None:
    (problem,) = problems(board.start(f"token = {token}\n"))
    assert problem.startswith("token can be guessed")
    assert token.strip() not in problem
    assert not (state(board) / TOKEN_FILE).exists()
    assert "0.0.0.0" not in board.text("etc/edge-runtime/config.toml")


def test_an_address_somebody_chose_stays(board: Board) -> None:
    board.put("etc/edge-runtime/config.toml", '[web]\nhost = "192.168.1.5"\nport = 80\n')
    board.start("token = new\n")
    assert 'host = "192.168.1.5"' in board.text("etc/edge-runtime/config.toml")


def test_a_model_is_handed_in(board: Board) -> None:
    (board.card / "models").mkdir()
    (board.card / "models/mood.zip").write_bytes(b"zip")
    (board.card / "smile").mkdir()
    (board.card / "smile/model.tflite").write_bytes(b"tflite")
    assert problems(board.start("model = models\\mood.zip\nmodel = smile\n")) == []
    drops = state(board) / "models"
    assert (drops / "mood.zip").read_bytes() == b"zip"
    assert (drops / "smile/model.tflite").read_bytes() == b"tflite"
    assert sorted(each.name for each in drops.iterdir()) == ["mood.zip", "smile"]
    assert board.owners["mood.zip"] == board.owners["model.tflite"] == (990, 990)


@pytest.mark.parametrize("place", ["../etc/shadow", "/etc/shadow", "C:\\mood.zip", ".hidden"])
def test_a_model_is_on_the_card_or_nowhere(place: str, board: Board) -> None:
    assert "is no place on this card" in problems(board.start(f"model = {place}\n"))[0]


def test_a_model_that_is_missing(board: Board) -> None:
    assert "is not on this card" in problems(board.start("model = mood.zip\n"))[0]


def test_one_wrong_line_keeps_no_other_from_being_done(board: Board) -> None:
    board.put("sys/class/leds/ACT/trigger", "none [mmc0] timer heartbeat\n")
    outcomes = board.start("hostnam = x\nhostname = cam7\ncamera = nowhere://\nspeed\n")
    assert board.text("etc/hostname") == "cam7\n"
    assert len(problems(outcomes)) == 3
    assert [line for line in board.left() if line[0] != "#"] == [
        "hostnam = x",
        "camera = nowhere://",
        "speed",
    ]
    assert board.text("sys/class/leds/ACT/trigger") == "timer\n"
    assert board.text("sys/class/leds/ACT/delay_on") == "1000\n"
    report = board.text(SETUP_REPORT).splitlines()
    assert report[0].startswith("edge.conf line 1: there is no key 'hostnam'")
    # Mended, the rest is done at the next start, and the light is left alone.
    board.put("sys/class/leds/ACT/trigger", "none [mmc0] timer heartbeat\n")
    mended = board.conf.read_bytes().replace(b"nowhere://", b"auto").replace(b"hostnam ", b"#")
    assert problems(board.start(mended.replace(b"speed", b""))) == []
    assert board.text(SETUP_REPORT) == ""
    assert "[mmc0]" in board.text("sys/class/leds/ACT/trigger")


def test_a_light_that_has_to_learn_to_blink_and_one_that_cannot(board: Board) -> None:
    trigger = board.put("sys/class/leds/led0/trigger", "none [mmc0]\n")
    board.start("speed\n")
    assert ("modprobe", "ledtrig-timer") in board.ran
    trigger.unlink()
    trigger.mkdir()
    assert len(problems(board.start("speed\n"))) == 1


def test_what_the_system_refuses_is_told_with_its_words(board: Board) -> None:
    board.refusing["hostname"] = "hostname: you must be root\n"
    (problem,) = problems(board.start("hostname = cam7\ncamera = auto\n"))
    assert "you must be root" in problem
    assert board.left()[-1] == "# applied: camera = auto"


def test_doing_it_twice_is_no_more_than_doing_it_once(board: Board) -> None:
    text = f"hostname = cam7\nssh_key = {KEY}\ncamera = auto\ntoken = {TOKEN}\n"
    board.start(text)
    once = {p: p.read_bytes() for p in (board.root / "etc").rglob("*") if p.is_file()}
    # The power went before the file said that all was done.
    board.start(text)
    assert {p: p.read_bytes() for p in (board.root / "etc").rglob("*") if p.is_file()} == once
    assert len(TokenFile(state(board) / TOKEN_FILE).read()) == 1


def test_a_file_without_wishes_is_not_written(board: Board) -> None:
    board.conf.write_bytes(b"# hostname = cam7\n")
    before = board.conf.stat().st_mtime_ns
    assert board.start() == ()
    assert board.conf.stat().st_mtime_ns == before


def test_a_file_that_is_none(board: Board) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        board.start()
    with pytest.raises(ConfigError, match=r"so it is no edge\.conf"):
        board.start(b"x" * 70_000)


def test_a_card_that_cannot_be_written_is_told(
    board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    board.conf.write_text("camera = auto\n")

    def refuse(self: System, path: Path, content: bytes, **more: int) -> None:
        if path == board.conf:
            raise SetupFailed(f"{path} cannot be written: Read-only file system")
        write(self, path, content, **more)

    write = System.write
    monkeypatch.setattr(System, "write", refuse)
    with pytest.raises(OutputUnwritable, match="applied again at the next start"):
        set_up(board.conf, board.system)


def test_a_file_can_be_checked_on_the_computer_it_is_written_on(tmp_path: Path) -> None:
    file = tmp_path / "edge.conf"
    file.write_text("hostname = cam 7\nwifi_name = home\n")
    assert [str(each) for each in check(file)] == [
        "edge.conf line 1: hostname 'cam 7' is no name for a machine: 1 to 63 letters, digits and "
        "hyphens, such as cam7, without .local",
        "edge.conf: is right",
    ]
    assert file.read_text() == "hostname = cam 7\nwifi_name = home\n"
