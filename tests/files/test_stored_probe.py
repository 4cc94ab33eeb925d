"""A probe in a file: it comes back as it was, and a malformed one is one clear error."""

import json

import h5py
import numpy as np
import pytest
import small

from minicnn.files import fingerprint, hdf5, probe, stored_probe
from minicnn.files.errors import WeightsError


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    network = small.network()
    network.probe = probe.make(network, "minicnn")
    path = tmp_path_factory.mktemp("probe") / "net.h5"
    hdf5.save(network, path)
    return path.read_bytes()


@pytest.fixture
def saved(whole, tmp_path):
    """A good file, for tests to spoil."""
    (tmp_path / "net.h5").write_bytes(whole)
    return tmp_path / "net.h5"


def refusal(path, change):
    """What loading says after change(the probe's group)."""
    with h5py.File(path, "r+") as file:
        change(file["stored probe"])
    with pytest.raises(WeightsError) as error:
        hdf5.load(path)
    text = str(error.value)
    assert text.startswith(str(path)) and "\n" not in text and "its probe is damaged" in text
    return text


def attribute(name, value):
    return lambda group: group.attrs.modify(name, value)


def array(name, value):
    def change(group):
        del group[name]
        if value is not None:
            group.create_dataset(name, data=value)
    return change


FIGURES = np.zeros((17, fingerprint.LENGTH), np.float32)  # an image and 16 layers


@pytest.mark.parametrize("name", ["by", "settings", "names", "weights"])
def test_an_attribute_that_is_missing_or_a_number(saved, name):
    assert f"attribute {name} is missing" in refusal(saved, lambda group: group.attrs.pop(name))
    with h5py.File(saved, "r+") as file:
        file["stored probe"].attrs[name] = 5
    with pytest.raises(WeightsError, match=f"attribute {name} is missing, or not text"):
        hdf5.load(saved)


@pytest.mark.parametrize("name, value, message", [
    ("names", "[", "Expecting value"), ("names", '["image"]', "other layers than those of network"),
    ("names", "{}", "of other layers than"), ("names", "[" * 100_000, ""),
    ("weights", "[]", "one hash of 16"), ("weights", "{}", "one hash of 16"),
    ("weights", "null", "one hash of 16"),
])
def test_attributes_that_say_something_else(saved, name, value, message):
    assert message in refusal(saved, attribute(name, value))


def test_hashes_that_are_none(saved):
    def change(group):
        hashes = json.loads(group.attrs["weights"])
        group.attrs["weights"] = json.dumps(dict.fromkeys(hashes, "0123"))
    assert "one hash of 16 digits for each layer with weights" in refusal(saved, change)


@pytest.mark.parametrize("change, message", [
    (array("figures", None), "figures is missing"),
    (array("figures", FIGURES[:-1]), "figures: expected shape"),
    (array("figures", FIGURES[0]), "figures: expected shape"),
    (array("figures", FIGURES + np.nan), "figures: not all of its numbers are finite"),
    (array("figures", FIGURES.astype(int)), "expected floating point numbers"),
    (array("figures", "text"), "expected floating point numbers"),
    (array("scores", None), "scores is missing"),
    (array("scores", np.zeros((2, 2))), "scores: expected shape"),
    (array("scores", np.array([1, np.inf])), "scores: not all of its numbers are finite"),
    (array("picture", None), "picture is missing"),
    (array("picture", np.zeros((16, 20, 3), np.uint8)), "planes (3, H, W)"),
    (array("picture", np.zeros((3, 16, 20))), "picture: expected planes"),
    (array("picture", np.zeros((3, 0, 20), np.uint8)), "picture: expected planes"),
])
def test_arrays_that_do_not_fit(saved, change, message):
    assert message in refusal(saved, change)


def test_a_picture_of_another_size_than_a_dense_layer_needs_is_verification_s_affair(saved):
    with h5py.File(saved, "r+") as file:
        array("picture", np.zeros((3, 8, 8), np.uint8))(file["stored probe"])
    network = hdf5.load(saved)
    assert not probe.verify(network).ok


def test_a_picture_cannot_claim_terabytes(saved):
    def change(group):
        del group["picture"]
        group.create_dataset("picture", (3, 1 << 20, 1 << 20), np.uint8, compression="gzip")
    assert "picture: expected planes" in refusal(saved, change)


@pytest.mark.parametrize("name", ["figures", "scores", "picture"])
def test_links_are_not_followed(saved, name):
    other = saved.with_name("other.h5")
    with h5py.File(saved) as file, h5py.File(other, "w") as copy:
        copy[name] = file["stored probe"][name][()]

    with h5py.File(saved, "r+") as file:
        del file["stored probe"][name]
        file["stored probe"][name] = h5py.ExternalLink(str(other), name)
    with pytest.raises(WeightsError, match=f"stored probe/{name} is a link to elsewhere"):
        hdf5.load(saved)


def test_a_group_that_is_an_array(saved):
    with h5py.File(saved, "r+") as file:
        del file["stored probe"]
        file["stored probe"] = np.zeros(3, np.float32)
    with pytest.raises(WeightsError, match="net.h5"):
        hdf5.load(saved)


def test_the_hashes_are_of_the_numbers_to_float32():
    network = small.network()
    hashes = stored_probe.weight_hashes(network)
    assert list(hashes) == list(network.param_shapes)
    assert stored_probe.weight_hashes(network.astype(np.float64)) == hashes
    network.params["fc"]["b"] = network.params["fc"]["b"] + 1e-6
    other = stored_probe.weight_hashes(network)
    assert [name for name in hashes if other[name] != hashes[name]] == ["fc"]


def test_it_is_small(saved):
    """224x224 pixels of a formula, and the figures of 300 layers, are what a large network has."""
    size = saved.stat().st_size
    with h5py.File(saved, "r+") as file:
        del file["stored probe"]
        numbers = np.random.default_rng(0).standard_normal((300, fingerprint.LENGTH))
        names = [f"mixed_7c/branch3x3dbl_{k}/norm" for k in range(300)]
        stored_probe.write(file, stored_probe.Probe(
            "PyTorch", "0" * 64, names, dict.fromkeys(names, "0" * 16),
            fingerprint.picture(224, 224), numbers.astype(np.float32), np.zeros(1000, np.float32)))
    assert saved.stat().st_size - size < 80_000
