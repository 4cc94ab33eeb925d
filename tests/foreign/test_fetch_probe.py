"""A fetched network verifies itself, by a probe that PyTorch computed where it is installed."""

import official
import pytest

from minicnn.files import cache
from minicnn.foreign import load as pretrained
from minicnn.foreign.fetch import fetch

DATA, _ = official.squeezenet()


@pytest.fixture
def world(tmp_path, monkeypatch):
    with official.world(tmp_path, monkeypatch, DATA) as found:
        yield found


def test_it_verifies_itself(world):
    fetch("mine")
    assert "Probe: every layer agrees" in str(cache.entries()[0].record["notes"])
    assert pretrained.load("mine", check=True).probe is not None


def test_with_a_mean_image_that_came_from_elsewhere_too(world):
    """The probe is of the network as photos are prepared for it, and so is made with that mean."""
    world.say(companions=["mean"])
    given = world.file()
    official.mean_image(given.parent / "mean.npy", [123.675, 116.28, 103.53])
    fetch("mine", from_file=given)
    network = pretrained.load("mine", check=True)
    assert network.probe is not None and network.preprocessing.mean.shape == (256, 256, 3)
