"""One setting changed in a file that a person wrote."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.config import with_setting
from edge_runtime.errors import ConfigError

SHIPPED = "# Settings.\n#[source]\n#uri = 'auto'\n\n[web] # the page\nport = 8000 # mine\n"


def test_a_table_that_is_not_there_comes_at_the_end() -> None:
    assert with_setting(SHIPPED, "source.uri", "demo://") == (
        f'{SHIPPED}\n[source]\nuri = "demo://"\n'
    )


def test_a_key_comes_into_its_table_and_comments_stay() -> None:
    changed = with_setting(SHIPPED, "web.host", "0.0.0.0")
    assert changed == SHIPPED.replace("the page\n", 'the page\nhost = "0.0.0.0"\n')
    again = with_setting(changed, "web.host", "::")
    assert again == changed.replace("0.0.0.0", "::")


def test_the_key_of_another_table_stays() -> None:
    text = '[a]\nname = "x"\n[b]\nname = "y"\n'
    assert with_setting(text, "b.name", "z") == '[a]\nname = "x"\n[b]\nname = "z"\n'


@pytest.mark.parametrize(
    "text",
    [
        'source = { uri = "auto" }\n',
        'source.uri = "auto"\n',
        '[source]\nuri = """\nauto"""\n',
        "source = 5\n",
    ],
)
def test_what_lines_do_not_tell_is_left_to_a_person(text: str) -> None:
    with pytest.raises(ConfigError, match="write it there by hand"):
        with_setting(text, "source.uri", "demo://")


def test_a_file_that_is_no_toml_is_left_alone() -> None:
    with pytest.raises(ConfigError, match="no TOML"):
        with_setting("[source\n", "source.uri", "demo://")


@given(st.text(st.characters(codec="utf-8", exclude_characters="\x7f")))
def test_any_text_reads_back(value: str) -> None:
    changed = with_setting(SHIPPED, "source.uri", value)
    assert tomllib.loads(changed) == {"source": {"uri": value}, "web": {"port": 8000}}
