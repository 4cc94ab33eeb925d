"""The command summary."""

import pytest
import small

import minicnn
from minicnn.backend import control_groups
from minicnn.vis.memory import gigabytes

NETWORK = small.network()


def test_summary(said, weights):
    assert said("summary", "--weights", weights) == NETWORK.summary() + "\n"
    assert said("summary") == minicnn.load("minivgg").summary() + "\n"


@pytest.mark.parametrize("model", [name for name in minicnn.models.__all__ if name != "load"])
def test_summary_of_a_network_without_weights(said, model):
    network = getattr(minicnn.models, model)()
    assert said("summary", "--model", model) == network.summary() + "\n"


def test_summary_in_the_other_style(said):
    expected = minicnn.models.alexnet_caffe().summary("matlab") + "\n"
    assert said("summary", "--model", "alexnet_caffe", "--style", "matlab") == expected


@pytest.mark.parametrize("style", ["keras", "matlab"])
def test_summary_with_receptive_fields(said, style):
    table = said("summary", "--model", "vgg16", "--style", style, "--receptive-fields")
    assert table == minicnn.models.vgg16().summary(style, receptive_fields=True) + "\n"
    (row,) = [line for line in table.splitlines() if "pool5" in line]
    assert "212x212" in row


def test_summary_with_the_memory_of_a_method(said, monkeypatch):
    monkeypatch.setattr(control_groups, "memory_available", lambda: 4e9)
    *table, last = said("summary", "--model", "vgg16", "--method", "style", "--size", "640",
                        "--tile", "256").splitlines()
    expected = minicnn.estimate(minicnn.models.vgg16(), 640, "style", tile=256)
    assert "\n".join(table) == minicnn.models.vgg16().summary()
    assert last == (f"Memory of style at 640x640 pixels: about {gigabytes(expected)}; 4.0 GB are "
                    "free")
