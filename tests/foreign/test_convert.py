"""Other programs' files as networks here: the same numbers come out as there, or one clear error.

The PyTorch networks are torchvision's, written again with its names and order of modules."""


import nets
import numpy as np
import pytest
import weight_bytes
from keras_files import keras2_file
from numpy.testing import assert_array_equal

from minicnn import load, models
from minicnn.files import hdf5
from minicnn.files.errors import WeightsError
from minicnn.foreign.convert import convert
from minicnn.network.layers import Dense

VGG = {"vgg11": (1, 1, 2, 2, 2), "vgg16": (2, 2, 3, 3, 3)}


# ---- torchvision's networks

def alexnet(nn, classes=1000):
    return nn.ModuleDict({"features": nn.Sequential(
        nn.Conv2d(3, 64, 11, 4, 2), nn.ReLU(), nn.MaxPool2d(3, 2),
        nn.Conv2d(64, 192, 5, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2),
        nn.Conv2d(192, 384, 3, padding=1), nn.ReLU(),
        nn.Conv2d(384, 256, 3, padding=1), nn.ReLU(),
        nn.Conv2d(256, 256, 3, padding=1), nn.ReLU(), nn.MaxPool2d(3, 2)),
        "avgpool": nn.AdaptiveAvgPool2d(6), "flat": nn.Flatten(),
        "classifier": nn.Sequential(
            nn.Dropout(), nn.Linear(9216, 4096), nn.ReLU(), nn.Dropout(), nn.Linear(4096, 4096),
            nn.ReLU(), nn.Linear(4096, classes))})


def vgg(nn, name, classes=1000):
    features, before = [], 3
    for depth, width in zip(VGG[name], (64, 128, 256, 512, 512), strict=True):
        for _ in range(depth):
            features += [nn.Conv2d(before, width, 3, padding=1), nn.ReLU()]
            before = width
        features.append(nn.MaxPool2d(2, 2))
    return nn.ModuleDict({
        "features": nn.Sequential(*features), "avgpool": nn.AdaptiveAvgPool2d(7),
        "flat": nn.Flatten(), "classifier": nn.Sequential(
            nn.Linear(25088, 4096), nn.ReLU(), nn.Dropout(), nn.Linear(4096, 4096), nn.ReLU(),
            nn.Dropout(), nn.Linear(4096, classes))})


def squeezenet11(nn, classes=1000):
    torch = pytest.importorskip("torch")

    class Fire(nn.Module):
        def __init__(self, before, squeeze, expand):
            super().__init__()
            self.squeeze = nn.Conv2d(before, squeeze, 1)
            self.expand1x1 = nn.Conv2d(squeeze, expand, 1)
            self.expand3x3 = nn.Conv2d(squeeze, expand, 3, padding=1)

        def forward(self, x):
            x = self.squeeze(x).relu()
            return torch.cat([self.expand1x1(x).relu(), self.expand3x3(x).relu()], 1)

    def pool():
        return nn.MaxPool2d(3, 2, ceil_mode=True)

    return nn.ModuleDict({"features": nn.Sequential(
        nn.Conv2d(3, 64, 3, 2), nn.ReLU(), pool(), Fire(64, 16, 64), Fire(128, 16, 64), pool(),
        Fire(128, 32, 128), Fire(256, 32, 128), pool(), Fire(256, 48, 192), Fire(384, 48, 192),
        Fire(384, 64, 256), Fire(512, 64, 256)),
        "classifier": nn.Sequential(nn.Dropout(), nn.Conv2d(512, classes, 1), nn.ReLU(),
                                    nn.AdaptiveAvgPool2d(1)),
        "flat": nn.Flatten()})


@pytest.fixture
def saved(tmp_path):
    """Save a network's state dict: (path, what it computes, (N, C, H, W) to (N, classes), in
    float64)."""
    torch = pytest.importorskip("torch")

    def save(build, *arguments, **settings):
        torch.manual_seed(0)
        modules = build(torch.nn, *arguments, **settings).eval()
        torch.save(modules.state_dict(), tmp_path / "net.pth")
        modules.double()

        def run(x):
            for module in modules.values():
                x = module(x)
            return x
        return tmp_path / "net.pth", run
    return save


def check_against_torch(network, run):
    """The forward pass and the gradient at the image, of scores weighed at random.

    In float64: in float32 a maximum or a sign that is nearly a tie falls the other way now and
    then, and PyTorch's own gradient of a VGG-16 with random weights is 2 % off at some pixels.
    """
    torch = pytest.importorskip("torch")
    pixels = np.random.default_rng(1).integers(0, 256, (1, 224, 224, 3))
    x = ((pixels / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225])
    image = torch.tensor(x.transpose(0, 3, 1, 2).copy()).requires_grad_()
    scores = run(image)
    seed = np.random.default_rng(2).standard_normal(scores.shape)
    scores.backward(torch.tensor(seed))
    ours = network.astype(np.float64).forward(x, to=network.logits, keep=[network.logits])
    dx = ours.backward({network.logits: seed})
    theirs = image.grad.numpy().transpose(0, 2, 3, 1)
    expected = scores.detach().numpy()
    assert np.abs(theirs).max() > 0  # and 1e-9 is float64's 1e-16 through 16 layers, with room
    assert np.abs(ours[network.logits] - expected).max() < 1e-9 * np.abs(expected).max()
    assert np.abs(dx - theirs).max() < 1e-9 * np.abs(theirs).max()


@pytest.mark.parametrize("build, model", [(alexnet, "alexnet_torch"),
                                          (squeezenet11, "squeezenet11")])
def test_torchvision_s_networks_compute_here_what_they_do_there(build, model, saved):
    path, run = saved(build)
    network, conversion = convert(path)
    assert network.name == model and network.count() == getattr(models, model)().count()
    assert network.preprocessing == models.alexnet_torch().preprocessing
    assert f"torchvision's {build.__name__.replace('11', '')}" in " ".join(conversion.notes)
    check_against_torch(network, run)


@pytest.mark.slow
def test_vgg16_whole(saved):
    path, run = saved(vgg, "vgg16")
    check_against_torch(convert(path)[0], run)


def test_photos_are_prepared_as_torchvision_does(saved):
    """One pixel's way from 0..255 into the network."""
    path, _ = saved(squeezenet11, classes=3)
    x = load(path).prepare(np.full((300, 300, 3), (10, 20, 30), np.uint8))
    expected = (np.array([10, 20, 30]) / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    assert x.shape == (1, 224, 224, 3)
    np.testing.assert_allclose(x[0, 5, 5], expected, rtol=1e-5)  # float32


def test_another_number_of_classes(saved):
    path, _ = saved(squeezenet11, classes=3)
    network, _ = convert(path)
    assert network.shapes[network.logits] == (3,)


# ---- variants, without PyTorch: state dicts of arrays

def state(network, names, dtype=np.float32, seed=0):
    """{"features.0.weight": ...} of a network of ours, as PyTorch would have it."""
    nets.trained(network, seed, np.float32)
    arrays = {}
    for theirs, ours in names.items():
        w, image = network.params[ours]["w"], network.input_shapes[ours]
        if isinstance(network[ours], Dense):
            w = w.reshape(*image, -1).transpose(*range(len(image), -1, -1)) if len(
                image) == 1 else w.reshape(*image, -1).transpose(3, 2, 0, 1)
            w = w.reshape(len(w), -1)  # H*W*C,O -> O,C*H*W
        else:
            w = w.transpose(3, 2, 0, 1)
        arrays[f"{theirs}.weight"] = np.ascontiguousarray(w, dtype)
        arrays[f"{theirs}.bias"] = network.params[ours]["b"].astype(dtype)
    return arrays


def write(path, arrays, framework="pt"):
    path.write_bytes(weight_bytes.safetensors(arrays, metadata={"format": framework}))
    return path


VGG19 = {"features.0": "conv1_1", "features.2": "conv1_2", "features.5": "conv2_1"}


def vgg19_state(**settings):
    return state(models.vgg19(top=False).until("conv2_1"), VGG19, **settings)


def test_the_first_layers_of_several_networks_need_a_name(tmp_path):
    path = write(tmp_path / "net.safetensors", vgg19_state())
    with pytest.raises(WeightsError, match="the first layers of each of vgg13, vgg16, "
                                           "vgg19; name one as model"):
        convert(path)
    network, conversion = convert(path, model="vgg19")
    assert network.names[-1] == "relu2_1" and len(conversion.arrays) == 6
    named = path.rename(tmp_path / "my-vgg19-features.safetensors")
    assert load(named).name == "vgg19"


@pytest.mark.parametrize("prefix", ["model.", "module.backbone.", "net.0."])
def test_what_a_module_around_the_network_puts_before_every_name_is_taken_off(prefix, tmp_path):
    """Else the order would decide, and photos be prepared as for another program's weights."""
    arrays = {f"{prefix}{name}": array for name, array in vgg19_state().items()}
    network, conversion = convert(write(tmp_path / "net.pth", arrays), model="vgg19")
    assert network.preprocessing.order == "RGB"  # torchvision's, where vgg19's own is BGR
    last = prefix.removeprefix("module.")
    assert f"The prefix {last!r} of every name was removed." in conversion.notes
    assert {one.theirs for one in conversion.arrays} == {
        name.removeprefix("module.") for name in arrays}
    unknown = write(tmp_path / "b.pth",
                    {f"a.b.{k}.weight": np.ones((3, 3), np.float32) for k in "cd"})
    with pytest.raises(WeightsError, match="fit is not known"):
        convert(unknown)


def test_kernels_are_turned_and_the_file_s_numbers_kept(tmp_path):
    arrays = vgg19_state()
    network, conversion = convert(write(tmp_path / "vgg19.pth", arrays))
    for theirs, ours in VGG19.items():
        w, original = network.params[ours]["w"], arrays[f"{theirs}.weight"]
        assert all(w[i, j, c, o] == original[o, c, i, j]
                   for o, c, i, j in [(0, 0, 0, 0), (5, 2, 1, 0), (7, 1, 0, 2), (63, 2, 2, 1)])
        assert w.flags.c_contiguous and w.flags.writeable and w.flags.owndata
        assert_array_equal(network.params[ours]["b"], arrays[f"{theirs}.bias"])
    assert conversion.arrays[0] == ("features.0.weight", "conv1_1/w", (64, 3, 3, 3), (3, 3, 3, 64),
                             "axes turned")


@pytest.mark.parametrize("dtype, said", [(np.float16, "float16 to float32, axes turned"),
                                         (np.float64, "axes turned")])
def test_other_precisions(tmp_path, dtype, said):
    arrays = vgg19_state(dtype=dtype)
    network, conversion = convert(write(tmp_path / "vgg19.pth", arrays))
    w = network.params["conv1_2"]["w"]
    assert w.dtype == max(np.dtype(dtype), np.dtype(np.float32))
    assert_array_equal(w.transpose(3, 2, 0, 1), arrays["features.2.weight"])
    assert conversion.arrays[2].done == said


def test_everything_that_is_wrong_is_told_together(tmp_path):
    arrays = vgg19_state()
    arrays["features.0.weight"][3, 1, 0, 2] = np.nan
    arrays["features.2.bias"] = np.zeros(5, np.float32)
    del arrays["features.5.bias"]
    arrays["features.2.scale"] = np.zeros(2, np.float32)
    path = write(tmp_path / "vgg19.pth", arrays)
    with pytest.raises(WeightsError) as error:
        convert(path)
    text = str(error.value)
    assert "\n" not in text and text.startswith(str(path))
    for words in ("missing: conv2_1/b (128,)", "unexpected: features.2.scale (2,)",
                  "conv1_1/w: 1 of its numbers are not finite, the first at (0, 2, 1, 3)",
                  "conv1_2/b: expected shape (64,), got (5,)"):
        assert words in text


@pytest.mark.parametrize("dense, order", [("0 3 6", "RGB"), ("1 4 6", "BGR")])
def test_a_vgg_of_oxford_is_known_by_the_numbers_of_its_dense_layers(dense, order, tmp_path,
                                                                     monkeypatch):
    """With dense layers of 4 instead of 4096, which are the same program and 128 million fewer."""
    tiny = models.vgg16(classes=4)
    rows = [(name, Dense(4) if name in ("fc6", "fc7") else layer) for name, layer, _ in tiny.rows]
    tiny = type(tiny)("vgg16", rows, (224, 224, 3), tiny.preprocessing)
    monkeypatch.setattr(models, "vgg16", lambda classes=4: tiny)
    numbers = [0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28]
    ours = list(tiny.param_shapes)
    names = {f"features.{n}": name for n, name in zip(numbers, ours, strict=False)} | {
        f"classifier.{n}": name for n, name in zip(dense.split(), ours[13:], strict=True)}
    arrays = {}
    for theirs, name in names.items():
        shape = tiny.param_shapes[name]["w"]
        axes = (3, 2, 0, 1) if len(shape) == 4 else (1, 0)
        arrays[f"{theirs}.weight"] = np.zeros([shape[axis] for axis in axes], np.float32)
        arrays[f"{theirs}.bias"] = np.zeros(shape[-1], np.float32)
    network, conversion = convert(write(tmp_path / "net.pth", arrays))
    fc6 = next(one for one in conversion.arrays if one.ours == "fc6/w")
    assert network.preprocessing.order == order
    assert fc6.done == "axes turned, inputs from C,H,W to H,W,C" and fc6.after == (25088, 4)


def test_a_layer_too_many_is_named_and_where_a_file_ends_is_told(tmp_path):
    arrays = vgg19_state()
    network, conversion = convert(write(tmp_path / "vgg19.pth", arrays))
    assert "Its weights end at conv2_1: the network was cut after it." in conversion.notes
    arrays["features.99.weight"] = np.zeros((4, 4, 1, 1), np.float32)
    for model in (None, "vgg19"):
        with pytest.raises(WeightsError, match=r"unexpected: features.99.weight \(4, 4, 1, 1\)$"):
            convert(write(tmp_path / "vgg19.pth", arrays), model)


def test_inception_v3_of_torchvision(tmp_path):
    """Batch norms by PyTorch's words; counters and the auxiliary classifier are left out."""
    from minicnn.foreign.names import SOURCES

    source = next(s for s in SOURCES if s.model == "inception_v3")
    network = nets.trained(models.inception_v3(**source.settings, classes=5), 0, np.float32)
    arrays = {"AuxLogits.conv0.conv.weight": np.zeros((128, 768, 1, 1), np.float32),
              "Conv2d_1a_3x3.bn.num_batches_tracked": np.zeros((), np.int64)}
    words = {"gamma": "weight", "beta": "bias", "mean": "running_mean", "variance": "running_var",
             "w": "weight", "b": "bias"}
    for theirs, ours in source.names.items():
        for key, value in network.params[ours].items():
            arrays[f"{theirs}.{words[key]}"] = np.ascontiguousarray(
                value.transpose(3, 2, 0, 1) if value.ndim == 4 else value.T)
    again, conversion = convert(write(tmp_path / "net.pth", arrays))
    x = nets.images(1, (75, 75, 3), dtype=np.float32)
    assert_array_equal(again.forward(x).output, network.forward(x).output)
    assert again.preprocessing.resize_to == 342 and again["mixed0/pool"].border == "padding"
    assert any("AuxLogits" in note for note in conversion.notes)


# ---- files that describe themselves, and those of Keras

def test_a_sequential_of_keras_with_its_architecture(tmp_path):
    rng = np.random.default_rng(0)
    w, b = rng.standard_normal((3, 3, 3, 4)), rng.standard_normal(4)
    dense, bias = rng.standard_normal((4 * 6 * 4, 2)), rng.standard_normal(2)
    kernel = {"name": "c", "batch_input_shape": [None, 8, 12, 3], "filters": 4,
              "kernel_size": [3, 3], "padding": "same", "activation": "relu"}
    config = {"class_name": "Sequential", "config": {"name": "mine", "layers": [
        {"class_name": "Conv2D", "config": kernel},
        {"class_name": "MaxPooling2D", "config": {"name": "p", "pool_size": [2, 2]}},
        {"class_name": "Flatten", "config": {"name": "f"}},
        {"class_name": "Dense", "config": {"name": "d", "units": 2, "activation": "softmax"}}]}}
    path = keras2_file(tmp_path / "m.h5", {"c": {"kernel": w, "bias": b},
                                          "d": {"kernel": dense, "bias": bias}}, config)
    network, conversion = convert(path)
    assert_array_equal(network.params["c"]["w"], w)
    assert_array_equal(network.params["d"]["w"], dense)  # H,W,C there as here
    assert network.input_shape == (8, 12, 3) and network.classifies
    assert "does not say how photos are prepared: set network.preprocessing" in conversion.notes[-1]


def test_inception_v3_of_keras(tmp_path):
    network = nets.trained(models.inception_v3(classes=5), 0, np.float32)
    kinds = {"Conv": ("conv2d", ["w"]), "Dense": ("predictions", ["w", "b"]),
             "BatchNorm": ("batch_normalization", ["beta", "mean", "variance"])}
    words = {"w": "kernel", "b": "bias", "beta": "beta", "mean": "moving_mean",
             "variance": "moving_variance"}
    arrays, counts = {}, dict.fromkeys(kinds, 0)
    for ours in network.param_shapes:
        kind = type(network[ours]).__name__
        counts[kind] += 1
        name, keys = kinds[kind]
        arrays[name if kind == "Dense" else f"{name}_{counts[kind]}"] = {
            words[key]: network.params[ours][key] for key in keys}
    again, _ = convert(keras2_file(tmp_path / "i.h5", arrays))
    x = nets.images(1, (75, 75, 3), dtype=np.float32)
    assert_array_equal(again.forward(x).output, network.forward(x).output)
    assert again.preprocessing == network.preprocessing


# ---- what cannot be converted

def test_no_weights(tmp_path, monkeypatch):
    """An architecture alone is a network without weights; no architecture either is nothing."""
    (tmp_path / "net.prototxt").write_text(
        'name: "mine"\ninput: "data"\ninput_dim: 1 input_dim: 3 input_dim: 8 input_dim: 8\n'
        'layer { name: "c" type: "Convolution" bottom: "data" top: "c"\n'
        '  convolution_param { num_output: 4 kernel_size: 3 } }\n')
    network, conversion = convert(tmp_path / "net.prototxt")
    assert network.names == ["c"] and network.name == "mine" and conversion.arrays == []
    assert ("The file has no weights: network.initialize(seed) draws random ones."
            in conversion.notes)
    with pytest.raises(WeightsError, match="there are no weights in it"):
        convert(tmp_path / "net.prototxt", model="vgg16")


def test_files_of_no_known_kind(tmp_path):
    (tmp_path / "t.bin").write_bytes(b"hello " * 50)
    (tmp_path / "e.bin").write_bytes(b"")
    for path, words in [(tmp_path / "t.bin", "nor as any other supported form"), (
            tmp_path / "e.bin", "e.bin"), (tmp_path, "is a folder"), (
            tmp_path / "none", "no such file")]:
        with pytest.raises(WeightsError, match=words) as error:
            convert(path)
        assert "\n" not in str(error.value)


def test_an_architecture_goes_with_a_caffemodel_only(tmp_path):
    path = write(tmp_path / "vgg19.pth", vgg19_state())
    with pytest.raises(WeightsError, match="not a .caffemodel file; an architecture and a mean "
                                           "image only go with a .caffemodel"):
        convert(path, mean="m.binaryproto")


# ---- the real files

def test_two_programs_files_of_one_network_are_the_same_numbers(shared_data):
    foreign = shared_data / "weights" / "foreign"
    ours = load(shared_data / "weights" / "vgg19_norm_to_conv4_1.h5")
    for name in ("torch_vgg19norm_to_conv3_1.pth", "keras_vgg19norm_to_conv3_1.h5"):
        network, conversion = convert(foreign / name, model="vgg19")
        assert network.names[-1] == "relu3_1" and len(conversion.arrays) == 10
        for place, value in nets.parameters(network).items():
            assert_array_equal(value, nets.parameters(ours)[place])
        words = "turns RGB in 0..1 into BGR in 0..255, is left out"
        assert any(words in note for note in conversion.notes)
        assert network.preprocessing.order == "BGR"


def test_caffe_s_own_files(shared_data):
    foreign = shared_data / "weights" / "foreign"
    lenet, _ = convert(foreign / "lenet_mnist.caffemodel")
    assert (lenet.count(), lenet.classifies, lenet.input_shape) == (431_080, True, (28, 28, 1))
    cifar, _ = convert(foreign / "cifar10_quick.caffemodel",
                       mean=foreign / "cifar10_mean.binaryproto")
    assert cifar.count() == 145_578 and np.ndim(cifar.preprocessing.mean) == 3


def test_tiny_vgg_of_tensorflow_js_by_folder_and_by_file(shared_data):
    folder = shared_data / "weights" / "foreign" / "tiny-vgg-tfjs"
    for path in (folder, folder / "model.json"):
        network, conversion = convert(path)
        assert network.input_shape == (64, 64, 3) and network.shapes[network.logits] == (10,)
        assert len(conversion.arrays) == 10  # four convolutions and a dense layer
    output = network.forward(nets.images(2, (64, 64, 3), dtype=np.float32)).output
    assert np.isfinite(output).all()


def test_a_drawn_digit_is_read(shared_data):
    """White strokes on black, as in MNIST: 0, 1 and 7."""
    network = load(shared_data / "weights" / "foreign" / "lenet_mnist.caffemodel")
    rows, columns = np.mgrid[:28, :28]
    ring = np.abs(np.hypot((rows - 14) / 1.3, columns - 14) - 6) < 1.5
    one = (np.abs(columns - 14) < 1.5) & (rows > 4) & (rows < 24)
    seven = ((np.abs(rows - 6) < 1.5) & (columns > 7) & (columns < 20)) | (
        (np.abs(columns - 19 + (rows - 6) * 0.5) < 1.5) & (rows >= 6) & (rows < 24))
    for digit, drawn in ((0, ring), (1, one), (7, seven)):
        picture = np.repeat((255 * drawn).astype(np.uint8)[..., None], 3, axis=2)
        (label, probability), *_ = network.classify(picture)
        assert label == f"class {digit}" and probability > 0.8, (digit, label, probability)


def test_a_conversion_saved_in_our_form_comes_back(shared_data, tmp_path):
    network = load(shared_data / "weights" / "foreign" / "lenet_mnist.caffemodel")
    hdf5.save(network, tmp_path / "lenet.h5")
    again = load(tmp_path / "lenet.h5")
    assert again.about == network.about and again.preprocessing == network.preprocessing
    for place, value in nets.parameters(network).items():
        assert_array_equal(nets.parameters(again)[place], value)
