"""Source URIs: read in full, refused by name, secrets never shown."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.capture.uri import _PARAMETERS, SCHEMES, parse
from edge_runtime.errors import ConfigError
from edge_runtime.masking import masked_uri


def test_a_pi_camera_with_everything_said() -> None:
    uri = parse(
        "picamera://1?size=1536x864&lores=320x240&fps=29.5&buffer_count=3&hflip=1&vflip=true"
    )
    assert (uri.scheme, uri.target) == ("picamera", "1")
    assert (uri.size, uri.lores, uri.fps) == ((1536, 864), (320, 240), 29.5)
    assert (uri.buffer_count, uri.hflip, uri.vflip) == (3, True, True)


def test_what_is_not_said_is_none() -> None:
    uri = parse("demo://")
    assert (uri.faces, uri.seed, uri.size, uri.fps, uri.frames) == (None,) * 5


@pytest.mark.parametrize(
    ("text", "scheme", "target"),
    [
        ("auto", "auto", ""),
        ("picamera://", "picamera", "0"),
        ("v4l2:///dev/video2", "v4l2", "/dev/video2"),
        ("v4l2://2?fps=15", "v4l2", "/dev/video2"),
        ("v4l2://", "v4l2", "/dev/video0"),
        ("/dev/video3", "v4l2", "/dev/video3"),
        ("file:///home/me/a%20film%3F.mp4?loop=1", "file", "/home/me/a film?.mp4"),
        ("file://localhost/x.mp4", "file", "/x.mp4"),
        ("FILE:///x#1.mp4", "file", "/x#1.mp4"),
        ("some/film.mkv", "file", "some/film.mkv"),
        ("me.JPG", "pictures", "me.JPG"),
        ("pictures:///folder", "pictures", "/folder"),
    ],
)
def test_what_a_uri_names(text: str, scheme: str, target: str) -> None:
    uri = parse(text)
    assert (uri.scheme, uri.target) == (scheme, target)


def test_a_bare_folder_is_its_pictures(tmp_path: Path) -> None:
    assert parse(str(tmp_path)).scheme == "pictures"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("picamra://0", "unknown scheme 'picamra', did you mean 'picamera'? (known: auto, demo,"),
        ("webcam", "no existing path and unknown name 'webcam'"),
        ("dmo", "did you mean 'demo'?"),
        ("v4l2:///dev/video0?siz=640x480", "unknown parameter 'siz', did you mean 'size'?"),
        ("pictures:///x?loop=1", "unknown parameter 'loop' (known: none)"),
        ("demo://?size=640", "size=640 is wrong, expected WIDTHxHEIGHT, such as 640x480"),
        ("demo://?size=0x480", "size=0x480 is wrong"),
        ("demo://?faces=three", "faces=three is wrong, expected a whole number, 0 to 12"),
        ("demo://?fps=nan", "fps=nan is wrong"),
        ("demo://?faces=1&faces=2", "parameter 'faces' is given twice"),
        ("demo://hall?faces=1", "'hall' is no part of a demo"),
        ("file:///x.mp4?loop=maybe", "loop=maybe is wrong, expected 0 or 1"),
        ("file:///x.mp4?loop=", "loop= is wrong, expected 0 or 1"),
        ("picamera://front", "'front' is no camera number"),
        (
            "picamera://0?buffer_count=1",
            "buffer_count=1 is wrong, expected a whole number, 2 to 16",
        ),
        ("file://", "a path is missing"),
    ],
)
def test_what_is_wrong_is_named(text: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(text)
    assert said in str(caught.value)
    assert text in str(caught.value)


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(ConfigError):  # any other error fails the test
        assert parse(text).scheme in SCHEMES


@given(st.sampled_from(SCHEMES), st.text(max_size=40))
def test_any_address_is_read_or_refused(scheme: str, rest: str) -> None:
    with suppress(ConfigError):
        assert parse(f"{scheme}://{rest}").scheme in SCHEMES


def test_a_network_cameras_own_query_is_left_to_it() -> None:
    address = "rtsp://10.0.0.9:8554/cam?channel=1&subtype=0"
    uri = parse(address)
    assert (uri.target, uri.shown) == (address, address)


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("rtsp://me:geheim@cam/1", "rtsp://me:***@cam/1"),
        ("rtsp://me:ge@h/eim@cam/1", "rtsp://me:***@cam/1"),
        ("rtsp://me@cam/1", "rtsp://me@cam/1"),
        ("rtsp://cam/1?user=me&password=geheim&x=1", "rtsp://cam/1?user=me&password=***&x=1"),
        ("rtsp://cam/1?auth_token=geheim", "rtsp://cam/1?auth_token=***"),
        ("rtsps://:geheim@cam/1", "rtsps://:***@cam/1"),
    ],
)
def test_secrets_are_masked(address: str, shown: str) -> None:
    assert masked_uri(address) == shown
    assert parse(address).shown == shown
    assert parse(address).target == address


SECRETS = st.text("0123456789$%/@:;,+", min_size=8)


@given(SECRETS)
def test_no_password_is_ever_shown(password: str) -> None:
    assert masked_uri(f"rtsp://me:{password}@camera/stream") == "rtsp://me:***@camera/stream"


def test_an_error_does_not_tell_a_secret_either() -> None:
    with pytest.raises(ConfigError) as caught:
        parse("rtps://me:geheim@cam/1")
    assert "geheim" not in str(caught.value)
    assert "did you mean 'rtsp'?" in str(caught.value)


def test_the_manual_names_every_scheme_and_parameter(repository: Path) -> None:
    manual = (repository / "docs" / "sources.md").read_text()
    for scheme in SCHEMES:
        assert f"`{scheme}" in manual
    parameters = {name for known in _PARAMETERS.values() for name in known}
    assert [name for name in parameters if f"`{name}`" not in manual] == []
