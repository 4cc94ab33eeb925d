"""Network descriptions: the text form itself, and well-known networks told in it.

The texts here were written from the architectures; each must give the network of `minicnn.models`
layer for layer.
"""

import tracemalloc

import pytest
from fuzz import prototxt as fuzz
from fuzz import runner

from minicnn import models
from minicnn.files.errors import WeightsError
from minicnn.foreign import caffe, prototxt
from minicnn.network import Network
from minicnn.network.layers import BatchNorm, Flatten, MaxPool

# ---- texts

def text(name, kind, bottom, top=None, param=None, **settings):
    """One layer as text; `settings` go into the message `param`."""
    bottoms = "".join(f'  bottom: "{blob}"\n' for blob in bottom.split())
    inner = "".join(f"    {key}: {value}\n" for key, value in settings.items())
    message = f"  {param} {{\n{inner}  }}\n" if param else ""
    return (f'layer {{\n  name: "{name}"\n  type: "{kind}"\n{bottoms}  top: "{top or name}"\n'
            f"{message}}}\n")


def conv(name, bottom, filters, kernel, relu=None, **settings):
    """A convolution, and the ReLU on it in place."""
    convolution = text(name, "Convolution", bottom, None, "convolution_param", num_output=filters,
                       kernel_size=kernel, **settings)
    return convolution + (text(relu, "ReLU", name, name) if relu else "")


def pool(name, bottom, kernel, stride, method="MAX", **settings):
    return text(name, "Pooling", bottom, None, "pooling_param", pool=method, kernel_size=kernel,
                stride=stride, **settings)


def lrn(name, bottom):
    return text(name, "LRN", bottom, None, "lrn_param", local_size=5, alpha=0.0001, beta=0.75)


def dense(name, bottom, units, number=None):
    """A dense layer; with a number also its ReLU and dropout."""
    layer = text(name, "InnerProduct", bottom, None, "inner_product_param", num_output=units)
    return layer if number is None else layer + text(f"relu{number}", "ReLU", name, name) + text(
        f"drop{number}", "Dropout", name, name, "dropout_param", dropout_ratio=0.5)


def header(name, size, channels=3):
    return f'name: "{name}"\n' + text(
        "data", "Input", "", None, "input_param",
        **{"shape": f"{{ dim: 10 dim: {channels} dim: {size} dim: {size} }}"})


def alexnet(norm_first):
    """AlexNet; Caffe's own variant normalises after it pools."""
    parts = [header("AlexNet", 227)]
    blob = "data"
    for k, (filters, kernel, settings) in enumerate([(96, 11, {"stride": 4}),
                                                     (256, 5, {"pad": 2, "group": 2})], start=1):
        parts.append(conv(f"conv{k}", blob, filters, kernel, f"relu{k}", **settings))
        names = [f"norm{k}", f"pool{k}"] if norm_first else [f"pool{k}", f"norm{k}"]
        blob = f"conv{k}"
        for name in names:
            parts.append(lrn(name, blob) if name[0] == "n" else pool(name, blob, 3, 2))
            blob = name
    for k, filters, groups in [(3, 384, 1), (4, 384, 2), (5, 256, 2)]:
        parts.append(conv(f"conv{k}", blob, filters, 3, f"relu{k}", pad=1, group=groups))
        blob = f"conv{k}"
    return "".join(parts + [pool("pool5", "conv5", 3, 2), dense("fc6", "pool5", 4096, 6),
                            dense("fc7", "fc6", 4096, 7), dense("fc8", "fc7", 1000),
                            text("prob", "Softmax", "fc8")])


def fire(name, bottom, squeeze, expand):
    low = f"{name}/squeeze1x1"
    return (conv(low, bottom, squeeze, 1, f"{name}/relu_squeeze1x1")
            + conv(f"{name}/expand1x1", low, expand, 1, f"{name}/relu_expand1x1")
            + conv(f"{name}/expand3x3", low, expand, 3, f"{name}/relu_expand3x3", pad=1)
            + text(f"{name}/concat", "Concat", f"{name}/expand1x1 {name}/expand3x3"))


FIRES = [(2, 16, 64), (3, 16, 64), (4, 32, 128), (5, 32, 128), (6, 48, 192), (7, 48, 192),
         (8, 64, 256), (9, 64, 256)]


def squeezenet(filters, kernel, pools):
    """SqueezeNet: its versions differ in the first layer and in where they pool."""
    parts, blob = [header("squeezenet", 227), conv("conv1", "data", filters, kernel, "relu_conv1",
                                                   stride=2), pool("pool1", "conv1", 3, 2)], "pool1"
    for k, squeeze, expand in FIRES:
        parts.append(fire(f"fire{k}", blob, squeeze, expand))
        blob = f"fire{k}/concat"
        if k in pools:
            parts.append(pool(f"pool{k}", blob, 3, 2))
            blob = f"pool{k}"
    return "".join(parts + [
        text("drop9", "Dropout", blob, blob, "dropout_param", dropout_ratio=0.5),
        conv("conv10", blob, 1000, 1, "relu_conv10"),
        text("pool10", "Pooling", "conv10", None, "pooling_param", pool="AVE",
             global_pooling="true"), text("prob", "Softmax", "pool10")])


def inception(name, bottom, *columns):
    n1x1, reduce3x3, n3x3, reduce5x5, n5x5, project = columns
    n = f"{name}/"
    return "".join([
        conv(n + "1x1", bottom, n1x1, 1, n + "relu_1x1"),
        conv(n + "3x3_reduce", bottom, reduce3x3, 1, n + "relu_3x3_reduce"),
        conv(n + "3x3", n + "3x3_reduce", n3x3, 3, n + "relu_3x3", pad=1),
        conv(n + "5x5_reduce", bottom, reduce5x5, 1, n + "relu_5x5_reduce"),
        conv(n + "5x5", n + "5x5_reduce", n5x5, 5, n + "relu_5x5", pad=2),
        pool(n + "pool", bottom, 3, 1, pad=1),
        conv(n + "pool_proj", n + "pool", project, 1, n + "relu_pool_proj"),
        text(n + "output", "Concat", f"{n}1x1 {n}3x3 {n}5x5 {n}pool_proj")])


MODULES = {"3a": (64, 96, 128, 16, 32, 32), "3b": (128, 128, 192, 32, 96, 64),
           "4a": (192, 96, 208, 16, 48, 64), "4b": (160, 112, 224, 24, 64, 64),
           "4c": (128, 128, 256, 24, 64, 64), "4d": (112, 144, 288, 32, 64, 64),
           "4e": (256, 160, 320, 32, 128, 128), "5a": (256, 160, 320, 32, 128, 128),
           "5b": (384, 192, 384, 48, 128, 128)}


def googlenet():
    parts = [header("GoogleNet", 224),
             conv("conv1/7x7_s2", "data", 64, 7, "conv1/relu_7x7", stride=2, pad=3),
             pool("pool1/3x3_s2", "conv1/7x7_s2", 3, 2), lrn("pool1/norm1", "pool1/3x3_s2"),
             conv("conv2/3x3_reduce", "pool1/norm1", 64, 1, "conv2/relu_3x3_reduce"),
             conv("conv2/3x3", "conv2/3x3_reduce", 192, 3, "conv2/relu_3x3", pad=1),
             lrn("conv2/norm2", "conv2/3x3"), pool("pool2/3x3_s2", "conv2/norm2", 3, 2)]
    blob = "pool2/3x3_s2"
    for name, columns in MODULES.items():
        parts.append(inception(f"inception_{name}", blob, *columns))
        blob = f"inception_{name}/output"
        if name in ("3b", "4e"):
            parts.append(pool(f"pool{name[0]}/3x3_s2", blob, 3, 2))
            blob = f"pool{name[0]}/3x3_s2"
    drop = text("pool5/drop_7x7_s1", "Dropout", "pool5/7x7_s1", "pool5/7x7_s1", "dropout_param",
                dropout_ratio=0.4)
    return "".join(parts + [pool("pool5/7x7_s1", blob, 7, 1, "AVE"), drop,
                            dense("loss3/classifier", "pool5/7x7_s1", 1000),
                            text("prob", "Softmax", "loss3/classifier")])


# ---- well-known networks

def plain(rows):
    """Rows as plain values; where the step is 1 both roundings are the same (`ops.window`)."""
    for name, layer, inputs in rows:
        settings = layer.settings()
        if settings.get("stride") == 1:
            settings.pop("rounding", None)
        yield name, type(layer).__name__, settings, list(inputs)


def read(tmp_path, content, name="net.prototxt"):
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    assert prototxt.recognises(path)
    return prototxt.read(path)


@pytest.mark.parametrize("content, network", [
    (alexnet(True), models.alexnet_caffe()), (alexnet(False), models.caffenet()),
    (squeezenet(96, 7, (4, 8)), models.squeezenet10()),
    (squeezenet(64, 3, (3, 5)), models.squeezenet11()), (googlenet(), models.googlenet()),
], ids=["alexnet", "caffenet", "squeezenet10", "squeezenet11", "googlenet"])
def test_well_known_networks_layer_for_layer(tmp_path, content, network):
    found = read(tmp_path, content)
    assert sorted(plain(found.layers)) == sorted(plain(network.rows))
    assert found.input_shape == network.input_shape
    built = Network("x", found.layers, found.input_shape)
    assert built.count() == network.count()
    assert found.arrays == {} and found.layout == "OIHW" and found.notes == []


LENET = (conv("conv1", "data", 20, 5, stride=1) + pool("pool1", "conv1", 2, 2)
         + conv("conv2", "pool1", 50, 5, stride=1) + pool("pool2", "conv2", 2, 2)
         + dense("ip1", "pool2", 500) + text("relu1", "ReLU", "ip1", "ip1")
         + dense("ip2", "ip1", 10))
CIFAR10 = (conv("conv1", "data", 32, 5, pad=2, stride=1) + pool("pool1", "conv1", 3, 2)
           + text("relu1", "ReLU", "pool1", "pool1")
           + conv("conv2", "pool1", 32, 5, "relu2", pad=2) + pool("pool2", "conv2", 3, 2, "AVE")
           + conv("conv3", "pool2", 64, 5, "relu3", pad=2) + pool("pool3", "conv3", 3, 2, "AVE")
           + dense("ip1", "pool3", 64) + dense("ip2", "ip1", 10))


@pytest.mark.parametrize("body, shape, name", [
    (LENET, (28, 1), "lenet_mnist"), (CIFAR10, (32, 3), "cifar10_quick")])
def test_a_description_is_what_caffe_wrote_into_its_model(tmp_path, shared_data, body, shape, name):
    described = read(tmp_path, header(name, *shape) + body + text("prob", "Softmax", "ip2"))
    trained = caffe.read(shared_data / "weights" / "foreign" / f"{name}.caffemodel")
    assert list(plain(described.layers)) == list(plain(trained.layers))
    assert described.input_shape == trained.input_shape


def test_lenet_for_training_and_testing(tmp_path):
    """Two data layers, a measure of testing only, and a loss: what is left is the network."""
    phases = ["TRAIN", "TEST"]
    data = "".join(
        f'layer {{ name: "mnist" type: "Data" top: "data" top: "label" include {{ phase: {phase} }}'
        f" transform_param {{ scale: 0.00390625 }} data_param {{ source: \"mnist_{phase}\" "
        "batch_size: 64 backend: LMDB } }\n" for phase in phases)
    ends = ('layer { name: "accuracy" type: "Accuracy" bottom: "ip2" bottom: "label" '
            'top: "accuracy" include { phase: TEST } }\n'
            'layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip2" bottom: "label" '
            'top: "loss" }\n')
    trained = read(tmp_path, 'name: "LeNet"\n' + data + LENET + ends)
    deployed = read(tmp_path, header("LeNet", 28, 1) + LENET + text("prob", "Softmax", "ip2"))
    assert list(plain(trained.layers)) == list(plain(deployed.layers))
    assert trained.says == {"network": "LeNet"} and trained.input_shape is None
    assert deployed.input_shape == (28, 28, 1)


def test_v1_and_v0_texts_are_the_same_network(tmp_path):
    start = 'name: "n" input: "data" input_dim: 1 input_dim: 3 input_dim: 9 input_dim: 9\n'
    v1 = start + """
layers { name: "conv1" type: CONVOLUTION bottom: "data" top: "conv1" blobs_lr: 1 blobs_lr: 2
         convolution_param { num_output: 8 kernel_size: 3 pad: 1
                             weight_filler { type: "xavier" } } }
layers { name: "pool1" type: POOLING bottom: "conv1" top: "pool1"
         pooling_param { pool: AVE kernel_size: 3 stride: 2 } }
layers { name: "prob" type: SOFTMAX bottom: "pool1" top: "prob" }
"""
    v0 = start + """
layers { layer { name: "pad1" type: "padding" pad: 1 } bottom: "data" top: "pad1" }
layers { layer { name: "conv1" type: "conv" num_output: 8 kernelsize: 3 } bottom: "pad1"
         top: "conv1" }
layers { layer { name: "pool1" type: "pool" pool: AVE kernelsize: 3 stride: 2 } bottom: "conv1"
         top: "pool1" }
layers { layer { name: "prob" type: "softmax" } bottom: "pool1" top: "prob" }
"""
    current = (start + conv("conv1", "data", 8, 3, pad=1) + pool("pool1", "conv1", 3, 2, "AVE")
               + text("prob", "Softmax", "pool1"))
    outlines = [list(plain(read(tmp_path, content).layers)) for content in (v1, v0, current)]
    assert outlines[0] == outlines[1] == outlines[2] and len(outlines[0]) == 3


def test_batch_normalisation_flatten_and_a_pooling_over_the_whole_map(tmp_path):
    found = read(tmp_path, header("n", 8) + conv("conv1", "data", 4, 3, bias_term="false")
                 + text("bn1", "BatchNorm", "conv1", "conv1", "batch_norm_param",
                        use_global_stats="true", eps=0.001)
                 + text("scale1", "Scale", "conv1", "conv1", "scale_param", bias_term="true")
                 + text("pool1", "Pooling", "conv1", None, "pooling_param", pool="MAX",
                        global_pooling="true")
                 + text("flat", "Flatten", "pool1") + dense("fc", "flat", 3))
    settings = {name: layer.settings() for name, layer, _ in found.layers}
    assert list(settings) == ["conv1", "bn1", "pool1", "flat", "fc"]
    layers = {name: layer for name, layer, _ in found.layers}
    assert isinstance(layers["bn1"], BatchNorm) and settings["bn1"]["epsilon"] == 0.001
    assert isinstance(layers["pool1"], MaxPool) and settings["pool1"]["window"] == 6
    assert isinstance(layers["flat"], Flatten) and settings["conv1"]["bias"] is False


def test_preprocessing_of_a_data_layer(tmp_path):
    found = read(tmp_path, 'layer { name: "d" type: "Data" top: "data" transform_param { '
                 "crop_size: 24 mean_value: 104 mean_value: 117 mean_value: 123 scale: 0.5 } }\n"
                 + conv("conv1", "data", 4, 3))
    assert found.input_shape == (24, 24, 3)
    made = found.preprocessing
    assert (made.order, made.mean, made.scale) == ("BGR", (104, 117, 123), (0.5,) * 3)


def test_what_is_left_out_is_noted(tmp_path):
    aux = dense("aux", "conv1", 10) + text("loss1", "SoftmaxWithLoss", "aux label", "loss1")
    found = read(tmp_path, 'input: "data" input: "label"\n' + conv("conv1", "data", 4, 3) + aux
                 + dense("fc", "conv1", 10) + text("loss2", "SoftmaxWithLoss", "fc label"))
    assert [row[0] for row in found.layers] == ["conv1", "fc", "prob"]
    assert found.notes == ["The loss 'loss2' became its softmax, named 'prob'.",
                           "Left out, since the network's end does not depend on them: 'aux', "
                           "'loss1'."]


# ---- the text form

def test_every_kind_of_value():
    assert prototxt.parse("""# a comment, { with braces
        a: 1, b: -2; c: 0x1F d: 1.5 e: 1e-4 f: .5f g: -3. h: "q\\"uo\\nte" i: 'single # no comment'
        j: MAX k: true l: [1, 2, 3] m: "\\101\\x42" n: -inf""") == {
        "a": [1], "b": [-2], "c": [31], "d": [1.5], "e": [1e-4], "f": [0.5], "g": [-3.0],
        "h": ['q"uo\nte'], "i": ["single # no comment"], "j": ["MAX"], "k": ["true"],
        "l": [1, 2, 3], "m": ["AB"], "n": ["-inf"]}


def test_every_way_to_open_a_message():
    assert prototxt.parse("a { b: 1 } a: { } a < c { d: 2 } > e{}") == {
        "a": [{"b": [1]}, {}, {"c": [{"d": [2]}]}], "e": [{}]}
    assert prototxt.parse("") == {}


@pytest.mark.parametrize("content, message", [
    ("a: 1\nb 2", None),  # the colon may be left out before a value too, here
    ("a: 1\n}", "line 2: expected the name of a setting, got '}'"),
    ("a {\n b: 1", "line 2: 1 braces are never closed"),
    ("a { b: 1 >", "line 1: expected the name of a setting, got '>'"),
    ("a:\n\n", "line 1: expected a value, got 'the end'"),
    ("a: :", "expected a value, got ':'"),
    ('a: "open\n"', "line 1: cannot be read: '\"open'"),
    ("a: 12monkeys", "line 1: cannot be read: '12monkeys'"),
    ("a: [1, 2", "line 1: a list is never closed"),
    ("a: [1, {]", "expected a value, got '{'"),
    ("\n\n[ext]: 1", "line 3: expected the name of a setting"),
    ("a: 1" + "0" * 40, "expected a value"),
    ("a: ü", "cannot be read"),
    ("a {" * 51, "braces are nested more than 50 deep"),
])
def test_text_that_is_wrong(content, message):
    if message is None:
        assert prototxt.parse(content) == {"a": [1], "b": [2]}
    else:
        with pytest.raises(ValueError, match=message.replace("[", r"\[").replace("{", r"\{")):
            prototxt.parse(content)


@pytest.mark.parametrize("content", [
    " " * 300_000, "#\n" * 30_000, "a: '" + "\\n" * 300_000, "a: " + "1" * 300_000 + "."],
    ids=["spaces", "comments", "a string", "digits"])
def test_a_text_that_goes_on_and_on_takes_no_memory(content):
    """Regular expressions may remember every step: 140 bytes a letter."""
    tracemalloc.start()
    try:
        prototxt.parse(content)
    except ValueError as error:
        assert "line 1: " in str(error)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10 * len(content) + 2e6  # of the string the first 10,000 letters are


@pytest.mark.parametrize("content, message", [
    ("layer {", "line 1: 1 braces are never closed"),
    ('name: "x"', "it has no layers"),
    ('input: "data" layer { name: 7 }', "layer.name: expected str, got 7"),
    ('input: "data" layer: 5', "layer: expected a message, got 5"),
    ('input: "data" layer { name: "c" type: "Convolution" bottom: "data" top: "c" '
     "convolution_param { num_output: 2.5 kernel_size: 3 } }",
     "layer.convolution_param.num_output: expected int or str, got 2.5"),
    ('input: "data" layer { name: "c" type: "Convolution" bottom: "data" top: "c" '
     "convolution_param { num_output: 2 kernel_size: 3 wobble: 1 } }",
     r"layer 'c' \(Convolution\): convolution_param has the unknown setting 'wobble'"),
    ('input: "data" layer { name: "c" type: "Convolution" bottom: "data" top: "c" '
     "convolution_param { num_output: { } } }",
     "layer.convolution_param.num_output: expected int or str, got a message"),
    ('input: "data" layer { name: "n" type: "LRN" bottom: "data" top: "n" '
     "lrn_param { norm_region: WITHIN_CHANNEL } }",
     r"layer 'n' \(LRN\): norm_region WITHIN_CHANNEL is not supported"),
    ('input: "data" layer { name: "e" type: "Eltwise" bottom: "data" bottom: "data" top: "e" }',
     "layer 'e' is of Caffe's type 'Eltwise'"),
    ('layer { name: "p" type: "Pooling" bottom: "data" top: "p" }',
     "layer 'p' reads 'data', which no layer before it writes"),
])
def test_files_that_are_wrong_give_one_line(tmp_path, content, message):
    path = tmp_path / "net.prototxt"
    path.write_text(content)
    with pytest.raises(WeightsError, match=f"net.prototxt: .*{message}") as error:
        prototxt.read(path)
    assert "\n" not in str(error.value)


def test_files_that_are_none_give_one_line(tmp_path):
    for path, message in [(tmp_path / "no.prototxt", "no such file"), (tmp_path, "is a folder")]:
        with pytest.raises(WeightsError, match=message):
            prototxt.read(path)
    (tmp_path / "big.prototxt").write_bytes(b" " * 4_000_001)
    with pytest.raises(WeightsError, match="more than the 4,000,000"):
        prototxt.read(tmp_path / "big.prototxt")


@pytest.mark.parametrize("content, expected", [
    (b'name: "x"\nlayer {', True), (b"# text\nlayers {", True), (b"layer\n{", True),
    (b"\xef\xbb\xbfname: 'x'\ninput: 'data'\n{", True), (b'{"layers": []}', False),
    (b"player { }", False), (b'name: "x"\0 {', False), (b"", False), (b"layer " * 9999, False),
    (b"\n" * 60000 + b"x", False),
])
def test_it_recognises_its_files_only(tmp_path, content, expected):
    (tmp_path / "f").write_bytes(content)
    assert prototxt.recognises(tmp_path / "f") is expected
    assert not prototxt.recognises(tmp_path)


def test_a_cut_text_is_refused_or_read(tmp_path):
    """A text that ends between two layers is a whole one."""
    whole, path = alexnet(True), tmp_path / "cut.prototxt"
    for length in range(0, len(whole), len(whole) // 100):
        path.write_text(whole[:length])
        try:
            prototxt.read(path)
        except WeightsError as error:
            assert "cut.prototxt" in str(error)


def test_spoiled_files_are_read_or_refused():
    """The first of the files that `python tests/fuzz/prototxt.py` tries by the thousand."""
    outcome = runner.run(fuzz.read, fuzz.seeds, 200, seed=1)
    assert outcome["read"] and outcome["refused"]
