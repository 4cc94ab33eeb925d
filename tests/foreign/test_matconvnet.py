"""MatConvNet's files, new and old, with whatever order their fields are in."""

import io

import numpy as np
import pytest
from fuzz import matconvnet as fuzz
from fuzz import runner
from mat_files import file, normal
from mat_files import small as net

from minicnn import models
from minicnn.files.errors import WeightsError
from minicnn.foreign import matconvnet
from minicnn.foreign.convert import convert
from minicnn.images import Preprocessing
from minicnn.network.layers import Conv, Dense, Dropout


def write(folder, held, name="net.mat", **options):
    """Of a file that is read the arrays are views: another one has another name."""
    path = folder / name
    path.write_bytes(file(held, **options))
    assert matconvnet.recognises(path)
    return path


@pytest.mark.parametrize("compressed", [False, True])
def test_a_network_with_all_it_says(tmp_path, compressed):
    found = matconvnet.read(write(tmp_path, net(), compressed=compressed))
    assert [name for name, _ in found.layers] == ["conv1", "relu1", "norm1", "pool1", "fc", "prob"]
    layers = dict(found.layers)
    assert layers["pool1"].rounding == "ceil" and layers["norm1"].alpha == 1e-4
    assert isinstance(layers["fc"], Dense)
    np.testing.assert_array_equal(found.arrays["conv1/0"], normal(3, 3, 3, 4), strict=True)
    np.testing.assert_array_equal(found.arrays["conv1/1"], normal(4, seed=1), strict=True)
    np.testing.assert_array_equal(found.arrays["fc/0"], normal(4, 4, 4, 3).reshape(64, 3))
    assert found.layout == "HWIO" and found.input_shape == (8, 8, 3)
    assert found.preprocessing == Preprocessing(
        (8, 8), "RGB", (123.68, 116.779, 103.939), resize_to=10, resample="bilinear")
    assert found.labels == ["tench", "cat, tabby", "Käfer"]
    assert found.notes == ["Convolutions over the whole map became dense layers: fc."]


def same(one, other):
    assert [(name, type(layer), layer.settings()) for name, layer in one.layers] == [
        (name, type(layer), layer.settings()) for name, layer in other.layers]
    assert list(one.arrays) == list(other.arrays)
    for name, array in one.arrays.items():
        np.testing.assert_array_equal(array, other.arrays[name], strict=True)
    assert (one.input_shape, one.preprocessing, one.labels) == (
        other.input_shape, other.preprocessing, other.labels)


def old(held):
    """As beta versions wrote it: filters and biases, no meta, imported names."""
    layers = [record if record["type"] != "conv" else
              {"filters": record["weights"][0], "biases": record["weights"][1]} |
              {key: value for key, value in record.items() if key != "weights"}
              for record in held["layers"]]
    return {"layers": layers} | held["meta"]


@pytest.mark.parametrize("change", [
    old,
    lambda held: {"net": held},
    lambda held: {"meta": held["meta"], "layers": [
        dict(reversed(record.items())) for record in held["layers"]]},
], ids=["old", "in a net", "fields turned round"])
def test_every_form_is_the_same_network(tmp_path, change):
    expected = matconvnet.read(write(tmp_path, net()))
    same(matconvnet.read(write(tmp_path, change(net()), "changed.mat")), expected)


def test_scipys_writing_of_it(tmp_path):
    """An independent writer of the form."""
    scipy_io = pytest.importorskip("scipy.io")

    def cells(value):
        if isinstance(value, dict):
            return {key: cells(one) for key, one in value.items()}
        if isinstance(value, list):
            cell = np.empty((1, len(value)), object)
            cell[0, :] = [cells(one) for one in value]
            return cell
        return value

    for compressed in (False, True):
        stream = io.BytesIO()
        scipy_io.savemat(stream, cells(net()), do_compression=compressed)
        (tmp_path / "scipy.mat").write_bytes(stream.getvalue())
        same(matconvnet.read(tmp_path / "scipy.mat"), matconvnet.read(write(tmp_path, net())))


# ---- well-known networks

def settings(layers):
    for name, layer in layers:
        found = layer.settings()
        if found.get("stride") == 1:
            found.pop("rounding", None)  # of one step both are the same
        yield name, type(layer), found


def records(network, rounding_up):
    """A network of ours as MatConvNet's records, with weights of zeros that take no room."""
    for name, layer, _ in network.rows:
        shape, kind = network.input_shapes[name], type(layer).__name__
        if isinstance(layer, (Conv, Dense)):
            dense = isinstance(layer, Dense)
            kernel = (shape if len(shape) == 3 else (1, 1, *shape)) if dense else (
                layer.kernel, layer.kernel, shape[2] // layer.groups)
            filters = layer.units if dense else layer.filters
            pads = np.full((1, 4), 0 if dense else layer.pad, float)
            yield {"type": "conv", "name": name, "stride": np.array([[1.0 if dense else
                                                                      layer.stride]]),
                   "pad": pads, "weights": [np.broadcast_to(np.float32(0), (*kernel, filters)),
                                            np.zeros((1, filters), np.float32)]}
        elif kind == "MaxPool":
            end = float(layer.stride - 1) if rounding_up else 0.0
            yield {"type": "pool", "name": name, "pad": np.array([[0, end, 0, end]]),
                   "pool": np.array([[layer.window]]), "stride": np.array([[layer.stride]])}
        elif kind == "LRN":
            yield {"type": "normalize", "name": name, "param": np.array([[
                layer.size, layer.k, layer.alpha / layer.size, layer.beta]])}
        elif kind != "Dropout":  # MatConvNet's files leave it out
            yield {"type": kind.lower(), "name": name}


@pytest.mark.parametrize("network, rounding_up", [
    (models.alexnet_caffe(), True), (models.caffenet(), True), (models.vgg16(), False)],
    ids=["caffe-alex", "caffe-ref", "vgg-verydeep-16"])
def test_well_known_networks_layer_for_layer(network, rounding_up):
    held = {"layers": list(records(network, rounding_up)),
            "normalization": {"imageSize": np.array([network.input_shape])}}
    found = matconvnet._foreign(held)
    expected = [(name, layer) for name, layer, _ in network.rows if not isinstance(layer, Dropout)]
    assert list(settings(found.layers)) == list(settings(expected))


# ---- preprocessing and labels

def changed(tmp_path, **normalization):
    held = net()
    held["meta"]["normalization"] |= normalization
    return matconvnet.read(write(tmp_path, held))


def test_mean_images_and_single_means(tmp_path):
    image = normal(8, 8, 3) + 100
    found = changed(tmp_path, averageImage=image).preprocessing
    np.testing.assert_array_equal(found.mean, image)
    assert changed(tmp_path, averageImage=np.float32([[120]])).preprocessing.mean == (120,) * 3


def test_framing(tmp_path):
    assert changed(tmp_path, cropSize=np.array([[0.5]])).preprocessing.resize_to == 16
    assert changed(tmp_path, border=np.array([[0.0, 0]])).preprocessing.resize_to is None
    assert changed(tmp_path, keepAspect=np.array([[0.0]])).preprocessing.rule == "squash"
    assert changed(tmp_path, interpolation="lanczos3").preprocessing.resample == "bicubic"


@pytest.mark.parametrize("normalization, note", [
    ({"averageImage": np.ones((2, 2, 3))}, "a mean image is"),
    ({"averageImage": np.array([[[0.4, 0.5, 0.6]]])}, "looks made for pixels in 0..1"),
    ({"imageStd": np.ones((1, 3))}, "it has an imageStd"),
])
def test_means_that_cannot_be_used_are_noted(tmp_path, normalization, note):
    found = changed(tmp_path, **normalization)
    assert found.preprocessing is None and note in found.notes[-1]


def test_no_mean_no_preprocessing(tmp_path):
    assert changed(tmp_path, averageImage=[]).preprocessing is None


def test_labels_that_are_too_few_are_left_out(tmp_path):
    held = net()
    held["meta"]["classes"]["description"] = ["one", "two"]
    network, table = convert(write(tmp_path, held), probe="none")
    assert network.labels is None
    assert any("names 2 classes, but the network has 3 outputs" in note for note in table.notes)
    del held["meta"]["classes"]["description"]
    assert matconvnet.read(write(tmp_path, held)).labels == ["n1", "n2", "n3"]


def test_without_a_size_the_arrays_are_as_they_lie(tmp_path):
    found = changed(tmp_path, imageSize=[])
    assert found.layers is None and found.input_shape is None
    assert {name: array.shape for name, array in found.arrays.items()} == {
        "conv1/0": (3, 3, 3, 4), "conv1/1": (1, 4), "fc/0": (4, 4, 4, 3), "fc/1": (1, 3)}


def test_the_size_may_stand_in_meta(tmp_path):
    for size in (np.array([[8.0, 8, 3, 10]]), ["input", np.array([[8.0, 8, 3, 10]])]):
        held = net()
        del held["meta"]["normalization"]
        held["meta"]["inputSize"] = size
        assert matconvnet.read(write(tmp_path, held)).input_shape == (8, 8, 3)


# ---- what is no such file

@pytest.mark.parametrize("held, message", [
    ({"x": "y"}, "there is no cell 'layers' in it"),
    ({"layers": []}, "there is no cell 'layers' in it"),
    ({"layers": "conv"}, "there is no cell 'layers' in it"),
    ({"layers": ["conv"]}, "layer 1 is not a structure"),
    ({"layers": [], "params": [], "vars": []}, "it is a DagNN file"),
    (net() | {"layers": [{"type": "bnorm", "name": "bn"}]}, "layer 'bn': type 'bnorm' is not"),
    (net() | {"meta": {"normalization": {"imageSize": np.array([[0.5, 8, 3]])}}}, "imageSize"),
])
def test_files_that_are_wrong_give_one_line(tmp_path, held, message):
    with pytest.raises(WeightsError, match=f"net.mat: cannot be read as .*{message}") as error:
        matconvnet.read(write(tmp_path, held))
    assert "\n" not in str(error.value)


def test_v73_is_refused_clearly(tmp_path):
    path = tmp_path / "new.mat"
    path.write_bytes(b"MATLAB 7.3 MAT-file, Platform: x".ljust(512) + b"\x89HDF")
    assert matconvnet.recognises(path)
    with pytest.raises(WeightsError, match="new.mat: .*saved with -v7.3.*again with -v7$"):
        matconvnet.read(path)


@pytest.mark.parametrize("data", [b"", b"MATLAB", b"\x89HDF\r\n\x1a\n" + bytes(100), b"{}"])
def test_it_recognises_its_files_only(tmp_path, data):
    (tmp_path / "f").write_bytes(data)
    assert not matconvnet.recognises(tmp_path / "f")
    assert not matconvnet.recognises(tmp_path) and not matconvnet.recognises(tmp_path / "none")


@pytest.mark.parametrize("compressed", [False, True])
def test_a_file_cut_at_every_percent_is_refused_or_says_what_is_missing(tmp_path, compressed):
    whole, path = file(net(), compressed), tmp_path / "cut.mat"
    for percent in range(100):
        path.write_bytes(whole[:len(whole) * percent // 100])
        try:
            found = matconvnet.read(path)
        except WeightsError as error:
            assert "cut.mat" in str(error)
        else:
            assert found.layers is None  # the layers are whole, what is said of the images is not


def test_spoiled_files_are_read_or_refused():
    """The first of the files that `python tests/fuzz/matconvnet.py` tries by the thousand."""
    outcome = runner.run(fuzz.read, fuzz.seeds, 200, seed=1)
    assert outcome["read"] and outcome["refused"]
