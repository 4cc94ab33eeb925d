"""The tables: Keras' for the lecture's net, MATLAB's for AlexNet, row by row."""

import re

import nets
import pytest

from minicnn import models
from minicnn.network import Network
from minicnn.network.layers import (
    AveragePool,
    BatchNorm,
    Conv,
    Dense,
    Flatten,
    GlobalAveragePool,
    MaxPool,
    Sigmoid,
    Tanh,
)
from minicnn.ops import conv

ALEXNET = [  # as MATLAB shows net.Layers of its alexnet
    "1 'data' Image Input 227x227x3 images with 'zerocenter' normalization",
    "2 'conv1' Convolution 96 11x11x3 convolutions with stride [4 4] and padding [0 0 0 0]",
    "3 'relu1' ReLU ReLU",
    "4 'norm1' Cross Channel Normalization cross channel normalization with 5 channels per element",
    "5 'pool1' Max Pooling 3x3 max pooling with stride [2 2] and padding [0 0 0 0]",
    "6 'conv2' Grouped Convolution 2 groups of 128 5x5x48 convolutions with stride [1 1] and "
    "padding [2 2 2 2]",
    "7 'relu2' ReLU ReLU",
    "8 'norm2' Cross Channel Normalization cross channel normalization with 5 channels per element",
    "9 'pool2' Max Pooling 3x3 max pooling with stride [2 2] and padding [0 0 0 0]",
    "10 'conv3' Convolution 384 3x3x256 convolutions with stride [1 1] and padding [1 1 1 1]",
    "11 'relu3' ReLU ReLU",
    "12 'conv4' Grouped Convolution 2 groups of 192 3x3x192 convolutions with stride [1 1] and "
    "padding [1 1 1 1]",
    "13 'relu4' ReLU ReLU",
    "14 'conv5' Grouped Convolution 2 groups of 128 3x3x192 convolutions with stride [1 1] and "
    "padding [1 1 1 1]",
    "15 'relu5' ReLU ReLU",
    "16 'pool5' Max Pooling 3x3 max pooling with stride [2 2] and padding [0 0 0 0]",
    "17 'fc6' Fully Connected 4096 fully connected layer",
    "18 'relu6' ReLU ReLU",
    "19 'drop6' Dropout 50% dropout",
    "20 'fc7' Fully Connected 4096 fully connected layer",
    "21 'relu7' ReLU ReLU",
    "22 'drop7' Dropout 50% dropout",
    "23 'fc8' Fully Connected 1000 fully connected layer",
    "24 'prob' Softmax softmax",
    "25 'output' Classification Output crossentropyex with 'tench' and 999 other classes",
]
LECTURE = [  # as Keras prints the lecture's net; its activations are rows of their own here
    ("conv2d_1 (Conv2D)", "(None, 26, 26, 32)", "320"),
    ("relu_1 (ReLU)", "(None, 26, 26, 32)", "0"),
    ("max_pooling2d_1 (MaxPooling2D)", "(None, 13, 13, 32)", "0"),
    ("conv2d_2 (Conv2D)", "(None, 11, 11, 64)", "18,496"),
    ("relu_2 (ReLU)", "(None, 11, 11, 64)", "0"),
    ("max_pooling2d_2 (MaxPooling2D)", "(None, 5, 5, 64)", "0"),
    ("conv2d_3 (Conv2D)", "(None, 3, 3, 64)", "36,928"),
    ("relu_3 (ReLU)", "(None, 3, 3, 64)", "0"),
    ("flatten_1 (Flatten)", "(None, 576)", "0"),
    ("dense_1 (Dense)", "(None, 64)", "36,928"),
    ("relu_4 (ReLU)", "(None, 64)", "0"),
    ("dense_2 (Dense)", "(None, 10)", "650"),
    ("softmax_1 (Softmax)", "(None, 10)", "0"),
]


def rows(text):
    """Cells of a table whose columns are at least three spaces apart."""
    return [tuple(cell.strip() for cell in line.split("   ") if cell.strip())
            for line in text.splitlines()]


def squeezed(text):
    """Lines with one space wherever there were several, empty lines left out."""
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]


def test_matlab_s_listing_of_alexnet():
    network = models.alexnet_caffe()
    network.labels = ["tench, Tinca tinca"] + [f"class {k}" for k in range(1, 1000)]
    title, *listing = squeezed(network.summary("matlab"))
    assert title == "25x1 Layer array with layers:" and listing == ALEXNET


def test_matlab_s_listing_is_in_columns():
    listing = models.alexnet_caffe().summary("matlab").splitlines()[2:]
    assert len(listing) == 25 and len({line.index("'") for line in listing}) == 1
    assert listing[0].startswith(" 1   'data'     Image Input ")


def test_the_output_row_without_labels():
    assert squeezed(models.alexnet_caffe().summary("matlab"))[-1] == (
        "25 'output' Classification Output crossentropyex with 1000 classes")


def test_the_other_descriptions():
    network = Network("n", [
        ("c", Conv(4, (3, 1), stride=(1, 2), pad=(1, 0))), ("bn", BatchNorm()), ("t", Tanh()),
        *nets.joined("mix", "t", [("m", MaxPool((3, 1), 1, pad=(1, 0)))], []),
        *nets.summed("sum", "mix", [], []), ("a", AveragePool(2)),
        ("g", GlobalAveragePool()), ("f", Flatten()), ("d", Dense(1)), ("s", Sigmoid())],
        (8, 8, 3))
    assert squeezed(network.summary("matlab")) == [
        "12x1 Layer array with layers:",
        "1 'data' Image Input 8x8x3 images with 'zerocenter' normalization",
        "2 'c' Convolution 4 3x1x3 convolutions with stride [1 2] and padding [1 1 0 0]",
        "3 'bn' Batch Normalization Batch normalization",
        "4 't' Tanh hyperbolic tangent",
        "5 'm' Max Pooling 3x1 max pooling with stride [1 1] and padding [1 1 0 0]",
        "6 'mix' Depth concatenation Depth concatenation of 2 inputs",
        "7 'sum' Addition Element-wise addition of 2 inputs",
        "8 'a' Average Pooling 2x2 average pooling with stride [2 2] and padding [0 0 0 0]",
        "9 'g' Global Average Pooling global average pooling",
        "10 'f' Flatten Flatten",
        "11 'd' Fully Connected 1 fully connected layer",
        "12 's' Sigmoid sigmoid",
    ]


def test_keras_table_of_the_lecture_s_net():
    table = rows(models.lecture_mnist().summary())
    assert table[0] == ("Model: lecture_mnist",)
    assert table[2] == ("Layer (type)", "Output Shape", "Param #")
    assert table[4:-4] == LECTURE
    assert table[-3:] == [("Total params: 93,322",), ("Trainable params: 93,322",),
                          ("Non-trainable params: 0",)]


def test_running_statistics_are_not_trainable():
    lines = nets.everything().summary().splitlines()
    total = nets.everything().count()
    assert lines[-3:] == [f"Total params: {total:,}", f"Trainable params: {total - 12:,}",
                          "Non-trainable params: 12"]  # mean and variance of 6 channels


def test_layers_in_branches_have_rows_before_their_join():
    names = [row[0] for row in rows(models.squeezenet11().summary())]
    at = names.index("fire2/concat (Concatenate)")
    assert names[at - 4 : at] == [
        "fire2/expand1x1 (Conv2D)", "fire2/relu_expand1x1 (ReLU)",
        "fire2/expand3x3 (Conv2D)", "fire2/relu_expand3x3 (ReLU)"]


@pytest.mark.parametrize("name", [name for name in models.__all__ if name != "load"])
def test_every_model_has_both_tables(name):
    network = getattr(models, name)()
    assert len(network.summary().splitlines()) == len(network.names) + 8
    listing = squeezed(network.summary("matlab"))
    assert [line.split("'")[1] for line in listing[2 : 2 + len(network.names)]] == network.names


def test_what_ceil_rounding_adds_is_padding_at_the_bottom_and_right():
    """112 rows, windows of 3 at step 2: 56 of them reach one row beyond."""
    listing = models.googlenet().summary("matlab")
    (row,) = [line for line in listing.splitlines() if "'pool1/3x3_s2'" in line]
    assert row.endswith("3x3 max pooling with stride [2 2] and padding [0 1 0 1]")
    (row,) = [line for line in listing.splitlines() if "'inception_3a/pool'" in line]
    assert row.endswith("3x3 max pooling with stride [1 1] and padding [1 1 1 1]")


# ---- receptive fields

def test_keras_table_with_receptive_fields():
    """Padding of 1 before every convolution; the dense layers see the whole photo."""
    plain, full = (rows(models.minivgg().summary("keras", both)) for both in (False, True))
    assert full[2] == (*plain[2], "Receptive Field", "Stride", "Offset")
    assert [row[:3] for row in full[4:-4]] == plain[4:-4] and full[-3:] == plain[-3:]
    seen = {row[0].split()[0]: row[3:] for row in full[4:-4]}
    assert seen["conv1_1"] == ("3x3", "1x1", "-1,-1") and seen["pool1"] == ("4x4", "2x2", "-1,-1")
    assert seen["relu4_2"] == ("62x62", "8x8", "-27,-27")
    assert seen["fc5"] == seen["prob"] == ("64x64", "-", "-")


def test_vertical_comes_first():
    network = Network("n", [("c", Conv(1, (3, 5), stride=(1, 2), pad=(1, 0)))], (8, 9, 1))
    assert rows(network.summary("keras", True))[4][3:] == ("3x5", "1x2", "-1,0")


def test_matlab_s_listing_with_receptive_fields():
    plain, full = (models.alexnet_caffe().summary("matlab", both).splitlines()
                   for both in (False, True))
    words = "; sees 163x163 pixels at step 16x16 from -64,-64"
    assert full[2 + 13] == plain[2 + 13] + words and "'conv5'" in full[2 + 13]
    assert full[2 + 16] == plain[2 + 16] + "; sees 227x227 pixels"
    assert full[2] == plain[2] and full[-1] == plain[-1]  # the input and the output are no layers
    assert all(longer.startswith(line) for line, longer in zip(plain, full, strict=True))


def test_a_notebook_s_table():
    network = nets.everything()
    page = network._repr_html_()
    rows = [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in page.split("<tr>")[2:]]
    assert [row[0] for row in rows] == network.names
    by_name = {name: row for name, *row in rows}
    assert by_name["conv1"] == ["Conv(filters=6, kernel=3, pad=1, bias=False)", "",
                                "x".join(map(str, network.shapes["conv1"])),
                                "w " + "x".join(map(str, network.params["conv1"]["w"].shape)),
                                f"{network.params['conv1']['w'].size:,}"]
    assert by_name["mix/3x1"][1] == "pool1" and by_name["relu2"][1] == ""
    assert f"{network.count():,} parameters" in page and "without weights" not in page
    assert "without weights: conv1, bn1, mix/1x1, ..." in nets.empty()._repr_html_()


def test_a_notebook_s_table_says_what_computes_the_layers():
    network = models.minivgg()
    assert "computed by" not in network._repr_html_()
    mine = network.using("plain", conv=conv).using({"pool1": "fast"})
    rows = [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in mine._repr_html_().split("<tr>")]
    found = {row[0]: row[-1] for row in rows[2:]}
    assert found["conv1_1"] == "forward and backward of conv.py"
    assert found["pool1"] == "minicnn.fast.pool" and found["relu1_1"] == "minicnn.ops.relu"
    assert "all others: plain" in repr(mine) and "conv: " in repr(mine)


def test_names_in_it_are_escaped():
    network = Network("<b>", [("<script>", Conv(1, 1))], (2, 2, 1))
    assert "<script>" not in network._repr_html_() and "&lt;b&gt;" in network._repr_html_()


def test_completion_of_names_in_a_notebook():
    """As IPython completes what follows net[", run[" and net.params["."""
    completer = pytest.importorskip("IPython.core.completer")
    network = nets.everything()
    run = network.forward(nets.images(1))
    assert network._ipython_key_completions_() == network.names
    complete = completer.Completer(namespace={"net": network, "run": run})
    asked = completer.IPCompleter(shell=None, namespace=complete.namespace, use_jedi=False)
    for text, names in [('net["mix/re', ["mix/relu_1x1", "mix/relu_3x1"]), ('run["con', [
            "conv1", "conv2"]), ('net.params["conv', ["conv1", "conv2"])]:
        asked.text_until_cursor = asked.line_buffer = text
        found = [one.partition('"')[2] for one in asked.dict_key_matches(text)]
        assert sorted(found) == names, text
