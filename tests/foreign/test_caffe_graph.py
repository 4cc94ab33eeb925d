"""Blobs and layers followed from the image to the end; what does not fit is refused."""

import pytest

from minicnn.foreign.caffe_graph import (
    check_names,
    graph,
    included,
    last,
    left_out,
    needed_for,
    translated,
)
from minicnn.foreign.settings import Misfit

CONV = {"convolution_param": [{"num_output": [4], "kernel_size": [1]}]}
DENSE = {"inner_product_param": [{"num_output": [2]}]}
TYPES = {"c": ("Convolution", CONV), "f": ("InnerProduct", DENSE), "r": ("ReLU", {}),
         "j": ("Concat", {}), "b": ("BatchNorm", {}), "s": ("Scale", {}), "e": ("Eltwise", {}),
         "a": ("Accuracy", {}), "p": ("Softmax", {}), "l": ("SoftmaxWithLoss", {}),
         "x": ("Split", {}), "d": ("Data", {}), "u": ("Pooling", {"pooling_param": [
             {"kernel_size": [2], "stride": [2]}]})}


def net(*lines):
    """Layers from lines such as "c1: data > a" ("> c1" where no top is said), after an input."""
    return {"input": ["data"], "layer": [layer(line) for line in lines]}


def layer(line):
    name, _, blobs = line.partition(":")
    bottoms, _, tops = blobs.partition(">")
    kind, settings = TYPES[name[0]]
    return {"name": [name], "type": [kind], "bottom": bottoms.split(),
            "top": tops.split() or [name]} | settings


def outline(rows):
    """Names, and what a row reads where that is not the row above it: "j1: c2 c3"."""
    above, lines = "image", []
    for name, _, inputs in rows:
        lines.append(name if inputs == [above] else f"{name}: {' '.join(inputs)}")
        above = name
    return lines


def outlined(*lines, **options):
    return outline(translated(net(*lines), **options).rows)


def test_a_chain_in_place_and_not():
    assert outlined("c1: data", "r1: c1 > c1", "u1: c1", "f1: u1", "r2: f1", "p: r2") == [
        "c1", "r1", "u1", "f1", "r2", "p"]


def test_an_inception_and_a_fire_module():
    assert outlined("c1: data", "c2: c1", "r2: c2 > c2", "c3: c1", "c4: c3", "j1: c2 c4",
                    "r5: j1") == ["c1", "c2", "r2", "c3: c1", "c4", "j1: r2 c4", "r5"]
    assert outlined("c2: data", "c3: data", "j1: c2 c3") == ["c2", "c3: image", "j1: c2 c3"]


def test_paths_are_joined_in_the_order_that_the_concat_names():
    assert outlined("c2: data", "c3: data", "c4: data", "j1: c4 c2 c3")[-1] == "j1: c4 c2 c3"


def test_a_path_may_be_empty():
    """DenseNet's block: what came in is joined to what was made of it."""
    assert outlined("c2: data", "j1: data c2") == ["c2", "j1: image c2"]


@pytest.mark.parametrize("lines, joins", [
    (["c1: data", "c2: c1", "c3: c1", "j1: c2 c3", "c4: data", "j2: j1 c4"],
     ["j1: c2 c3", "j2: j1 c4"]),
    (["c1: data", "c2: data", "c3: data", "j1: c1 c2", "j2: j1 c3"], ["j1: c1 c2", "j2: j1 c3"]),
    (["c1: data", "c2: c1", "c3: c1", "c4: data", "j1: c2 c4 c3"], ["j1: c2 c4 c3"]),
])
def test_paths_may_meet_anywhere(lines, joins):
    """One within another, in different layers, with others between them."""
    assert [line for line in outlined(*lines) if line[0] == "j"] == joins


def test_caffes_own_splits_are_seen_through():
    """A trained file holds the Split layers that Caffe puts in where a blob is read twice."""
    assert outlined("x1: data > data_0 data_1", "c2: data_0", "c3: data_1", "j1: c2 c3") == [
        "c2", "c3: image", "j1: c2 c3"]


def test_a_concat_of_one_is_nothing():
    assert outlined("c1: data", "j1: c1", "r1: j1") == ["c1", "r1"]


def test_batch_norm_and_scale_are_one():
    for lines in (["b1: c1 > c1", "s1: c1 > c1"], ["b1: c1", "s1: b1 > c1"]):
        found = translated(net("c1: data", *lines, "r1: c1 > c1"))
        assert outline(found.rows) == ["c1", "b1", "r1"] and found.scales == {"b1": "s1"}
    found = translated(net("c1: data", "b1: c1 > c1", "r1: c1 > c1"))
    assert found.scales == {"b1": None}


@pytest.mark.parametrize("lines, message", [
    (["s1: c1"], "layer 's1' is of Caffe's type 'Scale'"),
    (["b1: c1", "r1: b1", "s1: b1", "j1: r1 s1"], "layer 's1' is of Caffe's type 'Scale'"),
    (["b1: c1", "s1: b1", "r1: b1", "j1: r1 s1"],
     "layer 'r1' reads 'b1', the output of a BatchNorm"),
])
def test_a_scale_alone_is_refused(lines, message):
    with pytest.raises(Misfit, match=message):
        translated(net("c1: data", *lines))


def test_measures_and_training_only_classifiers_are_left_out():
    found = translated({"layer": [layer(line) for line in (
        "d1: > data label", "c1: data", "f1: c1", "l1: f1 label", "c2: c1", "f2: c2",
        "l2: f2 label", "a1: f2 label")]})
    assert outline(found.rows) == ["c1", "c2", "f2", "prob"]
    assert found.left_out == ["f1", "l1"]
    assert found.notes == ["The loss 'l2' became its softmax, named 'prob'."]


def test_a_softmax_beside_a_loss_is_the_end():
    found = translated(net("f1: data", "l1: f1", "p: f1"))
    assert outline(found.rows) == ["f1", "p"] and found.left_out == ["l1"]


def test_a_loss_keeps_its_name_where_prob_is_taken():
    assert outlined("f1: data", "l1: f1") == ["f1", "prob"]
    with_prob = net("f1: data", "l1: f1", "f2: data")
    with_prob["layer"][0]["name"] = ["prob"]
    with pytest.raises(Misfit, match="several ends, 'l1' and 'f2'"):
        translated(with_prob)
    del with_prob["layer"][2]
    assert outline(translated(with_prob).rows) == ["prob", "l1"]


def test_rules_decide_which_layers_there_are():
    train, test = {"phase": ["TRAIN"]}, {"phase": [1]}
    lines = [layer("c1: data"), layer("c2: c1"), layer("p: c2")]
    lines[1] |= {"include": [train]}
    lines.insert(2, layer("f2: c1 > c2") | {"include": [test]})
    lines.append(layer("r9: p > p") | {"exclude": [{"phase": [0]}]})
    both = {"input": ["data"], "layer": lines}
    assert outline(translated(both, "TRAIN").rows) == ["c1", "c2", "p"]
    assert outline(translated(both, "TEST").rows) == ["c1", "f2", "p", "r9"]


def test_a_data_layer_of_any_phase_gives_the_image():
    """In a trained file only the training's data layer is left."""
    data = layer("d1: > data label") | {"include": [{"phase": ["TRAIN"]}]}
    assert outline(translated({"layer": [data, layer("c1: data")]}, "TEST").rows) == ["c1"]
    twice = {"layer": [data, data, layer("c1: data")]}
    assert outline(translated(twice).rows) == ["c1"]


def test_sizes_are_followed():
    lines = "c1: data", "u1: c1", "c2: u1", "c3: u1", "j1: c2 c3"
    assert outlined(*lines, shape=(8, 8, 3)) == ["c1", "u1", "c2", "c3: u1", "j1: c2 c3"]
    with pytest.raises(Misfit, match="layer 'j1': Concat: its inputs differ in size"):
        translated(net("c1: data", "c2: c1", "u3: c1", "j1: c2 u3"), shape=(8, 8, 3))
    large = net("c1: data", "c2: c1")
    large["layer"][1]["convolution_param"] = [{"num_output": [4], "kernel_size": [3]}]
    with pytest.raises(Misfit, match=r"layer 'c2': .*does not fit .*\(its input is \(2, 2, 4\)"):
        translated(large, shape=(2, 2, 3))
    with pytest.raises(Misfit, match="layer 'c2': Conv: groups=3 must divide the 4 channels"):
        grouped = net("c1: data", "c2: c1")
        grouped["layer"][1]["convolution_param"] = [{"num_output": [6], "kernel_size": [1],
                                                     "group": [3]}]
        translated(grouped, shape=(8, 8, 3))
    with pytest.raises(Misfit, match="layer 'c2': it needs an image"):
        translated(net("f1: data", "c2: f1"), shape=(8, 8, 3))


@pytest.mark.parametrize("lines, message", [
    ([], "the network has no layers"),
    (["c1: nothing"], "layer 'c1' reads 'nothing', which no layer before it writes"),
    (["c1: data", "c2: data", "e1: c1 c2"], "layer 'e1' is of Caffe's type 'Eltwise' and reads 2"),
    (["c1: data", "c2: c1", "e1: c1 c2", "r1: e1"], "layer 'e1'.*'Eltwise'"),
    (["c1: data", "r1: c1", "r2: c1"], "several ends, 'r1' and 'r2'; one is expected"),
    (["c1: data", "r1: c1", "c1: r1"], "two layers are called 'c1'"),
    (["d9: > other", "c1: data", "j1: c1 other"], "layer 'j1' reads 'other', which does not come"),
    (["d9: > other", "c1: other"], "end, layer 'c1', does not depend on the image"),
    (["u1: data > u1 mask", "c1: mask", "j1: u1 c1"], "layer 'c1' reads 'mask', which does not"),
])
def test_what_does_not_fit_is_refused_by_name(lines, message):
    with pytest.raises(Misfit, match=message):
        translated(net(*lines))


@pytest.mark.parametrize("name", ["", "image", "a\nb", "n" * 501])
def test_names_that_cannot_be_used_are_refused(name):
    lines = net("c1: data")
    lines["layer"][0]["name"] = [name]
    with pytest.raises(Misfit, match="is called"):
        translated(lines)


def test_joining_along_another_axis_is_refused():
    lines = net("c1: data", "c2: data", "j1: c1 c2")
    lines["layer"][2]["concat_param"] = [{"axis": [2]}]
    with pytest.raises(Misfit, match=r"layer 'j1' \(Concat\): axis 2 is not supported"):
        translated(lines)


def test_the_length_is_bounded_and_the_depth_is_not():
    """Each level splits into two, of which one splits again."""
    def nested(depth, blob="data"):
        down = f"c{depth}"
        inner = nested(depth - 1, down) if depth else []
        return [f"{down}: {blob}", *inner, f"c{depth}b: {blob}",
                f"j{depth}: {f'j{depth - 1}' if depth else down} c{depth}b"]
    assert len(outlined(*nested(40))) == 3 * 41
    with pytest.raises(Misfit, match="the network has 5,001 layers"):
        translated(net(*["r1: data > data"] * 5001))


def test_the_note_on_what_is_left_out_stays_short():
    assert left_out([]) == []
    (note,) = left_out([f"l{k}" for k in range(20)])
    assert note.endswith("'l6', 'l7' and 12 more.")


# ---- nodes

def node(name, kind, bottom, top=None, **more):
    return {"name": [name], "type": [kind], "bottom": bottom.split(),
            "top": (top or name).split()} | more


def of_nodes(*layers):
    return {"input": ["data"], "layer": list(layers)}


CHAIN = of_nodes(node("c", "Convolution", "data"), node("r", "ReLU", "c", "c"),
            node("p", "Pooling", "c"))


def test_a_blob_is_what_was_written_there_last():
    image, conv, relu, pool = graph(CHAIN, "TEST")
    assert [node.name for node in (image, conv, relu, pool)] == ["image", "c", "r", "p"]
    assert (conv.inputs, relu.inputs, pool.inputs) == ([image], [conv], [relu])
    assert conv.readers == [relu] and last([image, conv, relu, pool], []) is pool
    assert list(needed_for(pool)) == [pool, relu, conv, image]


def test_what_reads_nothing_written_is_named():
    with pytest.raises(Misfit, match="layer 'p' reads 'gone', which no layer before it writes"):
        graph(of_nodes(node("p", "Pooling", "gone")), "TEST")


def test_several_ends_are_named_and_a_loss_is_the_softmax_in_it():
    nodes = graph(of_nodes(node("a", "ReLU", "data"), node("b", "ReLU", "data")), "TEST")
    with pytest.raises(Misfit, match="several ends, 'a' and 'b'; one is expected"):
        last(nodes, [])
    notes = []
    nodes = graph(of_nodes(node("loss", "SoftmaxWithLoss", "data label")) | {
        "input": ["data", "label"]}, "TRAIN")
    assert last(nodes, notes).name == "prob" and "'loss' became its softmax" in notes[0]


def test_names_are_there_once():
    check_names(graph(CHAIN, "TEST")[1:])
    with pytest.raises(Misfit, match="two layers are called 'c'"):
        check_names(graph(of_nodes(node("c", "ReLU", "data"), node("c", "ReLU", "c")), "TEST")[1:])


@pytest.mark.parametrize("rules, there", [
    ({}, True), ({"include": [{}]}, True), ({"exclude": [{}]}, False),
    ({"include": [{"phase": ["TRAIN"]}, {"phase": ["TEST"]}]}, True),
    ({"include": [{"stage": ["deploy"]}]}, False), ({"exclude": [{"stage": ["deploy"]}]}, True),
    ({"include": [{"not_stage": ["deploy"]}]}, True),
    ({"include": [{"min_level": [1]}]}, False), ({"include": [{"max_level": [0]}]}, True),
])
def test_rules(rules, there):
    assert included(rules, "TEST") is there
