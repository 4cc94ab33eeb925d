"""Fixtures shared by all tests."""

import signal
from pathlib import Path

import pytest
import small

from minicnn.files import hdf5

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"  # beside the repository


def pytest_sessionstart():
    """Ctrl-C does what it does in a terminal, also where a shell has started the tests in the
    background, with the signal ignored."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_make_parametrize_id(val):
    """A test's name tells bytes by their length: a zip holds the time it was made at, and the
    processes that share the tests must agree on their names."""
    return f"{len(val)} bytes" if isinstance(val, bytes) else None


@pytest.fixture(scope="session")
def shared_data():
    """Real photos, weights and golden numbers, where they exist; the test skips where not."""
    if not SHARED_DATA.is_dir():
        pytest.skip("needs the folder ../shared/data beside the repository")
    return SHARED_DATA


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A weight file of `small.network()`."""
    path = tmp_path_factory.mktemp("weights") / "small.h5"
    hdf5.save(small.network(), path)
    return path


@pytest.fixture
def photo(tmp_path):
    """A picture file for it."""
    return small.picture_file(tmp_path)
