"""`load`: by name, from our own form, from converters' files; and what it refuses."""

import hashlib
import json

import h5py
import nets
import numpy as np
import pytest

from minicnn import models
from minicnn.files import cache, hdf5
from minicnn.files.errors import WeightsError
from minicnn.foreign import load as pretrained
from minicnn.network.layers import ReLU

FOREIGN = {  # file: model, last layer, layers with weights, parameters
    "googlenet_bvlc.h5": ("googlenet", "prob", 58, 6_998_552),
    "squeezenet11.h5": ("squeezenet11", "prob", 26, 1_235_496),
    "vgg19_norm_to_conv4_1.h5": ("vgg19", "relu4_1", 9, 3_505_728),
    "vgg16_blocks12.h5": ("vgg16", "relu2_2", 4, 260_160),
}


def write_foreign(path, network, names=None, source=None):
    """A network's weights as a converter of Caffe models would write them."""
    names = names or list(network.param_shapes)
    with h5py.File(path, "w") as file:
        file.attrs.update({"layers": json.dumps(names), "layout": "OIHW",
                           "source": source or network.name, "input": ""})
        for name in names:
            w, source = network.params[name]["w"], network.shapes[before(network, name)]
            if w.ndim == 2:
                h, width, c = source if len(source) == 3 else (1, 1, *source)
                w = w.reshape(h, width, c, -1)  # H*W*C,O -> H,W,C,O
            file[f"{name}/weight"] = w.transpose(3, 2, 0, 1)  # H,W,C,O -> O,C,H,W
            file[f"{name}/bias"] = network.params[name]["b"]
    return path


def before(network, name):
    """The layer whose output a layer of a network without branches reads, Flatten undone."""
    names = [n for n in network.names[: network.names.index(name)] if "flatten" not in n]
    return names[-1] if names else name


def lenet(seed=0):
    return nets.trained(models.lenet5(), seed, np.float32)


# ---- our own form, and names

def test_our_own_form_by_path(tmp_path):
    network = nets.everything(dtype=np.float32)
    hdf5.save(network, tmp_path / "mine.h5")
    for path in (tmp_path / "mine.h5", str(tmp_path / "mine.h5")):
        assert pretrained.load(path).names == network.names


def test_a_shipped_network_by_name(tmp_path, monkeypatch):
    """Names go before files, and shipped folders are looked through in order."""
    monkeypatch.setattr(pretrained, "SHIPPED", (tmp_path / "none", tmp_path / "two"))
    (tmp_path / "two").mkdir()
    hdf5.save(lenet(), tmp_path / "two" / "small.h5")
    assert pretrained.shipped() == ["small"] and pretrained.load("small").name == "lenet5"
    with pytest.raises(WeightsError, match=r"large: neither a shipped network \(small\) nor"):
        pretrained.load("large")


@pytest.mark.parametrize("name, words", [
    ("googlenet_bvlc.h5", "`minicnn fetch googlenet` downloads one; then it is --weights "
                          "googlenet"),
    ("vgg16_keras.h5", "`minicnn fetch vgg16_keras` downloads one"),
    ("minivg", "did you mean minivgg?"), ("xyz", "`minicnn fetch --list` shows networks")])
def test_a_network_that_is_not_there_comes_with_a_remedy(name, words, tmp_path, monkeypatch):
    monkeypatch.setenv("MINICNN_CACHE", str(tmp_path))
    with pytest.raises(WeightsError) as error:
        pretrained.load(name)
    assert words in str(error.value)


def test_a_fetched_network_is_named_where_a_name_is_nearly_its(tmp_path, monkeypatch):
    monkeypatch.setenv("MINICNN_CACHE", str(tmp_path))
    place = cache.place("bvlc_googlenet")
    place.parent.mkdir(parents=True, exist_ok=True)
    place.touch()
    with pytest.raises(WeightsError, match=r"did you mean googlenet\?"):
        pretrained.load("googlenet_bvlc.h5")


def test_minivgg_is_shipped_whole_and_says_how_good_it_is():
    network = pretrained.load("minivgg")
    assert network.names == models.minivgg().names and len(network.labels) == 100
    assert 0.3 < network.about["validation_top1"] < network.about["validation_top5"] < 1
    assert network.preprocessing == models.minivgg().preprocessing


# ---- converters' files

def test_a_foreign_file_computes_what_the_network_did(tmp_path):
    """Also through a dense layer after an image: weights that C,H,W order flattened."""
    for network in (lenet(), nets.trained(models.lecture_mnist(), dtype=np.float32)):
        path = write_foreign(tmp_path / "f.h5", network)
        again, x = pretrained.load(path), nets.images(2, network.input_shape, dtype=np.float32)
        np.testing.assert_array_equal(again.forward(x).output, network.forward(x).output)
        assert again.preprocessing == network.preprocessing


def test_the_model_can_be_named(tmp_path):
    path = write_foreign(tmp_path / "f.h5", lenet(), source="something else")
    with pytest.raises(WeightsError, match=r"\(something else\) fit is not known; name one as "
                                           r"model \(--model\): alexnet_caffe"):
        pretrained.load(path)
    with pytest.raises(WeightsError, match="name one as model"):
        pretrained.load(path, model="load")
    assert pretrained.load(path, model="lenet5").name == "lenet5"


def test_where_it_came_from_is_kept(tmp_path):
    path = write_foreign(tmp_path / "f.h5", lenet(), source="lenet5 of someone")
    assert pretrained.load(path).about == {
        "source": "lenet5 of someone", "source_format": "HDF5 of a Caffe model",
        "source_sha256": hashlib.sha256(path.read_bytes()).hexdigest()}


def test_a_partial_file_is_cut_after_its_last_layer_and_relu(tmp_path):
    network = nets.trained(models.lecture_mnist(), dtype=np.float32)
    path = write_foreign(tmp_path / "f.h5", network, ["conv2d_1", "conv2d_2"])
    assert pretrained.load(path).names[-1] == "relu_2"
    path = write_foreign(tmp_path / "g.h5", lenet(), ["c1", "c3"])
    assert pretrained.load(path).names[-1] == "c3"  # a tanh is not part of it


def test_a_partial_file_may_end_in_the_first_of_several_paths(tmp_path):
    network = models.squeezenet11().until("fire2/concat").initialize()
    path = write_foreign(tmp_path / "f.h5", network,
                         ["conv1", "fire2/squeeze1x1", "fire2/expand1x1"])
    assert pretrained.load(path).names[-1] == "fire2/relu_expand1x1"


def test_a_partial_file_that_ends_within_a_later_path_is_refused_in_one_line(tmp_path):
    network = models.googlenet().until("inception_3a/output").initialize()
    path = write_foreign(tmp_path / "f.h5", network, [
        "conv1/7x7_s2", "conv2/3x3_reduce", "conv2/3x3", "inception_3a/1x1",
        "inception_3a/3x3_reduce"])
    with pytest.raises(WeightsError, match="f.h5: .* end at inception_3a/3x3_reduce, inside a blo"):
        pretrained.load(path)


def test_arrays_that_do_not_fit_are_named(tmp_path):
    path = write_foreign(tmp_path / "f.h5", lenet())
    with h5py.File(path, "r+") as file:
        del file["c3/bias"]
        file["c3/bias"] = np.full(16, np.nan, np.float32)
        del file["f6/bias"]
        file["f6/bias"] = np.zeros(7, np.float32)
    with pytest.raises(WeightsError, match="f.h5: does not fit network lenet5: .*c3/b: 16 of its.*"
                                           "f6/b: expected shape"):
        pretrained.load(path)


def test_layers_of_another_network_are_refused(tmp_path):
    path = write_foreign(tmp_path / "f.h5", lenet())
    with pytest.raises(WeightsError, match="fit network vgg16 neither by name nor in their order"):
        pretrained.load(path, model="vgg16")


# ---- labels

def test_labels_beside_the_file_or_named(tmp_path):
    path = write_foreign(tmp_path / "f.h5", lenet())
    assert pretrained.load(path).labels is None
    (tmp_path / "synset_words.txt").write_text(
        "".join(f"n{k:08} digit {k}\n" for k in range(10)), "utf-8")
    assert pretrained.load(path).labels == [f"digit {k}" for k in range(10)]
    own = tmp_path / "own.txt"
    own.write_text("\n".join("abcdefghij"), "utf-8")
    assert pretrained.load(path, label_file=own).label(2) == "c"
    own.write_text("a\nb\n", "utf-8")
    with pytest.raises(ValueError, match="own.txt: expected 10 class names.* of output, got 2"):
        pretrained.load(path, label_file=own)


# ---- what is no weight file

def test_what_is_no_weight_file_gets_one_line(tmp_path):
    text, empty = tmp_path / "text.h5", tmp_path / "empty.h5"
    text.write_text("not HDF5")
    h5py.File(empty, "w").close()
    for path, message in [(text, "cannot be read as HDF5"), (tmp_path, str(tmp_path)),
                          (empty, "neither minicnn's own form nor that of a Caffe converter"),
                          (tmp_path / "none.h5", "neither a shipped network .* nor a file")]:
        with pytest.raises(WeightsError, match=message) as error:
            pretrained.load(path)
        assert "\n" not in str(error.value)


def test_a_folder_is_called_a_folder(tmp_path):
    with pytest.raises(WeightsError, match="folder"):
        pretrained.load(tmp_path)


# ---- the real files

@pytest.mark.parametrize("name", FOREIGN)
def test_real_files(shared_data, name):
    model, last, layers, count = FOREIGN[name]
    network = pretrained.load(shared_data / "weights" / name)
    assert (network.name, network.names[-1], len(network.param_shapes), network.count()) == (
        model, last, layers, count)
    assert network.names == getattr(models, model)().names[: len(network.names)]
    assert all(network.params[n][key].shape == shape and network.params[n][key].dtype == np.float32
               for n, shapes in network.param_shapes.items() for key, shape in shapes.items())
    if last == "prob":
        assert network.label(0) == "tench, Tinca tinca" and len(network.labels) == 1000
    else:
        assert network.labels is None and isinstance(network.rows[-1].layer, ReLU)


def test_a_real_file_saved_in_our_form_comes_back(shared_data, tmp_path):
    network = pretrained.load(shared_data / "weights" / "squeezenet11.h5")
    hdf5.save(network, tmp_path / "net.h5")
    again = pretrained.load(tmp_path / "net.h5")
    assert again.labels == network.labels and again.about == network.about
    for place, value in nets.parameters(network).items():
        np.testing.assert_array_equal(nets.parameters(again)[place], value, strict=True)
