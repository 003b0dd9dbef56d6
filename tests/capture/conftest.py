"""What the capture tests share."""

from __future__ import annotations

import pytest

from tests.capture.fake_clock import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()
