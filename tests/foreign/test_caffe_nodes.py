"""A Caffe network as a graph: who reads what, under which rules, and where it ends."""

import pytest

from minicnn.foreign.caffe_nodes import check_names, graph, included, last, needed_for
from minicnn.foreign.settings import Misfit


def layer(name, kind, bottom, top=None, **more):
    return {"name": [name], "type": [kind], "bottom": bottom.split(),
            "top": (top or name).split()} | more


def net(*layers):
    return {"input": ["data"], "layer": list(layers)}


CHAIN = net(layer("c", "Convolution", "data"), layer("r", "ReLU", "c", "c"),
            layer("p", "Pooling", "c"))


def test_a_blob_is_what_was_written_there_last():
    image, conv, relu, pool = graph(CHAIN, "TEST")
    assert [node.name for node in (image, conv, relu, pool)] == ["image", "c", "r", "p"]
    assert (conv.inputs, relu.inputs, pool.inputs) == ([image], [conv], [relu])
    assert conv.readers == [(relu, 0)] and last([image, conv, relu, pool], []) is pool
    assert list(needed_for(pool)) == [pool, relu, conv, image]


def test_what_reads_nothing_written_is_named():
    with pytest.raises(Misfit, match="layer 'p' reads 'gone', which no layer before it writes"):
        graph(net(layer("p", "Pooling", "gone")), "TEST")


def test_several_ends_are_named_and_a_loss_is_the_softmax_in_it():
    nodes = graph(net(layer("a", "ReLU", "data"), layer("b", "ReLU", "data")), "TEST")
    with pytest.raises(Misfit, match="several ends, 'a' and 'b'; one is expected"):
        last(nodes, [])
    notes = []
    nodes = graph(net(layer("loss", "SoftmaxWithLoss", "data label")) | {
        "input": ["data", "label"]}, "TRAIN")
    assert last(nodes, notes).name == "prob" and "'loss' is read as the softmax" in notes[0]


def test_names_are_there_once():
    check_names(graph(CHAIN, "TEST")[1:])
    with pytest.raises(Misfit, match="two layers are called 'c'"):
        check_names(graph(net(layer("c", "ReLU", "data"), layer("c", "ReLU", "c")), "TEST")[1:])


@pytest.mark.parametrize("rules, there", [
    ({}, True), ({"include": [{}]}, True), ({"exclude": [{}]}, False),
    ({"include": [{"phase": ["TRAIN"]}, {"phase": ["TEST"]}]}, True),
    ({"include": [{"stage": ["deploy"]}]}, False), ({"exclude": [{"stage": ["deploy"]}]}, True),
    ({"include": [{"not_stage": ["deploy"]}]}, True),
    ({"include": [{"min_level": [1]}]}, False), ({"include": [{"max_level": [0]}]}, True),
])
def test_rules(rules, there):
    assert included(rules, "TEST") is there
