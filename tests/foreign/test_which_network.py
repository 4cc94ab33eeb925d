"""Which network a file's weights fit: by its own layers, by names, by order; and where it ends."""

import sys

import numpy as np
import pytest
from keras_files import keras2_file

from minicnn import models
from minicnn.files.errors import WeightsError
from minicnn.foreign import matconvnet
from minicnn.foreign.contents import Foreign
from minicnn.foreign.convert import convert
from minicnn.foreign.which_network import cut_after
from minicnn.images import Preprocessing


def test_why_the_layers_a_file_describes_are_not_taken(tmp_path):
    arrays = {"c": {"kernel": np.ones((3, 3, 3, 4)), "bias": np.zeros(4)}}
    config = {"class_name": "Sequential", "config": {"name": "mine", "layers": [
        {"class_name": "Conv2D", "config": {"name": "c", "batch_input_shape": [None, 8, 8, 3],
                                            "filters": 4, "kernel_size": [3, 3],
                                            "activation": "gelu"}}]}}
    why = "Its architecture is not read: layer 'c' .Conv2D.: its activation is 'gelu'"
    for model in (None, "vgg16"):
        with pytest.raises(WeightsError, match=why):
            convert(keras2_file(tmp_path / "m.h5", arrays, config), model=model)
    with pytest.raises(WeightsError, match=r"or save the whole model in Keras \(model.save\)"):
        convert(keras2_file(tmp_path / "w.h5", arrays, None))


def test_a_whole_vgg_of_keras_is_prepared_for_as_keras_does(tmp_path):
    def kernel(name, filters):
        return {"class_name": "Conv2D", "config": {
            "name": name, "batch_input_shape": [None, 224, 224, 3], "filters": filters,
            "kernel_size": [3, 3], "padding": "same", "activation": "relu"}}

    arrays = {"block1_conv1": {"kernel": np.ones((3, 3, 3, 64), np.float32),
                               "bias": np.zeros(64, np.float32)}}
    config = {"class_name": "Sequential", "config": {"name": "vgg16", "layers": [
        kernel("block1_conv1", 64)]}}
    network, table = convert(keras2_file(tmp_path / "m.h5", arrays, config))
    assert network.names == ["block1_conv1", "block1_conv1_relu"]
    assert network.preprocessing.rule == "squash" and network.preprocessing.order == "BGR"
    assert any("Its layers are those of Keras' vgg16" in note for note in table.notes)


def test_a_network_can_be_cut_after_a_whole_block():
    """Keras' inception_v3 without its top ends inside mixed10, with the block's last weights."""
    cut = cut_after(models.inception_v3(), "mixed10/bn_pool_proj", "file")
    assert cut.names == models.inception_v3(top=False).names
    assert cut_after(models.squeezenet11(), "fire9/expand3x3", "file").names[-1] == "fire9/concat"
    with pytest.raises(WeightsError, match="end at mixed10/3x3dbl_reduce, inside a block"):
        cut_after(models.inception_v3(), "mixed10/3x3dbl_reduce", "file")


def test_a_model_that_is_named_goes_before_the_file_s_own_layers(shared_data, tmp_path):
    path = shared_data / "weights" / "foreign" / "lenet_mnist.caffemodel"
    with pytest.raises(WeightsError, match="none of its layers is one of network minivgg|fit"):
        convert(path, model="minivgg")


@pytest.mark.parametrize("kind, order, mean", [
    (matconvnet.KIND, "RGB", (123.68, 116.779, 103.939)),
    ("something else", "BGR", (103.939, 116.779, 123.68))])
def test_matconvnet_s_first_kernels_read_red_first(kind, order, mean, tmp_path, monkeypatch):
    """Where such a file does not say how photos are prepared, it is a model's way, turned round."""
    held = {"conv1_1/0": np.ones((3, 3, 3, 64), np.float32), "conv1_1/1": np.ones(64, np.float32)}
    monkeypatch.setattr(sys.modules["minicnn.foreign.convert"], "read",
                        lambda *_: Foreign(kind, held, "HWIO"))
    (tmp_path / "m.mat").write_bytes(b"")
    network, table = convert(tmp_path / "m.mat", model="vgg16")
    assert (network.preprocessing.order, network.preprocessing.mean) == (order, mean)
    assert "It does not say how photos are prepared; they are prepared as for vgg16." in table.notes


def test_what_a_file_says_of_its_photos_goes_before_the_model_s_way(tmp_path, monkeypatch):
    said = Preprocessing((224, 224), "RGB", 100)
    held = {"conv1_1/0": np.ones((3, 3, 3, 64), np.float32), "conv1_1/1": np.ones(64, np.float32)}
    monkeypatch.setattr(sys.modules["minicnn.foreign.convert"], "read",
                        lambda *_: Foreign("a kind", held, "HWIO", preprocessing=said))
    (tmp_path / "m.mat").write_bytes(b"")
    assert convert(tmp_path / "m.mat", model="vgg16")[0].preprocessing == said
