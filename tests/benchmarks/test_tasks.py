"""Tasks: that every shape is there, and that minicnn does what a task says."""

import numpy as np
import pytest
import tasks
from tasks import FORWARD, IMAGE_GRADIENT, INPUT_GRADIENT, WEIGHT_GRADIENT, Task

from minicnn.fast import winograd
from minicnn.fast.workspace import Workspace
from minicnn.network.layers import Conv


@pytest.mark.parametrize(("network", "count"),
                         [("vgg16", 9), ("alexnet_caffe", 5), ("googlenet", 49)])
def test_every_shape_of_convolution_is_there_once(network, count):
    plan = tasks.plans(network)
    shapes = {(plan.input_shapes[name], plan.param_shapes[name]["w"], layer.stride)
              for name, layer, _ in plan.rows if isinstance(layer, Conv)}
    chosen = [(plan.input_shapes[name], plan.param_shapes[name]["w"], plan[name].stride)
              for name in tasks.convolutions(network)]
    assert len(chosen) == len(set(chosen)) == count and set(chosen) == shapes


@pytest.mark.parametrize(("network", "layer", "words"), [
    ("vgg16", "conv1_2", "224x224x64 -> 64, 3x3"),
    ("alexnet_caffe", "conv1", "227x227x3 -> 96, 11x11/4"),
    ("alexnet_caffe", "conv2", "27x27x96 -> 256, 5x5, 2 groups"),
    ("vgg16", "pool1", "224x224x64 -> 64, 2x2/2"),
    ("minivgg", "pool2", "32x32x48 -> 48, 2x2/2"),
    ("googlenet", "inception_3a/pool", "28x28x192 -> 192, 3x3"),
    ("vgg16", "fc7", "4096 -> 4096"),
    ("vgg16", None, None)])
def test_a_layer_is_described(network, layer, words):
    assert tasks.describe(Task(network, FORWARD, 1, layer)) == words


def test_a_layer_alone_is_the_network_s_own_at_its_place():
    task = Task("minivgg", FORWARD, 3, "conv3_1")
    network = tasks.build(task)
    assert network.names == ["conv3_1"]
    assert tasks.images(task, network).shape == (3, 16, 16, 48)
    y, cache = tasks.ours(task)()
    assert y.shape == (3, 16, 16, 96) and y.dtype == np.float32


@pytest.mark.parametrize(("task", "shape"), [
    (Task("minivgg", FORWARD, 2), (2, 64, 64, 3)),
    (Task("vgg16_convolutions", FORWARD, 1, side=40), (1, 40, 40, 3)),
    (Task("minivgg", FORWARD, 2, "fc6"), (2, 256))])
def test_what_goes_in(task, shape):
    x = tasks.images(task, tasks.build(task))
    assert x.shape == shape and x.dtype == np.float32


def test_whole_networks_pass_forward_and_back():
    scores = tasks.ours(Task("minivgg", FORWARD, 2))()
    assert scores.shape == (2, 100)
    assert tasks.ours(Task("minivgg", IMAGE_GRADIENT, 2))().shape == (2, 64, 64, 3)


def test_each_gradient_is_computed_alone():
    dx, gradients = tasks.ours(Task("minivgg", INPUT_GRADIENT, 1, "conv4_1"))()
    assert dx.shape == (1, 8, 8, 96) and gradients == {}
    dx, gradients = tasks.ours(Task("minivgg", WEIGHT_GRADIENT, 1, "conv4_1"))()
    assert dx is None and set(gradients) == {"w", "b"}


def test_plain_is_the_page(monkeypatch):
    """And "ours" is not, for a layer that Winograd's algorithm serves."""
    seen, real = [], winograd.convolved
    monkeypatch.setattr(winograd, "convolved", lambda *a, **k: seen.append(1) or real(*a, **k))
    task = Task("vgg16", FORWARD, 1, "conv3_2")
    tasks.ours(task, plain=True)()
    assert seen == []
    tasks.ours(task)()
    assert seen == [1]


def test_a_workspace_is_owned_unless_fresh_arrays_are_wanted(monkeypatch):
    seen = []
    monkeypatch.setattr(tasks, "Workspace", lambda: seen.append(1) or Workspace())
    task = Task("minivgg", IMAGE_GRADIENT)
    with_one, fresh = tasks.ours(task), tasks.ours(task, workspace=False)
    assert seen == [1]
    first, again = with_one(), with_one()
    assert (first == again).all() and (first == fresh()).all()


def test_numbers_are_the_same_every_time_and_differ_by_seed():
    assert (tasks.numbers((3, 4)) == tasks.numbers((3, 4))).all()
    assert (tasks.numbers((3, 4)) != tasks.numbers((3, 4), 2)).any()
    assert (tasks.labels(5, 9) == tasks.labels(5, 9)).all() and tasks.labels(50, 9).max() == 8
