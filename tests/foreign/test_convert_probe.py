"""What `convert` and `load` do with probes: made, kept in the file, and checked on request."""

import sys

import h5py
import nets
import numpy as np
import pytest
import small
import weight_bytes

from minicnn import load
from minicnn.files import hdf5, probe, torch_twin
from minicnn.files.errors import WeightsError
from minicnn.foreign import convert as module
from minicnn.foreign.convert import convert
from minicnn.network import Network
from minicnn.network.layers import Conv

PROTOTXT = ('name: "mine"\ninput: "data"\ninput_dim: 1 input_dim: 3 input_dim: 8 input_dim: 8\n'
            'layer { name: "c" type: "Convolution" bottom: "data" top: "c"\n'
            '  convolution_param { num_output: 4 kernel_size: 3 } }\n')


@pytest.fixture(scope="module")
def pth(tmp_path_factory):
    """The first convolution of a VGG-16, as torchvision would write it."""
    rng = np.random.default_rng(0)
    arrays = {"features.0.weight": rng.standard_normal((64, 3, 3, 3)).astype(np.float32),
              "features.0.bias": rng.standard_normal(64).astype(np.float32)}
    path = tmp_path_factory.mktemp("files") / "vgg16.safetensors"
    path.write_bytes(weight_bytes.safetensors(arrays, metadata={"format": "pt"}))
    return path


def test_a_converted_network_has_a_probe_and_the_table_says_by_whom(pth):
    network, table = convert(pth)
    [note] = [note for note in table.notes if note.startswith("Probe: every layer agrees with ")]
    assert network.probe.by in note and probe.verify(network).ok
    by = (f"{torch_twin.version()}, float64, with the arrays of the converted file"
          if torch_twin.version() else "minicnn ")
    assert network.probe.by.startswith(by)


@pytest.mark.parametrize("by, words", [("minicnn", "minicnn "), ("none", None)])
def test_who_makes_it_can_be_chosen(pth, by, words):
    network, conversion = convert(pth, probe=by)
    assert (network.probe is None) if words is None else network.probe.by.startswith(words)
    assert any("Probe" in note for note in conversion.notes) is (words is not None)


def test_another_maker_is_refused(pth):
    with pytest.raises(ValueError, match="probe must be one of auto, pytorch, minicnn, none, got"):
        convert(pth, probe="keras")


def test_without_pytorch(pth, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    assert convert(pth)[0].probe.by.startswith("minicnn ")
    with pytest.raises(WeightsError, match="vgg16.safetensors: .*PyTorch cannot be imported"):
        convert(pth, probe="pytorch")


def test_a_kernel_turned_wrongly_on_its_way_is_found(pth, monkeypatch):
    """PyTorch computes with the file's arrays as they lie there."""
    pytest.importorskip("torch")
    fitted = module.fitted

    def wrong(w, network, ours, key, layout):
        value, done = fitted(w, network, ours, key, layout)
        return (np.ascontiguousarray(value.transpose(1, 0, 2, 3)) if key == "w" else value), done
    monkeypatch.setattr(module, "fitted", wrong)
    with pytest.raises(WeightsError, match='safetensors: conv1_1 is the first that differs .*; '
                                           'probe="none" converts it unverified$'):
        convert(pth)
    assert convert(pth, probe="none")[0].probe is None


def test_a_flatten_order_turned_wrongly_is_found(shared_data, monkeypatch):
    pytest.importorskip("torch")
    fitted = module.fitted

    def wrong(w, network, ours, key, layout):
        value, done = fitted(w, network, ours, key, layout)
        return (np.ascontiguousarray(w.T) if "H,W,C" in done else value), done
    monkeypatch.setattr(module, "fitted", wrong)
    path = shared_data / "weights" / "foreign" / "lenet_mnist.caffemodel"
    with pytest.raises(WeightsError, match="caffemodel: ip1 is the first that differs"):
        convert(path)


def test_an_architecture_without_weights_has_none(tmp_path):
    (tmp_path / "net.prototxt").write_text(PROTOTXT)
    network, conversion = convert(tmp_path / "net.prototxt")
    assert network.probe is None and not any("Probe" in note for note in conversion.notes)


def test_where_no_probe_can_be_made_the_note_says_why(pth, monkeypatch):
    monkeypatch.setattr(probe, "MOST_NUMBERS", 1000)
    network, conversion = convert(pth)
    assert network.probe is None
    assert any(note.startswith("No probe: ") and note.endswith("too much work for a check.")
               for note in conversion.notes)


def test_the_weights_can_be_written_to_afterwards(pth):
    assert convert(pth)[0].params["conv1_1"]["w"].flags.writeable


# ---- our own form

@pytest.fixture
def old(tmp_path):
    """A file without a probe."""
    hdf5.save(small.network(), tmp_path / "old.h5")
    return tmp_path / "old.h5"


def test_a_file_in_our_own_form_gets_one(old, tmp_path):
    network, conversion = convert(old)
    before = hdf5.load(old)
    assert conversion.format == "minicnn's own form"
    assert len(conversion.arrays) == len(nets.parameters(before))
    assert all(one.done == "as it is" and one.theirs == one.ours for one in conversion.arrays)
    assert network.about == before.about and network.labels == before.labels
    hdf5.save(network, tmp_path / "new.h5")
    again = load(tmp_path / "new.h5", check=True)
    for place, value in nets.parameters(before).items():
        np.testing.assert_array_equal(nets.parameters(again)[place], value, strict=True)


# ---- load(check=True)

def test_a_file_without_a_probe_cannot_be_checked(old):
    assert load(old).probe is None
    with pytest.raises(WeightsError, match="old.h5: network small has no probe to verify it by"):
        load(old, check=True)


def test_load_says_what_differs(old, tmp_path):
    hdf5.save(convert(old)[0], tmp_path / "new.h5")
    with h5py.File(tmp_path / "new.h5", "r+") as file:
        file["mix/3x3/w"][0, 0, 0, 0] *= 1.01
    load(tmp_path / "new.h5")
    with pytest.raises(WeightsError, match="new.h5: mix/3x3 is the first that differs .* expected "
                                           ".*, got ") as error:
        load(tmp_path / "new.h5", check=True)
    assert "\n" not in str(error.value)


def test_load_checks_another_program_s_file_too(pth):
    assert load(pth).probe is None  # which takes no time
    assert load(pth, check=True).probe is not None


def test_the_shipped_network_checks():
    network = load("minivgg", check=True)
    assert network.probe.by == "PyTorch 2.13.0, float64"
    assert [layer.ok for layer in probe.verify(network).layers] == [True] * 23


def test_the_largest_picture_fits_in_some_ten_thousand_bytes(tmp_path):
    network = Network("n", [("c", Conv(4, 3))], (299, 299, 3)).initialize(0)
    hdf5.save(network, tmp_path / "a.h5")
    network.probe = probe.make(network, "minicnn")
    hdf5.save(network, tmp_path / "b.h5")
    assert (tmp_path / "b.h5").stat().st_size - (tmp_path / "a.h5").stat().st_size < 25_000
