"""What every room's tests may ask for."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import settings

# A machine under load is no defect, so cases have no deadline. CI tries the same cases each time: a
# red run is about its change, and people's runs look for new ones.
settings.register_profile("suite", deadline=None, derandomize=os.environ.get("CI") == "true")
settings.load_profile("suite")

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the checkout."""
    return REPOSITORY


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Recorded pictures and clips: ``$EDGE_RUNTIME_TEST_DATA``, else ``shared/data`` beside us."""
    named = os.environ.get("EDGE_RUNTIME_TEST_DATA")
    folder = Path(named) if named else REPOSITORY.parent / "shared" / "data"
    if named and not folder.is_dir():
        pytest.fail(f"EDGE_RUNTIME_TEST_DATA names {named}, which is no folder")
    if not folder.is_dir():
        pytest.skip("no recorded data here; name its folder in EDGE_RUNTIME_TEST_DATA")
    return folder


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests say what is missing instead of failing inside the driver."""
    missing = [tool for tool in ("chromium", "chromedriver") if shutil.which(tool) is None]
    if not missing:
        return
    skip = pytest.mark.skip(reason=f"{' and '.join(missing)} not installed (scripts/test --all)")
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(skip)
