"""Conversions without the two passes that a probe takes, but where the probe is what is tested."""

import pytest

from minicnn.foreign import convert


@pytest.fixture(autouse=True)
def quick_conversions(request, monkeypatch):
    """Most tests of `convert` look at arrays; with a probe they would take twice as long."""
    if "probe" not in request.path.name:
        monkeypatch.setattr(convert, "_verified", lambda *_: "No probe: a test.")
