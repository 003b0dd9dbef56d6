"""A budget in looks, in milliseconds, or without end."""

import pytest

from edge_runtime.attention.budget import Budget, Purse
from edge_runtime.errors import ConfigError


def test_what_is_written_is_understood() -> None:
    assert Budget.parse("4") == Budget(looks=4)
    assert Budget.parse("8ms") == Budget(ms=8.0)
    assert Budget.parse("2.5 ms") == Budget(ms=2.5)
    assert Budget.parse("full") == Budget()


@pytest.mark.parametrize("text", ["", "0", "-1", "0ms", "many", "4 looks", "ms", "1000"])
def test_anything_else_is_refused_with_what_was_expected(text: str) -> None:
    with pytest.raises(ConfigError, match="expected a number of looks"):
        Budget.parse(text)


def test_milliseconds_are_as_many_looks_as_were_measured_to_fit() -> None:
    purse = Purse(Budget(ms=8.0))
    assert purse.looks() == 1  # nothing is known yet
    purse.spent(2, 4.0)
    assert purse.looks() == 4
    for _ in range(200):
        purse.spent(1, 5.0)
    assert purse.looks() == 1
    for _ in range(200):
        purse.spent(1, 100.0)
    assert purse.looks() == 1  # never none


def test_a_cap_lowers_and_never_raises() -> None:
    assert Purse(Budget(looks=4)).looks(2) == 2
    assert Purse(Budget(looks=1)).looks(2) == 1
    assert Purse(Budget()).looks(3) == 3
    assert Purse(Budget()).looks() is None
