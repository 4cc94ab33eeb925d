"""Network: how far a pass goes, what it refuses, names, counts and types.

What a run keeps is in test_run.py, the way back in test_run_backward.py.
"""

import nets
import numpy as np
import pytest

from minicnn import train
from minicnn.images import Preprocessing
from minicnn.network import LayerNameError, Network
from minicnn.network.layers import (
    Add,
    BatchNorm,
    Concat,
    Conv,
    Dense,
    Dropout,
    MaxPool,
    ReLU,
    Sigmoid,
    Softmax,
)

ALL = nets.everything().names


# ---- how far forward goes

def test_the_whole_pass_records_every_layer_in_the_traced_shape():
    network, x = nets.everything(), nets.images(2)
    run = network.forward(x)
    assert list(run.activations) == ["image", *ALL]
    assert {name: run[name].shape[1:] for name in ALL} == network.shapes
    assert run.output is run["prob"] and run["image"] is x


def test_names_are_in_the_order_of_computation():
    assert ALL[4:14] == ["pool1", "mix/1x1", "mix/relu_1x1", "mix/3x1", "mix/norm", "mix/relu_3x1",
                         "mix/pool", "mix/project", "mix", "sum/conv"]


def needed_for(name):
    """What a layer depends on and itself, in order; "image" first."""
    network, needed, waiting = nets.everything(), set(), [name]
    while waiting:
        place = waiting.pop()
        needed.add(place)
        waiting += network.inputs(place) if place != "image" else ()
    return [place for place in ["image", *ALL] if place in needed]


@pytest.mark.parametrize("name", ALL)
def test_a_pass_to_a_layer_stops_there_with_the_same_numbers(name):
    network, x = nets.everything(), nets.images(2)
    run = network.forward(x, to=name)
    assert nets.same(run.output, network.forward(x)[name])
    assert list(run.activations) == needed_for(name)


def test_to_computes_no_path_that_it_does_not_depend_on():
    run = nets.everything().forward(nets.images(2), to="mix/project")
    assert list(run.activations)[5:] == ["pool1", "mix/pool", "mix/project"]
    run = nets.everything().forward(nets.images(2), to="mix/3x1")
    assert "mix/1x1" not in run and "mix" not in run
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


def test_it_is_a_mapping_of_its_layers():
    network = nets.everything()
    assert "conv1" in network and "nothing" not in network and "image" not in network
    assert list(network) == network.names and len(network) == len(network.rows)
    assert network.get("nothing") is None and dict(network)["conv1"] is network["conv1"]
    empty = network.until("conv1")
    assert network and network == network and network != empty and {network: 1}[network] == 1


def test_its_arrays_print_their_shapes():
    network = nets.everything()
    lines = repr(network.astype("float64").params).splitlines()
    assert [line.split()[0] for line in lines] == [*network.params]
    shape = "x".join(map(str, network.params["conv1"]["w"].shape))
    assert lines[0].split() == ["conv1", "w", shape]
    assert repr(nets.empty().params).splitlines()[0].split() == ["conv1", "empty"]
    assert isinstance(network.params, dict)


def test_initialize_is_seeded_float32_and_of_variance_two_over_fan_in():
    def draw(seed):
        network = Network("n", [("fc", Dense(200))], (10, 5, 8)).initialize(seed)
        return network.params["fc"]
    w = draw(1)["w"]
    assert nets.same(w, draw(1)["w"]) and not nets.same(w, draw(2)["w"]) and w.dtype == np.float32
    # 80,000 numbers: their variance strays by (2 / 80,000) ** 0.5 = 0.5 %; four of that
    assert abs(w.var() / (2 / 400) - 1) < 0.02 and not draw(1)["b"].any()


def test_batch_norm_starts_as_no_change():
    params = nets.empty().initialize().params["bn1"]
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


def test_to_cpu_is_a_new_network_with_the_same_arrays():
    network = nets.everything()
    there = network.to("cpu")
    assert there is not network and there.params["fc"]["w"] is network.params["fc"]["w"]
    there.params["fc"]["w"] = None
    assert network.params["fc"]["w"] is not None


def test_astype_leaves_the_network_as_it_was():
    network = nets.everything()
    same, single = network.astype(np.float64), network.astype(np.float32)
    same.params["fc"]["w"][:] = 0
    assert network.params["fc"]["w"].dtype == np.float64 and network.params["fc"]["w"].any()
    assert {a.dtype for a in nets.parameters(single).values()} == {np.dtype(np.float32)}


def test_until_keeps_what_the_layer_depends_on_and_shares_its_arrays():
    network = nets.everything()
    for name in ("mix", "mix/project"):
        cut = network.until(name)
        assert cut.names == needed_for(name)[1:]
        assert all(cut.params[n] is network.params[n] for n in cut.params)
        x = nets.images(2)
        assert nets.same(cut.forward(x).output, network.forward(x)[name])


@pytest.mark.parametrize("cut", ["pool1", "mix", "sum"])
def test_after_computes_the_rest_from_what_until_gave(cut):
    network, x = nets.everything(), nets.images(2)
    rest = network.after(cut)
    assert network.until(cut).names + rest.names == network.names
    assert all(rest.params[name] is network.params[name] for name in rest.params)
    got = rest.forward(network.until(cut).forward(x).output)
    assert nets.same(got.output, network.forward(x).output)


def test_training_the_rest_is_training_the_whole_with_the_first_rows_frozen():
    x, labels = nets.images(2), np.array([0, 3])
    whole, parted = nets.everything(), nets.everything()
    features, first = parted.until("sum").forward(x).output, whole.until("sum").names
    train.train_step(whole, x, labels, train.SGD(0.1), frozen=first)
    assert train.train_step(parted.after("sum"), features, labels, train.SGD(0.1))[0] > 0
    before, expected = (nets.parameters(nets.everything()), nets.parameters(whole))
    for name, value in nets.parameters(parted).items():
        assert nets.same(value, expected[name])
        assert (name.split("/")[0] in ("conv2", "fc")) != nets.same(value, before[name])


@pytest.mark.parametrize("cut", ["mix/1x1", "flat", "prob"])
def test_no_rest_after_a_branch_a_vector_or_the_end(cut):
    with pytest.raises(ValueError, match=f"cannot be cut behind layer {cut}.*: conv1, .*, drop$"):
        nets.everything().after(cut)


def test_a_rest_leaves_out_rows_that_the_end_does_not_need():
    network = Network("n", [("conv", Conv(2, 1)), ("aside", Conv(3, 1), "image"),
                            ("end", Conv(1, 1), "conv")], (4, 4, 2)).initialize(0)
    assert network.after("conv").names == ["end"]
    assert network.using("plain").after("conv").choice == network.using("plain").choice


def test_extending_leaves_the_network_as_it_was():
    cut = nets.everything().until("mix")
    before = {name: value.copy() for name, value in nets.parameters(cut).items()}
    longer = cut.extended("longer", [("head", Dense(2)), ("image_too", Conv(2, 1), "image")],
                          ["a", "b"]).initialize(7)
    assert longer.name == "longer" and longer.names[-2] == "head" and longer.labels == ["a", "b"]
    assert longer.params["head"]["w"].any() and "head" not in cut.params
    assert all(nets.same(value, before[name]) for name, value in nets.parameters(cut).items())
    assert longer.params["conv1"] is cut.params["conv1"]


def test_initialize_fills_only_what_is_empty():
    network = nets.everything()
    before = dict(nets.parameters(network))
    del network.params["conv2"]["b"]
    assert network.empty() == ["conv2"]
    network.initialize(3)
    assert not network.params["conv2"]["b"].any() and network.empty() == []
    assert all(nets.parameters(network)[name] is value for name, value in before.items()
               if name != "conv2/b")


def test_a_network_begins_with_copies_of_a_trained_one_s_arrays():
    trained, network = nets.everything().until("mix"), nets.empty()
    own = network.params["bn1"]["gamma"] = np.full(6, 7.0)
    arrays = nets.parameters(network.initialize(3, trained))
    known = nets.parameters(trained)
    assert arrays["bn1/gamma"] is own and not arrays["conv2/b"].any()
    for name in known.keys() - {"bn1/gamma"}:
        assert nets.same(arrays[name], known[name]) and arrays[name] is not known[name]
    head = Network("head", [("fc", Dense(2))], (1, 1, 2))
    with pytest.raises(ValueError, match=r"layer fc of network head has w .*rename the layer"):
        head.initialize(0, nets.everything())


@pytest.mark.parametrize("change", [
    lambda w: w.__setitem__((0, 0, 0, 0), 9), lambda w: w.sort(axis=0), lambda w: np.negative(w, w),
    lambda w: w.__setitem__(..., w.transpose(1, 0, 2, 3).copy())])
@pytest.mark.parametrize("kernel", [1, 3, 5])
def test_a_write_in_place_changes_the_next_pass(kernel, change):
    """As a new network of these weights computes, to the byte; 32 channels have faster ways."""
    def build(w):
        network = Network("n", [("conv", Conv(32, kernel, pad=kernel // 2, bias=False))],
                          (24, 24, 32))
        network.params["conv"]["w"] = w
        return network

    rng = np.random.default_rng(0)
    x = rng.standard_normal((2, 24, 24, 32), np.float32)
    network = build(rng.standard_normal((kernel, kernel, 32, 32), np.float32))
    before = network.forward(x)
    before.backward({"conv": before.output})
    change(network.params["conv"]["w"])
    after, fresh = (n.forward(x) for n in (network, build(network.params["conv"]["w"].copy())))
    assert nets.same(after.output, fresh.output)
    assert nets.same(*(run.backward({"conv": before.output}) for run in (after, fresh)))
    assert kernel == 1 or not nets.same(before.output, after.output)


# ---- rows

def test_a_row_reads_the_row_above_or_what_it_names():
    network = Network("n", [("a", Conv(2, 1)), ("b", ReLU()), ("c", Conv(2, 1), "a"),
                            ("sum", Add(), ("b", "c", "b")), ("all", Concat(), ["image", "sum"])],
                      (4, 5, 3))
    assert [row.inputs for row in network.rows] == [
        ("image",), ("a",), ("a",), ("b", "c", "b"), ("image", "sum")]
    assert network.shapes["all"] == (4, 5, 5) and network.inputs("sum") == ("b", "c", "b")
    nets.trained(network)
    run = network.forward(x := nets.images(2, (4, 5, 3)))
    np.testing.assert_allclose(run["sum"], 2 * run["b"] + run["c"], rtol=1e-14)  # 3 roundings
    assert nets.same(run["all"][..., :3], x)
    seed = nets.like(run.output)
    dx = run.backward({"all": seed}, to="a")
    through_b = 2 * seed[..., 3:] * (run["a"] > 0)
    np.testing.assert_allclose(dx, through_b + seed[..., 3:] @ network.params["c"]["w"][0, 0].T,
                               rtol=1e-12)


@pytest.mark.parametrize("rows, message", [
    ([("a", ReLU()), ("b", ReLU(), "x")], "layer b: it reads 'x', but no row above"),
    ([("relu1", ReLU(), "relu2"), ("relu2", ReLU())], "layer relu1: it reads 'relu2'"),
    ([("pool1", ReLU()), ("b", ReLU(), "pool2")], "near it: pool1"),
    ([("a", ReLU(), ("image", "image"))], "layer a: ReLU reads one array, but its row names 2"),
    ([("a", Add(), ())], "layer a: Add reads at least one array, but its row names 0"),
    ([("a", Conv(4, 1)), ("s", Add(), ["image", "a"])], "layer s: Add: .*differ in shape"),
    ([("a",)], "a row is .name, layer. or .name, layer, inputs., got"),
    ([("image", ReLU())], "two layers are called 'image'"),
    ([], "expected at least one row, got none"),
])
def test_rows_that_cannot_be_are_refused(rows, message):
    with pytest.raises(ValueError, match=message):
        Network("n", rows, (4, 4, 3))


def test_the_trunk_is_what_all_paths_pass_through():
    assert nets.everything().trunk == [
        "conv1", "bn1", "relu1", "norm1", "pool1", "mix", "sum", "conv2", "relu2", "pool2", "drop",
        "flat", "fc", "prob"]


def test_classify_names_the_likeliest_first():
    network = Network("n", [("fc", Dense(3)), ("prob", Softmax())], (1, 1, 1),
                      Preprocessing((1, 1), "L", 0.0, 1.0, resize_to=None), ["a", "b", "c"])
    network.params["fc"] = {"w": np.zeros((1, 3), np.float32),
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
    with pytest.raises(ValueError, match="two layers are called 'a'"):
        Network("n", [("a", ReLU()), ("a", ReLU())], (2, 2, 3))


@pytest.mark.parametrize("layer, shape, message", [
    (Conv(4, 3, groups=2), (5, 5, 3), "layer odd: .*groups=2 must divide the 3 channels"),
    (Conv(4, 7), (5, 5, 3), r"layer odd: .*\(5, 5, 3\)"),
    (MaxPool(9), (5, 5, 3), r"layer odd: .*\(5, 5, 3\)"),
    (Conv(4, 3), (75,), r"layer odd: .*\(75,\)"),
])
def test_layers_that_do_not_fit_are_refused_by_name(layer, shape, message):
    with pytest.raises(ValueError, match=message):
        Network("n", [("odd", layer)], shape)


def test_paths_of_different_sizes_cannot_be_joined():
    with pytest.raises(ValueError, match="layer odd: Concat: its inputs differ in size"):
        Network("n", nets.joined("odd", "image", [("p", MaxPool(2))], []), (4, 4, 3))


@pytest.mark.parametrize("shape", [(8, 10, 3), (1, 8, 10, 4), (1, 3, 8, 10)])
def test_an_input_of_the_wrong_shape_is_refused(shape):
    with pytest.raises(ValueError, match=r"expected images \(N, H, W, 3\), got \(.*\)"):
        nets.everything().forward(np.zeros(shape))


def test_an_image_too_large_for_the_dense_layer_is_refused():
    with pytest.raises(ValueError, match="another size than the network's own"):
        nets.everything().forward(nets.images(1, (12, 14, 3)))


def test_a_network_without_weights_says_so():
    network = Network("n", [("relu", ReLU()), ("fc", Dense(2)), ("drop", Dropout())], (2, 2, 3))
    with pytest.raises(ValueError, match="fc has no weights; initialize.*fills in random ones"):
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
    with pytest.raises(ValueError, match=r"set network.preprocessing = .*Preprocessing\(\(8, 10\)"):
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


def test_learning_in_some_layers_only():
    """A batch norm that does not learn normalises by its stored statistics; the gradient of the
    weights of those that do is the same as when all learn."""
    network, x = nets.everything(), nets.images(4)
    norms = [name for name in network.names if isinstance(network[name], BatchNorm)]
    some = network.forward(x, learn=[name for name in network.names if name not in norms])
    plain = network.forward(x)
    np.testing.assert_array_equal(some[norms[0]], plain[norms[0]])
    assert (some[norms[0]] != network.forward(x, learn=True)[norms[0]]).any()
    last = network.logits
    gradients = some.weight_gradients({last: some[last]})
    assert not gradients.keys() & set(norms) and "conv1" in gradients
    (only,) = network.forward(x, learn=[last]).weight_gradients({last: some[last]})
    assert only == last
