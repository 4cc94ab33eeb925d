"""Fixtures shared by all tests."""

from pathlib import Path

import pytest

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"  # beside the repository


@pytest.fixture(scope="session")
def shared_data():
    """Real photos, weights and golden numbers, where they exist; the test skips where not."""
    if not SHARED_DATA.is_dir():
        pytest.skip("needs the folder ../shared/data beside the repository")
    return SHARED_DATA
