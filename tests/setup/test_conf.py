"""The text of edge.conf, as people and their editors write it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.setup.conf import KEYS, MARK, read, written


def wishes(content: bytes) -> dict[str, str]:
    return {line.key: line.value for line in read(content) if line.wishes and line.key}


def problems(text: str) -> list[str]:
    return [line.problem for line in read(text.encode()) if line.problem]


def test_keys_values_and_comments() -> None:
    text = "# mine\n\nhostname = cam7\n  WIFI_NAME=  my net \ncamera=v4l2:///dev/video0?size=1x2\n"
    assert wishes(text.encode()) == {
        "hostname": "cam7",
        "wifi_name": "my net",
        "camera": "v4l2:///dev/video0?size=1x2",
    }
    assert problems(text) == []


def test_what_editors_of_windows_make_of_it() -> None:
    text = 'hostname = cam7\r\nwifi_name = "Café "\r\n'
    expected = {"hostname": "cam7", "wifi_name": "Café "}
    for content in (text.encode(), text.encode("utf-8-sig"), text.encode("utf-16")):
        assert wishes(content) == expected


def test_a_letter_in_an_old_encoding_is_told_and_not_guessed() -> None:
    content = "wifi_name = Café\r\n".encode("latin-1")
    (line,) = read(content)
    assert written((line,), applied=(), problems={}) == content
    assert line.problem is not None
    assert "save the file as UTF-8" in line.problem


def test_it_is_no_shell() -> None:
    text = "hostname = $(reboot)\nwifi_name = `id`; x # no comment\n"
    assert wishes(text.encode()) == {"hostname": "$(reboot)", "wifi_name": "`id`; x # no comment"}


def test_each_wrong_line_says_what_is_wrong_with_it() -> None:
    assert problems("hostnam = cam7\n") == ["there is no key 'hostnam': did you mean hostname?"]
    assert "known are hostname, wifi_name" in problems("speed = 9\n")[0]
    assert problems("cam7\n") == ["'cam7' is not KEY = VALUE, such as hostname = cam7"]
    assert problems("hostname =\n") == [
        "hostname has no value: write one, or put # in front of the line"
    ]
    assert problems("token = a\ntoken = b\n") == [
        "token stands on line 1 already; only one of them can hold"
    ]
    assert "cannot be seen" in problems("hostname = cam\x007\n")[0]


def test_keys_and_models_may_be_several() -> None:
    lines = read(b"ssh_key = a\nssh_key = b\nmodel = a.zip\nmodel = b.zip\n")
    assert all(line.wishes for line in lines)


def test_a_secret_does_not_stay_where_it_was_applied() -> None:
    lines = read(b"# mine\nwifi_name = home\nwifi_password = very secret\ntoken = abc\n")
    left = written(lines, applied=(2, 3), problems={4: "token can be guessed"}).decode()
    assert left.splitlines() == [
        "# mine",
        "# applied: wifi_name = home",
        "# applied: wifi_password = ***",
        f"{MARK}token can be guessed",
        "token = abc",
    ]
    # At the next start the old sentence goes, and the line is tried again.
    again = read(left.encode())
    assert [(line.key, line.value) for line in again if line.wishes] == [("token", "abc")]
    assert MARK not in written(again, applied=(5,), problems={}).decode()


def test_a_cameras_password_does_not_stay_either() -> None:
    lines = read(b"camera = rtsp://me:very@secret@10.0.0.9/x?token=abc\n")
    left = written(lines, applied=(1,), problems={}).decode()
    assert "very" not in left
    assert "abc" not in left
    assert "rtsp://me:***@10.0.0.9" in left


@given(st.binary(max_size=400))
def test_no_content_is_too_strange(content: bytes) -> None:
    lines = read(content)
    assert [line.number for line in lines] == list(range(1, len(lines) + 1))
    kept = [line.text for line in lines if not line.text.startswith(MARK)]
    left = written(lines, applied=(), problems={})
    assert left == "".join(f"{text}\r\n" for text in kept).encode("utf-8", "surrogateescape")


@given(
    st.sampled_from(KEYS), st.text(st.characters(codec="ascii", categories=("L", "N")), min_size=1)
)
def test_nothing_is_lost_on_the_way_to_the_next_start(key: str, value: str) -> None:
    lines = read(f"{key} = {value}\n".encode())
    again = read(written(lines, applied=(), problems={1: "no"}))
    assert [(line.key, line.value) for line in again if line.key] == [(key, value)]
