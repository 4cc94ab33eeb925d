"""The project's own weight file: what goes in comes out; what is wrong is refused by name."""

import json
import subprocess
import sys

import h5py
import nets
import numpy as np
import pytest

from minicnn.files import hdf5, probe
from minicnn.files.errors import WeightsError
from minicnn.images import Preprocessing
from minicnn.network import Network
from minicnn.network.layers import (
    LRN,
    Add,
    Concat,
    Conv,
    Dense,
    Dropout,
    Layer,
    MaxPool,
    ReLU,
    Softmax,
)


def handmade(preprocessing=None, labels=None, about=None):
    """Few weights, many kinds of settings, paths within paths."""
    inner = nets.joined("in", "norm", [("in/pool", MaxPool(3, 1, pad=1, rounding="ceil"))], [])
    return nets.trained(Network("handmade", [
        ("conv/1", Conv(4, (3, 2), stride=(2, 1), pad=(1, 0), groups=1, bias=False)),
        ("norm", LRN(3, alpha=0.5, beta=0.6, k=2.0, convention="paper")),
        ("a", Conv(2, 1)), ("relu", ReLU()), *inner,
        ("out", Concat(), ["relu", "in"]), ("sum", Add(), ["out", "out"]),
        ("drop", Dropout(0.25)),
        ("fc", Dense(3)),
        ("prob", Softmax()),
    ], (5, 4, 3), preprocessing, labels, about), dtype=np.float32)


def mean_image():
    return np.random.default_rng(3).uniform(0, 255, (8, 6, 3)).astype(np.float32)


@pytest.fixture
def saved(tmp_path):
    """A good file, for tests to spoil."""
    path = tmp_path / "net.h5"
    hdf5.save(handmade(Preprocessing((5, 4), "BGR", (1, 2, 3), 0.5)), path)
    return path


def spoiled(path, change):
    """The file after change(open file); returns its path."""
    with h5py.File(path, "r+") as file:
        change(file)
    return path


def with_layers(path, layers):
    return spoiled(path, lambda file: file.attrs.modify("layers", layers))


# ---- what goes in comes out

@pytest.mark.parametrize("preprocessing", [
    None,
    Preprocessing((5, 4), "BGR", (104.0, 117.0, 123.0), 1 / 64, None, "squash", "nearest"),
    Preprocessing((5, 4), "RGB", mean_image(), (0.1, 0.2, 0.3), resize_to=7),
], ids=["none", "pixel", "mean image"])
def test_round_trip(tmp_path, preprocessing):
    network = handmade(preprocessing, ["ä", "b, c", "d"], {"source": "drawn", "top1": 0.5})
    hdf5.save(network, tmp_path / "net.h5")
    again = hdf5.load(tmp_path / "net.h5")
    assert again.names == network.names and again.summary() == network.summary()
    for name in ("conv/1", "norm", "a", "in/pool", "drop", "fc"):
        assert again[name].settings() == network[name].settings()
    assert (again.name, again.input_shape, again.labels, again.about) == (
        "handmade", (5, 4, 3), network.labels, network.about)
    assert again.preprocessing == preprocessing
    for place, value in nets.parameters(network).items():
        np.testing.assert_array_equal(nets.parameters(again)[place], value, strict=True)
    x = nets.images(2, (5, 4, 3), dtype=np.float32)
    np.testing.assert_array_equal(again.forward(x).output, network.forward(x).output, strict=True)


def test_every_kind_of_layer_comes_back(tmp_path):
    network = nets.everything(dtype=np.float32)
    hdf5.save(network, tmp_path / "net.h5")
    x = nets.images(2, dtype=np.float32)
    np.testing.assert_array_equal(hdf5.load(tmp_path / "net.h5").forward(x).output,
                                  network.forward(x).output)


def test_labels_beyond_the_64_kb_of_an_ordinary_attribute(tmp_path):
    labels = [f"class {k}, " + "x" * 40_000 for k in range(3)]
    network = handmade(labels=labels, about={"note": "y" * 100_000})
    hdf5.save(network, tmp_path / "net.h5")
    again = hdf5.load(tmp_path / "net.h5")
    assert len(json.dumps(labels)) > 2**16
    assert again.labels == labels and again.about == network.about


@pytest.mark.parametrize("stored, loaded, rtol", [
    ("float16", np.float32, 2**-11),  # half a unit in its 11 bits
    ("float32", np.float32, 2**-24), ("float64", np.float64, 0)])
def test_storage_type(tmp_path, stored, loaded, rtol):
    network = handmade().astype(np.float64)
    hdf5.save(network, tmp_path / "net.h5", dtype=stored)
    with h5py.File(tmp_path / "net.h5") as file:
        assert file["fc/w"].dtype == stored
    for place, value in nets.parameters(hdf5.load(tmp_path / "net.h5")).items():
        assert value.dtype == loaded
        # atol: below 6e-5 float16 has steps of 6e-8
        np.testing.assert_allclose(value, nets.parameters(network)[place], rtol=rtol, atol=3e-8)


def test_float16_refuses_what_it_cannot_hold(tmp_path):
    network = handmade()
    network.params["fc"]["b"] = np.array([1, 7e4, 1], np.float32)
    with pytest.raises(WeightsError, match="fc"):
        hdf5.save(network, tmp_path / "net.h5", dtype="float16")
    assert not (tmp_path / "net.h5").exists()


def test_attributes_a_person_can_read(tmp_path):
    hdf5.save(handmade(Preprocessing((5, 4), "BGR", (1, 2, 3), 0.5)), tmp_path / "net.h5")
    with h5py.File(tmp_path / "net.h5") as file:
        attrs = dict(file.attrs)
    assert {key: attrs[key] for key in ("format", "version", "model", "channel_order",
                                        "resize_to", "resize_rule", "pooling_rounding",
                                        "lrn_convention")} == {
        "format": "minicnn", "version": 3, "model": "handmade", "channel_order": "BGR",
        "resize_to": 256, "resize_rule": "crop", "pooling_rounding": "ceil",
        "lrn_convention": "paper"}
    assert list(attrs["input_size"]) == [5, 4, 3] and list(attrs["mean"]) == [1, 2, 3]


# ---- saving is whole or not at all

def test_a_network_without_weights_is_not_saved(tmp_path):
    network = Network("empty", [("fc", Dense(2))], (2,))
    with pytest.raises(WeightsError, match="layer fc has no weights to save"):
        hdf5.save(network, tmp_path / "net.h5")
    assert list(tmp_path.iterdir()) == []


def test_a_layer_of_ones_own_is_not_saved(tmp_path):
    """It could not be loaded again; nor could one that takes the name of one of ours."""
    class Blur(Layer):
        """A layer of somebody's own."""

    mine = type("ReLU", (Layer,), {})
    for layer in (Blur(), mine()):
        network = Network("n", [("own", layer)], (2, 2, 3))
        with pytest.raises(WeightsError, match="layer own is of kind (Blur|ReLU), which a file"):
            hdf5.save(network, tmp_path / "net.h5")
    assert list(tmp_path.iterdir()) == []


def test_a_save_that_fails_midway_leaves_the_old_file(saved):
    before, network = saved.read_bytes(), handmade()
    network.params["fc"]["b"] = object()  # the last array written
    with pytest.raises(Exception):  # noqa: B017 (whatever it is, the file must not suffer)
        hdf5.save(network, saved)
    assert saved.read_bytes() == before and list(saved.parent.iterdir()) == [saved]


# ---- damaged files

@pytest.mark.parametrize("room", [0, 1000, 40_000])
def test_where_there_is_no_room_the_old_file_stays(tmp_path, room):
    """In a process of its own, which must not be killed by HDF5's library as it closes the file."""
    resource = pytest.importorskip("resource")
    path = tmp_path / "net.h5"
    path.write_bytes(b"old")
    program = ("import sys; from minicnn import models; from minicnn.files import hdf5\n"
               "network = models.lenet5().initialize()\n"
               "try: hdf5.save(network, sys.argv[1])\n"
               "except OSError as error: print(error)")
    run = subprocess.run([sys.executable, "-c", program, path], capture_output=True, text=True,
                         preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (room, room)))
    assert run.stderr == "" and run.returncode == 0
    assert str(path) in run.stdout and "too large" in run.stdout
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("labels", [["a"], list("abcd"), ["a", "b", 3]])
def test_class_names_that_are_not_one_for_each_output(saved, tmp_path, labels):
    with pytest.raises(WeightsError, match=f"{len(labels)} class names, and fc has 3 outputs"):
        hdf5.save(handmade(labels=labels), tmp_path / "net.h5")
    with h5py.File(saved, "a") as file:
        file.attrs["labels"] = json.dumps(labels)
    with pytest.raises(WeightsError, match=f"net.h5: .*{len(labels)} class names"):
        hdf5.load(saved)


def test_a_file_cut_anywhere_is_refused(saved, tmp_path):
    whole, cut = saved.read_bytes(), tmp_path / "cut.h5"
    for length in np.linspace(0, len(whole) - 1, 20).astype(int):
        cut.write_bytes(whole[:length])
        with pytest.raises(WeightsError, match="cut.h5"):
            hdf5.load(cut)


@pytest.mark.parametrize("signature", [b"OHDR", b"FRHP", b"BTHD", b"FHDB", b"BTLF"])
def test_damaged_headers_are_refused(saved, tmp_path, signature):
    """One changed byte behind each place where HDF5 keeps a check sum."""
    whole, bad, found = saved.read_bytes(), tmp_path / "bad.h5", 0
    assert signature in whole
    while (found := whole.find(signature, found + 1)) > 0:
        bad.write_bytes(whole[: found + 8] + bytes([whole[found + 8] ^ 1]) + whole[found + 9 :])
        with pytest.raises(WeightsError, match="bad.h5"):
            hdf5.load(bad)


def test_other_files_are_refused_in_one_line(tmp_path):
    text, other = tmp_path / "text.h5", tmp_path / "other.h5"
    text.write_text("not HDF5\n")
    h5py.File(other, "w").close()
    for path, message in [(text, "cannot be read as HDF5"), (other, "not a minicnn weight file"),
                          (tmp_path, str(tmp_path)), (tmp_path / "none.h5", "no such file")]:
        with pytest.raises(WeightsError, match=message) as error:
            hdf5.load(path)
        assert "\n" not in str(error.value)


# ---- arrays that do not fit

def replaced(name, value):
    def change(file):
        del file[name]
        if value is not None:
            file[name] = value
    return change


@pytest.mark.parametrize("change, message", [
    (replaced("fc/b", None), r"missing: fc/b \(3,\)"),
    (replaced("fc", None), r"missing: fc/w .*missing: fc/b"),
    (lambda file: file.create_dataset("fc/c", data=np.zeros(2)), r"unexpected: fc/c \(2,\)"),
    (lambda file: file.create_dataset("x", data=1.0), r"unexpected: x \(\)"),
    (replaced("fc/b", np.zeros((3, 1))), r"fc/b: expected shape \(3,\), got \(3, 1\)"),
    (replaced("fc/b", np.zeros(3, int)), "fc/b: expected floating point numbers, got int64"),
    (replaced("fc/b", np.zeros(3, complex)), "fc/b: expected floating point .* complex128"),
    (replaced("fc/b", "text"), "fc/b: expected floating point numbers"),
    (replaced("fc/b", np.array([0, np.nan, np.inf])),
     r"fc/b: 2 of its numbers are not finite, the first at \(1,\)"),
])
def test_arrays_that_do_not_fit_are_named(saved, change, message):
    with pytest.raises(WeightsError, match=f"net.h5: does not fit network handmade: .*{message}"):
        hdf5.load(spoiled(saved, change))


def test_all_faults_are_reported_together(saved):
    def change(file):
        replaced("conv/1/w", np.full((3, 2, 3, 4), np.nan))(file)
        replaced("a/w", None)(file)
        replaced("fc/b", np.zeros(4))(file)
        file["b/w"] = np.zeros(2)
    with pytest.raises(WeightsError) as error:
        hdf5.load(spoiled(saved, change))
    assert all(word in str(error.value) for word in (
        "missing: a/w", "unexpected: b/w", "conv/1/w: 72 of its numbers", "fc/b: expected shape"))


def test_of_many_faults_twelve_are_shown():
    network = Network("n", [(f"fc{i}", Dense(2)) for i in range(10)], (2,))
    with pytest.raises(WeightsError, match=r"fc5/b \(2,\); and 8 more$"):
        hdf5.put(network, {}, "here")


def test_nothing_is_put_where_anything_is_wrong():
    network = handmade()
    before = nets.parameters(network)
    with pytest.raises(WeightsError):
        hdf5.put(network, {place: 2 * a for place, a in before.items() if place != "a/b"}, "here")
    assert all(nets.parameters(network)[place] is a for place, a in before.items())


# ---- attributes that describe no network

@pytest.mark.parametrize("layers", [
    "not JSON", "7", "[7]", '[["a", "ReLU", {}]]', '[["a", "ReLU", {"slope": 1}, ["image"]]]',
    '[["a", "Layer", {}, ["image"]]]', '[["a", ["ReLU"], {}, ["image"]]]',
    '[["a", "Conv", {}, ["image"]]]', "[]",
    '[["a", "Conv", {"filters": 4, "kernel": 3, "groups": 0}, ["image"]]]',
    '[["a", "Conv", {"filters": "4", "kernel": 3}, ["image"]]]',
    '[["a", "Conv", {"filters": 4, "kernel": "3"}, ["image"]]]',
    '[["a", "Conv", {"filters": 4, "kernel": 3, "stride": 0}, ["image"]]]',
    '[["a", "Conv", {"filters": 4, "kernel": 3, "algorithm": "direct"}, ["image"]]]',
    '[["a", "Dense", {"units": -1}, ["image"]]]', '[["a", "Dense", {"units": null}, ["image"]]]',
    '[["a", "ReLU", {}, ["image"]], ["a", "ReLU", {}, ["a"]]]', '[[["a"], "ReLU", {}, ["image"]]]',
    '[["a", "ReLU", {}, ["b"]]]', '[["a", "ReLU", {}, []]]', '[["a", "ReLU", {}, 7]]',
    '[["a", "ReLU", {}, [["image"]]]]', '[["a", "Add", {}, ["image", "a"]]]',
    '[["a", "Concat", {}, []]]', '[["a", "Branches", [[]], ["image"]]]',
    "[" * 100_000,
])
def test_a_description_of_no_network_is_refused(saved, layers):
    with pytest.raises(WeightsError, match="net.h5"):
        hdf5.load(with_layers(saved, layers))


@pytest.mark.parametrize("kind", ["__import__", "os.system", "eval", "minicnn.network.layers.ReLU",
                                  "ReLU()", "exec('raise SystemExit')", "Network"])
def test_names_that_look_like_code_are_names(saved, kind, monkeypatch):
    called = []
    monkeypatch.setattr("os.system", lambda *_: called.append(kind))
    with pytest.raises(WeightsError, match="do not describe a network"):
        hdf5.load(with_layers(saved, json.dumps([["a", kind, {"command": "touch x"}, ["image"]]])))
    assert not called


@pytest.mark.parametrize("key, value, message", [
    ("version", 4, "the file has version 4, and this minicnn reads versions up to 3; update"),
    ("version", "new", ""), ("version", None, "version"), ("layers", None, "layers"),
    ("input_size", None, "input_size"), ("input_size", 5, ""), ("input_size", [5, 4], ""),
    ("labels", "[", ""), ("labels", "7", ""), ("about", "[1]", ""), ("model", None, "model"),
    ("mean", None, "mean"), ("mean", [1.0, 2.0], "mean"), ("scale", -1.0, "scale"),
    ("channel_order", "GBR", "order"),
])
def test_attributes_missing_or_wrong_are_refused(saved, key, value, message):
    def change(file):
        del file.attrs[key]
        if value is not None:
            file.attrs[key] = value
    with pytest.raises(WeightsError, match=f"net.h5: .*describe a network: .*{message}"):
        hdf5.load(spoiled(saved, change))


# ---- links: HDF5 can point elsewhere, a weight file may not

def link_fc_b(file, link):
    del file["fc/b"]
    file["fc/b"] = link


@pytest.mark.parametrize("soft", ["/a/b", "/fc/b", "/nowhere"], ids=["to", "loop", "broken"])
def test_a_soft_link_is_refused_even_to_the_right_numbers(saved, soft):
    path = spoiled(saved, lambda file: link_fc_b(file, h5py.SoftLink(soft)))
    with pytest.raises(WeightsError, match="net.h5: .*fc/b is a link to elsewhere"):
        hdf5.load(path)


@pytest.mark.parametrize("name", ["fc/b", "extra", "mean image"])
def test_another_file_is_never_opened(saved, name):
    """The other file holds the very numbers that are wanted, so only the refusal keeps them out."""
    other = saved.with_name("other.h5")
    with h5py.File(other, "w") as file:
        file["fc/b"] = np.zeros(3, np.float32)
        file["mean image"] = np.zeros((5, 4, 3), np.float32)

    def change(file):
        if name in file:
            del file[name]
        file[name] = h5py.ExternalLink(str(other), name if name != "extra" else "fc/b")
    with pytest.raises(WeightsError, match=f"{name} is a link to elsewhere"):
        hdf5.load(spoiled(saved, change))


def test_a_group_that_holds_itself_ends(saved):
    """A hard link from a group to one above it: a walk that follows it never ends."""
    def change(file):
        file["fc/again"] = file["fc"]
        file["conv/up"] = file["/"]
    network = hdf5.load(spoiled(saved, change))
    assert network.params["fc"]["b"].shape == (3,)


def test_numbers_kept_in_another_file_are_not_read(saved):
    (saved.parent / "raw").write_bytes(np.zeros(3, np.float32).tobytes())

    def change(file):
        del file["fc/b"]
        file.create_dataset("fc/b", (3,), np.float32, external=str(saved.parent / "raw"))
    with pytest.raises(WeightsError, match="fc/b keeps its numbers in another file"):
        hdf5.load(spoiled(saved, change))


def test_a_few_bytes_cannot_claim_terabytes(saved):
    def change(file):
        file.create_dataset("huge", (1 << 40,), np.float32, chunks=(1 << 20,), compression="gzip")
    with pytest.raises(WeightsError, match="arrays would take 4,39"):
        hdf5.load(spoiled(saved, change))


def test_saving_copies_no_array_that_is_right_already(tmp_path):
    """VGG-16's first dense layer has 411 MB."""
    value = np.ones(5, np.float32)
    assert hdf5._stored("fc/b", value, "float32") is value


# ---- the probe that goes with a network

def test_a_file_without_a_probe_is_as_it_was(saved):
    with h5py.File(saved) as file:
        assert file.attrs["version"] == 3 and "stored probe" not in file
    assert hdf5.load(saved).probe is None


@pytest.fixture
def probed(tmp_path):
    """A network with its probe, and where to save it."""
    network = handmade(Preprocessing((5, 4), "BGR", (1, 2, 3), 0.5))
    network.probe = probe.make(network, "minicnn")
    return network, tmp_path / "net.h5"


def test_a_probe_goes_with_its_network(probed):
    network, path = probed
    hdf5.save(network, path)
    again = hdf5.load(path)
    for name in ("by", "settings", "names", "weights"):
        assert getattr(again.probe, name) == getattr(network.probe, name)
    for name in ("picture", "fingerprints", "scores"):
        np.testing.assert_array_equal(getattr(again.probe, name), getattr(network.probe, name),
                                      strict=True)
    assert probe.verify(again).ok
    with h5py.File(path) as file:
        assert file.attrs["version"] == 3
    hdf5.save(again, path)
    assert hdf5.load(path).probe is not None


def train(network):
    network.params["fc"]["b"] = network.params["fc"]["b"] * np.float32(1.01)


@pytest.mark.parametrize("change", [
    train,
    lambda network: nets.change(network, "norm", alpha=0.6),
    lambda network: setattr(network, "preprocessing", None),
    lambda network: setattr(network, "preprocessing", Preprocessing((5, 4), "RGB", (1, 2, 3), 0.5)),
], ids=["trained", "setting", "unprepared", "order"])
def test_a_stale_probe_does_not(probed, change):
    network, path = probed
    change(network)
    hdf5.save(network, path)
    assert hdf5.load(path).probe is None


def test_float16_keeps_a_probe_only_where_it_rounds_nothing(probed):
    network, path = probed
    hdf5.save(network, path, "float16")
    again = hdf5.load(path)
    assert again.probe is None
    again.probe = probe.make(again, "minicnn")
    hdf5.save(again, path, "float16")
    assert probe.verify(hdf5.load(path)).ok


def test_float64_in_memory_and_float32_in_the_file_are_the_same_to_a_probe(probed):
    network, path = probed
    hdf5.save(network.astype(np.float64), path)
    assert probe.verify(hdf5.load(path)).ok


def test_a_network_saves_itself_and_arguments_in_the_other_order_are_told(tmp_path):
    network = nets.trained(nets.empty(), dtype=np.float32)
    network.save(tmp_path / "n.h5")
    assert hdf5.load(tmp_path / "n.h5").names == network.names
    with pytest.raises(TypeError, match=r"save\(network, path\), got str and Network"):
        hdf5.save("n.h5", network)
