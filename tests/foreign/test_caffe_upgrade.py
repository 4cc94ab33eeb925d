"""Caffe's three ways to write a layer are one network."""

from minicnn.foreign.caffe_schema import V1_TYPES
from minicnn.foreign.caffe_upgrade import current


def v0(name, kind, bottom, top=None, **settings):
    inner = {"name": [name], "type": [kind]} | {key: [value] for key, value in settings.items()}
    return {"layer": [inner], "bottom": [bottom], "top": [top or name]}


def test_a_current_network_stays_as_it_is():
    net = {"name": ["n"], "layer": [{"name": ["a"], "type": ["ReLU"]}]}
    assert current(net) == (net, "current")
    assert current({"name": ["n"]}) == ({"name": ["n"]}, "current")


def test_v1s_types_by_word_and_by_number():
    for types in (["CONVOLUTION", "INNER_PRODUCT", "SOFTMAX_LOSS", "RELU", "LRN", "TANH"],
                  [4, 14, 21, 18, 15, 23]):
        net = {"layers": [{"name": ["x"], "type": [kind], "lrn_param": [{"alpha": [1.0]}]}
                          for kind in types]}
        upgraded, version = current(net)
        assert version == "V1" and "layers" not in upgraded
        assert [layer["type"] for layer in upgraded["layer"]] == [
            ["Convolution"], ["InnerProduct"], ["SoftmaxWithLoss"], ["ReLU"], ["LRN"], ["TanH"]]
        assert upgraded["layer"][0]["lrn_param"] == [{"alpha": [1.0]}]


def test_every_number_of_v1_has_a_word():
    upgraded, _ = current({"layers": [{"type": [number]} for number in V1_TYPES]})
    assert not any(layer["type"][0].isdigit() or "_" in layer["type"][0]
                   for layer in upgraded["layer"])
    assert current({"layers": [{"type": [99]}]})[0]["layer"] == [{"type": ["99"]}]


def test_v0s_settings_find_their_messages():
    upgraded, version = current({"layers": [
        v0("data", "data", "", scale=0.5, meanfile="m", cropsize=227),
        v0("conv1", "conv", "data", num_output=96, kernelsize=11, stride=4, group=2, pad=1,
           biasterm=0),
        v0("relu1", "relu", "conv1", "conv1"),
        v0("norm1", "lrn", "conv1", local_size=3, alpha=1e-4, beta=0.5, k=2.0),
        v0("pool1", "pool", "norm1", pool=1, kernelsize=3, stride=2),
        v0("fc", "innerproduct", "pool1", num_output=10, biasterm=1),
        v0("drop", "dropout", "fc", "fc", dropout_ratio=0.4),
        v0("prob", "softmax", "fc"),
    ]})
    assert version == "V0"
    data, conv, relu, norm, pool, fc, drop, prob = upgraded["layer"]
    assert data["transform_param"] == [{"scale": [0.5], "mean_file": ["m"], "crop_size": [227]}]
    assert conv["convolution_param"] == [{"num_output": [96], "bias_term": [0], "pad": [1],
                                          "kernel_size": [11], "group": [2], "stride": [4]}]
    assert norm["lrn_param"] == [{"local_size": [3], "alpha": [1e-4], "beta": [0.5], "k": [2.0]}]
    assert pool["pooling_param"] == [{"pool": [1], "kernel_size": [3], "stride": [2]}]
    assert fc["inner_product_param"] == [{"num_output": [10], "bias_term": [1]}]
    assert drop["dropout_param"] == [{"dropout_ratio": [0.4]}]
    assert [layer["type"][0] for layer in upgraded["layer"]] == [
        "Data", "Convolution", "ReLU", "LRN", "Pooling", "InnerProduct", "Dropout", "Softmax"]
    assert (relu["bottom"], relu["top"], prob["name"]) == (["conv1"], ["conv1"], ["prob"])


def test_v0s_padding_layer_becomes_padding():
    upgraded, _ = current({"layers": [
        v0("pad2", "padding", "pool1", pad=2),
        v0("conv2", "conv", "pad2", num_output=8, kernelsize=5),
    ]})
    (conv,) = upgraded["layer"]
    assert conv["bottom"] == ["pool1"] and conv["convolution_param"][0]["pad"] == [2]


def test_what_v0_does_not_know_keeps_its_name():
    upgraded, _ = current({"layers": [v0("x", "frobnicate", "data"), {"bottom": ["x"]}]})
    assert [layer["type"] for layer in upgraded["layer"]] == [["frobnicate"], ["nothing"]]
