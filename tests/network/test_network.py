"""Network: how far a pass goes, what it refuses, names, counts and types.

What a run keeps is in test_network_runs.py, the way back in test_network_gradients.py.
"""

import nets
import numpy as np
import pytest

from minicnn.images import Preprocessing
from minicnn.network import LayerNameError, Network
from minicnn.network.layers import Branches, Conv, Dense, Dropout, MaxPool, ReLU, Sigmoid, Softmax

ALL = nets.everything().names


# ---- how far forward goes

def test_the_whole_pass_records_every_layer_in_the_traced_shape():
    network, x = nets.everything(), nets.images(2)
    run = network.forward(x)
    assert list(run.activations) == ["image", *ALL]
    assert {name: run[name].shape[1:] for name in ALL} == network.shapes
    assert run.output is run["prob"] and run["image"] is x and run.complete


def test_names_are_in_the_order_of_computation_with_branches_before_their_join():
    assert ALL[4:14] == ["pool1", "mix/1x1", "mix/relu_1x1", "mix/3x1", "mix/norm", "mix/relu_3x1",
                         "mix/pool", "mix/project", "mix", "conv2"]


@pytest.mark.parametrize("name", ALL)
def test_a_pass_to_a_layer_stops_there_with_the_same_numbers(name):
    network, x = nets.everything(), nets.images(2)
    run = network.forward(x, to=name)
    assert nets.same(run.output, network.forward(x)[name])
    assert list(run.activations) == ["image", *ALL[: ALL.index(name) + 1]]


def test_to_inside_a_branch_computes_neither_later_branches_nor_the_join():
    run = nets.everything().forward(nets.images(2), to="mix/3x1")
    assert "mix/3x1" in run and "mix/pool" not in run and "mix" not in run
    with pytest.raises(LayerNameError, match="mix/pool was not reached"):
        run["mix/pool"]


def test_to_several_goes_as_far_as_the_last_and_holds_all():
    run = nets.everything().forward(nets.images(2), to=["mix/project", "bn1", "mix/1x1"], keep=())
    assert list(run.activations) == ["image", "bn1", "mix/1x1", "mix/project"]


def test_keep_adds_to_what_to_holds():
    run = nets.everything().forward(nets.images(2), to="conv2", keep=["mix/norm"])
    assert list(run.activations) == ["image", "mix/norm", "conv2"]
    with pytest.raises(LayerNameError, match="pool1 was not kept.*mix/norm, conv2"):
        run["pool1"]


# ---- the network itself

def test_count_names_and_logits():
    network = Network("n", [("conv", Conv(4, (3, 2))), ("fc", Dense(5)), ("prob", Softmax())],
                      (3, 3, 2))
    assert network.count() == 3 * 2 * 2 * 4 + 4 + (1 * 2 * 4) * 5 + 5
    assert network.names == ["conv", "fc", "prob"] and network.logits == "fc"
    assert repr(network) == "<Network n: 3 layers, 97 parameters>"
    assert Network("s", [("fc", Dense(1)), ("p", Sigmoid())], (2,)).logits == "fc"


def test_initialize_is_seeded_float32_and_of_variance_two_over_fan_in():
    def draw(seed):
        network = Network("n", [("fc", Dense(200))], (10, 5, 8)).initialize(seed)
        return network["fc"].params
    w = draw(1)["w"]
    assert nets.same(w, draw(1)["w"]) and not nets.same(w, draw(2)["w"]) and w.dtype == np.float32
    # 80,000 numbers: their variance strays by (2 / 80,000) ** 0.5 = 0.5 %; four of that
    assert abs(w.var() / (2 / 400) - 1) < 0.02 and not draw(1)["b"].any()


def test_batch_norm_starts_as_no_change():
    params = nets.everything().initialize()["bn1"].params
    assert {key: set(value.tolist()) for key, value in params.items()} == {
        "gamma": {1.0}, "beta": {0.0}, "mean": {0.0}, "variance": {1.0}}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_astype_makes_the_whole_pass_that_type(dtype):
    network = nets.everything(dtype=np.float32).astype(dtype)
    run = network.forward(nets.images(2, dtype=dtype), learn=True)
    seeds = {"fc": nets.like(run["fc"])}
    gradients = run.weight_gradients(seeds)
    arrays = [*(run[name] for name in ALL), run.backward(seeds),
              *(d for named in gradients.values() for d in named.values())]
    assert {a.dtype for a in arrays} == {np.dtype(dtype)}


def test_to_cpu_keeps_the_arrays():
    network = nets.everything()
    w = network["fc"].params["w"]
    assert network.to("cpu") is network and network["fc"].params["w"] is w


def test_until_shares_layers_and_extended_adds_some():
    network = nets.everything()
    cut = network.until("mix")
    assert cut.names == ALL[: ALL.index("mix") + 1] and cut["conv1"] is network["conv1"]
    longer = cut.extended("longer", [("head", Dense(2))], ["a", "b"])
    assert longer.name == "longer" and longer.names[-1] == "head" and longer.labels == ["a", "b"]
    with pytest.raises(LayerNameError, match="cannot end at 'mix/1x1'; it can end at conv1, bn1"):
        network.until("mix/1x1")


def test_classify_names_the_likeliest_first():
    network = Network("n", [("fc", Dense(3)), ("prob", Softmax())], (1, 1, 1),
                      Preprocessing((1, 1), "L", 0.0, 1.0, resize_to=None), ["a", "b", "c"])
    network["fc"].params = {"w": np.zeros((1, 3), np.float32),
                            "b": np.log(np.array([1, 5, 4], np.float32))}
    grey = np.zeros((1, 1, 3), np.uint8)
    found = network.classify(grey, top=2)
    assert [label for label, _ in found] == ["b", "c"]
    np.testing.assert_allclose([p for _, p in found], [0.5, 0.4], rtol=1e-6)  # float32
    assert network.until("prob").classify(grey, top=1)[0][0] == "class 1"


def test_convolutional_part_takes_other_sizes():
    network = nets.everything().until("pool2")
    run = network.forward(nets.images(1, (12, 14, 3)))
    assert run.backward({"pool2": nets.like(run.output)}).shape == (1, 12, 14, 3)


# ---- what it refuses

@pytest.mark.parametrize("wrong, near", [("conv3", "conv2, conv1"), ("mix/3x3", "mix/3x1")])
def test_a_wrong_name_shows_the_near_ones(wrong, near):
    network = nets.everything()
    run = network.forward(nets.images(1))
    dy = nets.like(run["fc"])
    for ask in (lambda: network[wrong], lambda: network.forward(nets.images(1), to=wrong),
                lambda: network.forward(nets.images(1), keep=[wrong]), lambda: run[wrong],
                lambda: run.switches(wrong), lambda: run.backward({wrong: dy}),
                lambda: run.backward({"fc": dy}, to=wrong)):
        with pytest.raises(LayerNameError, match=f"everything has no layer '{wrong}'; near it:"
                                                 f".*{near.split(', ')[0]}"):
            ask()


def test_a_name_near_nothing_shows_all():
    with pytest.raises(LayerNameError, match="there are conv1, bn1, relu1"):
        nets.everything().find("@@@@")


def test_two_layers_of_one_name_are_refused():
    for layers in ([("a", ReLU()), ("a", ReLU())], [("a", Branches([[("a", ReLU())], []]))]):
        with pytest.raises(ValueError, match="two layers are called 'a'"):
            Network("n", layers, (2, 2, 3))


@pytest.mark.parametrize("layer, shape, message", [
    (Conv(4, 3, groups=2), (5, 5, 3), "layer odd: .*groups=2 must divide the 3 channels"),
    (Conv(4, 7), (5, 5, 3), r"layer odd: .*\(5, 5, 3\)"),
    (MaxPool(9), (5, 5, 3), r"layer odd: .*\(5, 5, 3\)"),
    (Conv(4, 3), (75,), r"layer odd: .*\(75,\)"),
    (Branches([[("p", MaxPool(2))], []]), (4, 4, 3), "layer odd: .*different sizes"),
])
def test_layers_that_do_not_fit_are_refused_by_name(layer, shape, message):
    with pytest.raises(ValueError, match=message):
        Network("n", [("odd", layer)], shape)


@pytest.mark.parametrize("shape", [(8, 10, 3), (1, 8, 10, 4), (1, 3, 8, 10)])
def test_an_input_of_the_wrong_shape_is_refused(shape):
    with pytest.raises(ValueError, match=r"expected images \(N, H, W, 3\), got \(.*\)"):
        nets.everything().forward(np.zeros(shape))


def test_an_image_too_large_for_the_dense_layer_is_refused():
    with pytest.raises(ValueError, match="another size than the network's own"):
        nets.everything().forward(nets.images(1, (12, 14, 3)))


def test_a_network_without_weights_says_so():
    network = Network("n", [("relu", ReLU()), ("fc", Dense(2)), ("drop", Dropout())], (2, 2, 3))
    with pytest.raises(ValueError, match="layer fc has no weights; use initialize.*minicnn.load"):
        network.forward(nets.images(1, (2, 2, 3)))


def test_seeds_are_checked():
    network = nets.everything()
    run = network.forward(nets.images(2), to="conv2")
    with pytest.raises(LayerNameError, match="fc was not computed in this run"):
        run.backward({"fc": np.zeros((2, 5))})
    with pytest.raises(ValueError, match=r"seed at conv2 .*\(2, 2, 2, 4\), got \(4,\)"):
        run.backward({"conv2": np.zeros(4)})
    with pytest.raises(ValueError, match="no seeds"):
        run.backward({})
    with pytest.raises(LayerNameError, match="fc was not reached"):
        run.backward({"conv2": nets.like(run.output)}, to="fc")


def test_weight_gradients_need_learn():
    run = nets.everything().forward(nets.images(1))
    with pytest.raises(ValueError, match=r"weight_gradients.*learn=True"):
        run.weight_gradients({"fc": nets.like(run["fc"])})


def test_switches_come_from_max_pooling_only():
    network, x = nets.everything(), nets.images(2)
    run = network.forward(x)
    assert run.switches("pool1").shape == run["pool1"].shape
    assert run.switches("mix/pool").max() <= 8  # places in a 3x3 window
    with pytest.raises(LayerNameError, match="pool2 recorded no switches"):
        run.switches("pool2")


def test_prepare_without_preprocessing_and_an_unknown_style_say_what_to_do():
    with pytest.raises(ValueError, match="set network.preprocessing"):
        nets.everything().prepare(np.zeros((5, 5, 3), np.uint8))
    with pytest.raises(ValueError, match="style must be one of keras, matlab, got 'latex'"):
        nets.everything().summary("latex")


# ---- class names

def labelled():
    network = nets.classifier(4)
    network.labels = ["tench, Tinca tinca", "great white shark, white shark", "tiger shark",
                      "cock"]
    return network


@pytest.mark.parametrize("name, index", [("tench", 0), ("Tinca", 0), (" WHITE SHARK ", 1),
                                         ("tiger", 2), ("cock", 3)])
def test_a_class_is_found_by_its_name_or_a_part_only_it_has(name, index):
    assert labelled().find_class(name) == index


def test_a_class_that_is_not_found_gets_a_clear_line():
    with pytest.raises(ValueError, match="several classes .*'shark': 1 great white.*; 2 tiger"):
        labelled().find_class("shark")
    with pytest.raises(ValueError, match="no class 'tensh'; near it: tench"):
        labelled().find_class("tensh")
    with pytest.raises(ValueError, match="no class names; give the class's number"):
        nets.classifier().find_class("tench")
