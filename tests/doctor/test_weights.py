"""One weight file: with a probe, with a wrong one, without; damaged; not there."""

import hashlib

import numpy as np
import pytest
import small

from minicnn.doctor.findings import BAD, GOOD, NOTE
from minicnn.doctor.weights import probed, weights
from minicnn.fast import lrn
from minicnn.files import hdf5, probe


@pytest.fixture(scope="module")
def trusted():
    """A network with a probe."""
    network = small.network()
    network.probe = probe.make(network, by="minicnn")
    return network


@pytest.fixture
def file(tmp_path, trusted):
    """It in a file."""
    path = tmp_path / "trusted.h5"
    hdf5.save(trusted, path)
    return path


def of(what, findings):
    """The one finding about something."""
    (found,) = [finding for finding in findings if finding.what == what]
    return found


def test_a_file_with_a_probe(file):
    found = list(weights(file))
    assert {f.state for f in found} <= {GOOD, NOTE}
    data = file.read_bytes()
    assert of("file", found).value == f"{file}, {len(data):,} bytes"
    assert of("sha256", found).value.replace(" ", "") == hashlib.sha256(data).hexdigest()
    assert of("network", found).value.startswith("small: 1")
    assert of("classes", found).value == "4, from 'red fox' to 'frog'"
    assert of("licence", found).state == NOTE
    replayed = of("probe on cpu", found)
    assert "every layer agrees with" in replayed.value
    assert replayed.table.splitlines()[0].split()[:2] == ["layer", "mean"]
    assert [line.split()[0] for line in replayed.table.splitlines()].count("conv2") == 1


def test_what_is_known_of_a_file_is_told(tmp_path, trusted):
    network = small.network()
    network.about = {"source": "a.pth", "source_format": "PyTorch", "licence": "MIT",
                     "source_sha256": "0f" * 32}
    network.labels = None
    hdf5.save(network, tmp_path / "a.h5")
    found = list(weights(tmp_path / "a.h5"))
    assert [of(w, found).value for w in ("source", "source format", "licence")] == [
        "a.pth", "PyTorch", "MIT"]
    assert of("source sha256", found).value == f"{'0f' * 16} {'0f' * 16}"
    assert of("classes", found).state == NOTE


def test_a_file_without_a_probe(tmp_path):
    hdf5.save(small.network(), tmp_path / "a.h5")
    found = of("probe", weights(tmp_path / "a.h5"))
    assert found.state == NOTE and found.value.startswith("none") and "convert" in found.remedy


def test_one_wrong_layer_is_named(file):
    import h5py

    with h5py.File(file, "a") as stored:
        stored["conv2/w"][...] = stored["conv2/w"][...][::-1]
    found = of("probe on cpu", weights(file))
    assert found.state == BAD and found.value.startswith("conv2 is the first that differs")
    assert "WRONG" in found.table and found.remedy


def test_a_wrong_op_shows_in_the_network_too(trusted, monkeypatch):
    forward = lrn.forward
    monkeypatch.setattr(lrn, "forward", lambda x, **settings: forward(2 * x, **settings))
    (found,) = probed(trusted)
    assert found.state == BAD and found.value.startswith("norm1 is the first that differs")


def test_a_probe_of_another_network(trusted):
    other = small.network().until("conv2")
    other.probe = trusted.probe
    (found,) = probed(other)
    assert found.state == BAD and found.value


def test_the_table_is_shown_where_it_was_asked_for(trusted):
    assert next(probed(trusted)).table == ""
    assert next(probed(trusted, table=True)).table


@pytest.mark.parametrize("damage, words", [
    (lambda data: data[:len(data) // 2], "damaged"), (lambda data: b"", ""),
    (lambda data: b"no weights at all", "")])
def test_a_damaged_file(file, damage, words):
    file.write_bytes(damage(file.read_bytes()))
    (found,) = weights(file)
    assert found.state == BAD and str(file) in found.value and words in found.value


def test_a_file_that_is_not_there(tmp_path):
    (found,) = weights(tmp_path / "nothing.h5")
    assert found.state == BAD and "nothing.h5" in found.value


def test_a_foreign_file_is_told_with_its_hash(tmp_path):
    np.savez(tmp_path / "a.npz", **{"other": np.zeros(3)})
    (found,) = weights(tmp_path / "a.npz")
    assert found.state == BAD and "a.npz" in found.value
