"""Caffe's weight files: those that Caffe itself wrote, and each of its older forms."""

import numpy as np
import pytest
from caffe_files import (
    blob,
    encode,
    layer,
    legacy_blob,
    normal,
    small,
    v0,
    v1,
    without_norm,
)
from fuzz import caffe as fuzz
from fuzz import caffe_mean as fuzz_mean
from fuzz import runner

from minicnn.files.errors import WeightsError
from minicnn.foreign import caffe
from minicnn.foreign.caffe_schema import BLOB
from minicnn.network import Network
from minicnn.network.layers import BatchNorm, Dense


def write(folder, message, packed=True, name="net.caffemodel"):
    path = folder / name
    path.write_bytes(encode(message, packed=packed))
    assert caffe.recognises(path)
    return path


def network(found):
    """The network that a file describes, with its arrays turned into our layout."""
    made = Network("caffe", found.layers, found.input_shape, found.preprocessing)
    for name in made.param_shapes:
        own = {key: found.arrays[f"{name}/{key}"] for key in made.param_shapes[name]} \
            if isinstance(made[name], BatchNorm) else {
                "w": turned(found.arrays[f"{name}/0"], made[name], made.input_shapes[name]),
                "b": found.arrays[f"{name}/1"]}
        made.params[name] = {key: np.ascontiguousarray(value, np.float32)
                             for key, value in own.items()}
    return made


def turned(w, layer, shape):
    if isinstance(layer, Dense) and len(shape) == 3:
        height, width, channels = shape
        w = w.reshape(-1, channels, height, width).transpose(2, 3, 1, 0)  # O,CHW -> H,W,C,O
        return w.reshape(-1, w.shape[-1])  # H,W,C,O -> HWC,O
    return w.T if w.ndim == 2 else w.transpose(2, 3, 1, 0)  # O,C,KH,KW -> KH,KW,C,O


# ---- files that Caffe wrote

@pytest.fixture
def foreign(shared_data):
    return shared_data / "weights" / "foreign"


def test_lenet_as_caffe_trained_it(foreign):
    found = caffe.read(foreign / "lenet_mnist.caffemodel")
    assert [row[0] for row in found.layers] == [
        "conv1", "pool1", "conv2", "pool2", "ip1", "relu1", "ip2", "prob"]
    assert {name: array.shape for name, array in found.arrays.items()} == {
        "conv1/0": (20, 1, 5, 5), "conv1/1": (20,), "conv2/0": (50, 20, 5, 5), "conv2/1": (50,),
        "ip1/0": (500, 800), "ip1/1": (500,), "ip2/0": (10, 500), "ip2/1": (10,)}
    assert found.format == "Caffe model (current layers)" and found.says == {"network": "LeNet"}
    assert found.input_shape == (28, 28, 1) and "28 x 28 is assumed" in found.notes[0]
    assert found.preprocessing.order == "L" and found.preprocessing.scale == (1 / 256,)


def enlarged(pixels):
    """8 x 8 digits as MNIST has them: 20 pixels wide in the middle of 28, white on black."""
    from PIL import Image

    large = np.zeros((len(pixels), 28, 28, 1), np.uint8)
    for canvas, digit in zip(large, pixels, strict=True):
        grey = Image.fromarray((digit * 255 / 16).astype(np.uint8))
        canvas[4:24, 4:24, 0] = np.asarray(grey.resize((20, 20), Image.Resampling.BICUBIC))
    return large


def test_lenet_reads_digits(foreign):
    """Digits of another collection, enlarged from 8 x 8: 88.8 % of 1,797 were right. With the
    first dense layer's inputs in our order instead of Caffe's 11 % are, with turned kernels 8 %."""
    digits = pytest.importorskip("sklearn.datasets").load_digits()
    found = caffe.read(foreign / "lenet_mnist.caffemodel")
    x = enlarged(digits.images).astype(np.float32) * np.float32(found.preprocessing.scale[0])
    guessed = network(found).probabilities(x).argmax(axis=1)
    assert (guessed == digits.target).mean() > 0.85


def test_cifar10_with_its_mean(foreign):
    mean = foreign / "cifar10_mean.binaryproto"
    image, pixel = caffe.read_mean(mean)
    assert image.shape == (32, 32, 3) and image.dtype == np.float32
    # the training set's published mean, 0.4914, 0.4822, 0.4465 of 255, red first
    np.testing.assert_allclose(pixel, np.array([0.4914, 0.4822, 0.4465]) * 255, atol=0.03)
    np.testing.assert_allclose(pixel, image.mean(axis=(0, 1)), rtol=1e-5)  # float32 sums
    found = caffe.read(foreign / "cifar10_quick.caffemodel", mean=mean)
    assert found.input_shape == (32, 32, 3) and found.preprocessing.order == "RGB"
    np.testing.assert_array_equal(found.preprocessing.mean, image)
    assert network(found).count() == 145_578
    alone = caffe.read(foreign / "cifar10_quick.caffemodel")
    assert alone.preprocessing is None and "was subtracted; give its" in alone.notes[-1]
    assert alone.input_shape == (32, 32, 3)


# ---- every form

@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("form", [blob, legacy_blob])
@pytest.mark.parametrize("version", ["current", "V1", "V0"])
def test_every_form_is_the_same_network(tmp_path, version, form, packed):
    message = without_norm(small(form))
    message = {"current": message, "V1": v1(message), "V0": v0(message)}[version]
    found = caffe.read(write(tmp_path, message, packed))
    expected = caffe.read(write(tmp_path, without_norm(small()), name="today.caffemodel"))
    assert found.format == f"Caffe model ({version} layers)"
    assert found.layers == expected.layers
    assert list(found.arrays) == list(expected.arrays) == [
        "conv1/0", "conv1/1", "fc/0", "fc/1"]
    for name, array in expected.arrays.items():
        np.testing.assert_array_equal(found.arrays[name], array, strict=True)
    assert found.input_shape == (8, 8, 3)


def test_doubles_stay_doubles(tmp_path):
    wide = np.arange(12.0).reshape(4, 3, 1, 1) / 7
    message = {"input": ["data"], "input_dim": [1, 3, 8, 8], "layer": [
        layer("conv1", "Convolution", "data",
              convolution_param=[{"num_output": [4], "kernel_size": [1], "bias_term": [0]}],
              blobs=[{"shape": [{"dim": [4, 3, 1, 1]}], "double_data": [wide]}])]}
    for packed in (True, False):
        found = caffe.read(write(tmp_path, message, packed))
        np.testing.assert_array_equal(found.arrays["conv1/0"], wide, strict=True)


def test_numbers_are_looked_at_in_place(tmp_path):
    for packed in (True, False):
        found = caffe.read(write(tmp_path, small(), packed))
        array = found.arrays["conv1/0"]
        assert not array.flags.owndata and not array.flags.writeable


def test_a_batch_norm_and_its_scale(tmp_path):
    found = caffe.read(write(tmp_path, small()))
    assert [row[0] for row in found.layers] == [
        "conv1", "bn1", "relu1", "pool1", "norm1", "fc", "prob"]
    np.testing.assert_array_equal(found.arrays["bn1/gamma"], normal(4, seed=4))
    np.testing.assert_array_equal(found.arrays["bn1/beta"], normal(4, seed=5))
    np.testing.assert_array_equal(found.arrays["bn1/mean"], normal(4, seed=2) / 2)
    np.testing.assert_array_equal(found.arrays["bn1/variance"], normal(4, seed=3) ** 2 / 2)


def test_the_whole_network_against_torch(tmp_path):
    """Caffe's formulas, one by one, in another framework."""
    torch = pytest.importorskip("torch")
    found = caffe.read(write(tmp_path, small()))
    x = normal(2, 8, 8, 3, seed=9)
    ours = network(found).probabilities(x)
    f, arrays = torch.nn.functional, {name: torch.tensor(np.array(array))
                                      for name, array in found.arrays.items()}
    y = torch.tensor(x.transpose(0, 3, 1, 2))
    y = f.conv2d(y, arrays["conv1/0"], arrays["conv1/1"], padding=1)
    y = f.batch_norm(y, arrays["bn1/mean"], arrays["bn1/variance"], arrays["bn1/gamma"],
                     arrays["bn1/beta"], eps=1e-5)
    y = f.max_pool2d(f.relu(y), 3, 2, ceil_mode=True)
    y = f.local_response_norm(y, 5, 1e-4, 0.75, 1)
    y = f.softmax(f.linear(y.flatten(1), arrays["fc/0"], arrays["fc/1"]), 1).numpy()
    np.testing.assert_allclose(ours, y, rtol=1e-4, atol=1e-7)  # both in float32


# ---- what the file does not say

def test_an_architecture_that_does_not_fit_leaves_the_arrays(tmp_path):
    message = small()
    message["layer"].append(layer("sum", "Eltwise", ["fc", "fc"]))
    found = caffe.read(write(tmp_path, message))
    assert found.layers is None and len(found.arrays) == 9
    assert found.notes == ["Its own architecture is not used: the network has several ends, "
                           "'loss' and 'sum'; one is expected."]


def test_the_size_may_be_unknown(tmp_path):
    message = small()
    del message["layer"][0]["transform_param"], message["layer"][-2:]
    found = caffe.read(write(tmp_path, message))
    assert found.layers and found.input_shape is None and found.preprocessing is None
    assert found.notes == ["The file does not give the size of its images."]


def test_a_description_beside_it_is_used_instead(tmp_path):
    """A user's own network: the weights of the same names, the rest from the text."""
    text = tmp_path / "net.prototxt"
    text.write_text("""
        input: "data" input_dim: 1 input_dim: 3 input_dim: 8 input_dim: 8
        layer { name: "conv1" type: "Convolution" bottom: "data" top: "conv1"
                convolution_param { num_output: 4 kernel_size: 3 pad: 1 } }
        layer { name: "pool9" type: "Pooling" bottom: "conv1" top: "pool9"
                pooling_param { pool: AVE kernel_size: 3 stride: 2 } }
        layer { name: "fc" type: "InnerProduct" bottom: "pool9" top: "fc"
                inner_product_param { num_output: 5 } }""")
    found = caffe.read(write(tmp_path, small()), described=text)
    assert [row[0] for row in found.layers] == ["conv1", "pool9", "fc"]
    assert list(found.arrays) == ["conv1/0", "conv1/1", "fc/0", "fc/1"]
    assert found.input_shape == (8, 8, 3)
    assert found.preprocessing.mean == (104, 117, 123)  # which only the model says
    assert "Left out" in found.notes[-1] and "'bn1', 'scale1'" in found.notes[-1]
    text.write_text('input: "data" layer { name: "e" type: "Eltwise" bottom: "data" top: "e" }')
    with pytest.raises(WeightsError, match="net.prototxt: .*'Eltwise'"):
        caffe.read(tmp_path / "net.caffemodel", described=text)


def test_grouped_convolutions_tell_their_channels(tmp_path):
    message = {"layer": [
        {"name": ["d"], "type": ["Data"], "top": ["data"],
         "transform_param": [{"crop_size": [6]}]},
        layer("conv1", "Convolution", "data", blobs=[blob(normal(4, 2, 3, 3)), blob(normal(4))],
              convolution_param=[{"num_output": [4], "kernel_size": [3], "group": [3]}])]}
    message["layer"][1]["convolution_param"][0] |= {"num_output": [6]}
    assert caffe.read(write(tmp_path, message)).input_shape == (6, 6, 6)


def test_a_trained_file_is_read_in_the_phase_it_was_written_in(tmp_path):
    """It holds what there was in training: a loss of the training only is its end."""
    message = small()
    for one in message["layer"]:
        one["phase"] = [0]
    message["layer"][-1]["include"] = [{"phase": [0]}]
    assert caffe.read(write(tmp_path, message)).layers[-1][0] == "prob"


def test_a_network_that_begins_with_a_dense_layer(tmp_path):
    message = {"layer": [
        {"name": ["d"], "type": ["Data"], "top": ["data"], "transform_param": [{"crop_size": [4]}]},
        layer("fc", "InnerProduct", "data", inner_product_param=[{"num_output": [5]}],
              blobs=[blob(normal(5, 48)), blob(normal(5))])]}
    assert caffe.read(write(tmp_path, message)).input_shape == (4, 4, 3)


# ---- means

@pytest.mark.parametrize("form", [blob, legacy_blob])
def test_a_mean_image(tmp_path, form):
    image = normal(3, 4, 5) + 100
    path = tmp_path / "m.binaryproto"
    path.write_bytes(encode(form(image), BLOB))
    found, pixel = caffe.read_mean(path)
    np.testing.assert_array_equal(found, image.transpose(1, 2, 0), strict=True)
    np.testing.assert_allclose(pixel, image.mean(axis=(1, 2)), rtol=1e-6)  # float32
    assert pixel.dtype == np.float32 and found.flags.writeable


@pytest.mark.parametrize("array, message", [
    (normal(4, 5), "expected one image"), (normal(2, 3, 4, 5), "expected one image"),
    (normal(2, 4, 5), "expected one image"),
    (np.full((3, 2, 2), np.nan), "not all of its numbers are finite"),
    (np.zeros((3, 0, 2)), "do not fill the shape"),
])
def test_means_that_are_none(tmp_path, array, message):
    path = tmp_path / "m.binaryproto"
    path.write_bytes(encode(blob(array), BLOB))
    with pytest.raises(WeightsError, match=f"m.binaryproto: .*{message}"):
        caffe.read_mean(path)


# ---- recognising, and what is no such file

@pytest.mark.parametrize("data, expected", [
    (encode({"layer": [layer("a", "ReLU")]}), True),
    (encode({"name": ["n"], "layers": [{"layer": [{"name": ["a"]}]}]}), True),
    (encode({"input": ["d"], "input_dim": [1, 2], "layer": [layer("a", "ReLU")]}), True),
    (encode(small())[:60], True),  # cut short, but it begins as one
    (encode(blob(normal(3, 4, 5)), BLOB), False),  # a mean image
    (encode({"name": ["only a name"]}), False),
    (encode({"name": ["\n\t"], "layer": [layer("a", "ReLU")]}), False),
    (b"", False), (b"\x89HDF\r\n\x1a\n" + bytes(100), False), (b"PK\3\4" + bytes(100), False),
    (b"\x80\x02}q\x00.", False), (b'{"layers": []}', False), (b"\n" * 200, False),
    (b"MATLAB 5.0 MAT-file", False), (bytes(200), False),
])
def test_it_recognises_its_files_only(tmp_path, data, expected):
    (tmp_path / "f").write_bytes(data)
    assert caffe.recognises(tmp_path / "f") is expected


def test_it_recognises_no_other_file(tmp_path, foreign):
    assert caffe.recognises(foreign / "cifar10_quick.caffemodel")
    for path in [tmp_path, tmp_path / "none", *foreign.glob("*.h5"), *foreign.glob("*.pth"),
                 *foreign.glob("*.binaryproto")]:
        assert not caffe.recognises(path)


@pytest.mark.parametrize("data, message", [
    (b"", "the file is empty"),
    (b"\x08\x01", "field 'name' has wire type 0"),
    (encode({"name": ["n"]}), "it has no layers"),
    (encode(small())[:-3], "a field declares .* bytes, but .* are left"),
    (encode({"layer": [layer("x", "Convolution", blobs=[
        {"shape": [{"dim": [2]}], "data": [normal(3)]}])]}), "layer 'x': 3 weights do not fill"),
])
def test_damaged_files_give_one_line(tmp_path, data, message):
    path = tmp_path / "f.caffemodel"
    path.write_bytes(data)
    with pytest.raises(WeightsError, match=f"f.caffemodel: cannot be read as .*{message}") as error:
        caffe.read(path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("version", [small, lambda: v1(without_norm(small())),
                                     lambda: v0(without_norm(small()))])
def test_a_file_cut_at_every_percent_is_refused_or_says_what_is_missing(tmp_path, version):
    """Between two layers a cut cannot be seen: then the network ends early, or not in one end."""
    whole, path = encode(version(), packed=False), tmp_path / "cut.caffemodel"
    read = 0
    for percent in range(100):
        path.write_bytes(whole[:len(whole) * percent // 100])
        try:
            found = caffe.read(path)
        except WeightsError as error:
            assert "cut.caffemodel" in str(error)
        else:
            read += 1
            assert len(found.arrays) < 9
    assert read < 10


def test_lenet_cut_at_every_percent_is_refused(foreign, tmp_path):
    whole = (foreign / "lenet_mnist.caffemodel").read_bytes()
    path = tmp_path / "cut.caffemodel"
    for percent in range(100):
        path.write_bytes(whole[:len(whole) * percent // 100])
        with pytest.raises(WeightsError, match="cut.caffemodel"):
            caffe.read(path)


@pytest.mark.parametrize("script", [fuzz, fuzz_mean])
def test_spoiled_files_are_read_or_refused(script):
    """The first of the files that `python tests/fuzz/caffe.py` tries by the thousand."""
    outcome = runner.run(script.read, script.seeds, 200, seed=1)
    assert outcome["read"] and outcome["refused"]
