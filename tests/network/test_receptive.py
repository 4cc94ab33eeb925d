"""Receptive fields against the published numbers, and against where gradients are not zero."""

import nets
import numpy as np
import pytest

from minicnn import models
from minicnn.network import LayerNameError, Network, receptive
from minicnn.network.layers import (
    LRN,
    AveragePool,
    BatchNorm,
    Conv,
    Dense,
    Dropout,
    Flatten,
    GlobalAveragePool,
    Layer,
    MaxPool,
    ReLU,
    Sigmoid,
    Softmax,
)

PUBLISHED = [  # model, layer, size, stride: the tables of Araujo, Norris & Sim (2019) and others
    ("alexnet_caffe", "conv1", 11, 4), ("alexnet_caffe", "pool1", 19, 8),
    ("alexnet_caffe", "conv2", 51, 8), ("alexnet_caffe", "pool2", 67, 16),
    ("alexnet_caffe", "conv3", 99, 16), ("alexnet_caffe", "conv5", 163, 16),
    ("alexnet_caffe", "pool5", 195, 32),
    ("vgg16", "conv1_2", 5, 1), ("vgg16", "conv3_3", 40, 4), ("vgg16", "conv4_3", 92, 8),
    ("vgg16", "conv5_3", 196, 16), ("vgg16", "pool5", 212, 32),
    ("vgg19", "conv5_4", 252, 16), ("vgg19", "pool5", 268, 32),
    ("googlenet", "inception_3a/output", 59, 8),
    ("googlenet", "inception_5b/output", 715, 32), ("zfnet", "conv5", 139, 16),
]


# ---- numbers in the books

@pytest.mark.parametrize("model, layer, size, stride", PUBLISHED)
def test_published_numbers(model, layer, size, stride):
    field = receptive.field(getattr(models, model)(), layer)
    assert field.size == (size, size) and field.stride == (stride, stride)


def test_offset_and_border_of_vgg_16_worked_out_by_hand():
    """conv1_1 begins one pixel before the image, conv1_2 two; pooling adds nothing before."""
    fields = receptive.fields(models.vgg16())
    assert [fields[name].offset for name in ("conv1_1", "conv1_2", "pool1", "conv2_1")] == [
        (-1, -1), (-2, -2), (-2, -2), (-4, -4)]
    assert repr(fields["conv1_1"]) == "Field(size=(3, 3), stride=(1, 1), offset=(-1, -1))"
    assert fields["conv1_2"].box((0, 223)) == (0, 3, 221, 224)
    assert fields["conv1_2"].box((0, 223), clipped=False) == (-2, 3, 221, 226)
    assert fields["pool1"].box((1, 2)) == (0, 6, 2, 8)


def test_dense_layers_see_the_whole_image_and_have_no_positions():
    fields = receptive.fields(models.vgg16())
    for name in ("fc6", "relu6", "drop6", "fc8", "prob"):
        assert fields[name][:3] == ((224, 224), (0, 0), (0, 0))
        assert fields[name].box() == fields[name].box((), clipped=False) == (0, 224, 0, 224)


# ---- exactly where a gradient is not zero

def positive(network, seed):
    """Weights above 0: on an image above 0 no rectifier shuts and nothing cancels."""
    for name in nets.trained(network, seed).param_shapes:
        network.params[name] = {key: (np.abs(value) + 0.01) * (-1 if key == "mean" else 1)
                                for key, value in network.params[name].items()}
    return network


def supports(run, layer, channel):
    """For each position the rectangle around all pixels where a unit's gradient is not zero.

    The run is of one copy of the image a position, so that all go down at once.
    """
    positions = list(np.ndindex(*run.network.shapes[layer][:-1]))
    seed = np.zeros_like(run[layer])
    for n, position in enumerate(positions):
        seed[(n, *position, channel)] = 1
    touched = run.backward({layer: seed}).any(axis=3)  # N,H,W,C -> N,H,W
    return [(position, *span(dx.any(axis=1)), *span(dx.any(axis=0)))
            for position, dx in zip(positions, touched, strict=False)]


def span(touched):
    """First True and the one after the last."""
    found = np.flatnonzero(touched)
    return (int(found[0]), int(found[-1]) + 1) if found.size else (0, 0)


def check(network, seed=0):
    """Every layer, three channels of each, every position."""
    image = np.random.default_rng(seed).uniform(0.5, 1.5, (1, *network.input_shape))
    most = max(np.prod(shape[:-1], dtype=int) for shape in network.shapes.values())
    run = positive(network, seed).forward(np.repeat(image, most, axis=0))
    for name in network.names:
        channels = network.shapes[name][-1]
        for channel in {0, channels // 2, channels - 1}:
            field = receptive.field(network, name, channel)
            for position, *seen in supports(run, name, channel):
                top, bottom, left, right = got = field.box(position)
                if top == bottom or left == right:
                    assert seen == [0, 0, 0, 0], (name, position, channel)
                else:
                    assert got == tuple(seen), (name, position, channel)
                check_table(field, position, network.input_shape)


def check_table(field, position, shape):
    """`size`, `stride` and `offset` are the truth where they do not cross the border."""
    (top, bottom, left, right), exact = field.box(position, clipped=False), field.box(position)
    if top >= 0 and left >= 0 and bottom <= shape[0] and right <= shape[1]:
        assert exact == (top, bottom, left, right)
    elif exact[0] < exact[1] and exact[2] < exact[3]:
        assert top <= exact[0] and exact[1] <= bottom and left <= exact[2] and exact[3] <= right


def random_layer(rng, k, channels):
    """Windows of all shapes, steps, paddings and gaps, averages in place of maxima; paths that are
    joined or added. The rows, and the channels after them."""
    kernel, stride = (tuple(int(n) for n in rng.integers(1, most, 2)) for most in (4, 3))
    pad = tuple(int(rng.integers(0, n)) for n in kernel)
    rounding = str(rng.choice(["floor", "ceil"]))
    kinds = [Conv(channels, kernel, stride=stride, pad=pad, groups=int(rng.integers(1, 3)),
                  dilation=int(rng.integers(1, 3))),
             AveragePool(kernel, stride, pad=pad, rounding=rounding, border="image"),
             LRN(3, alpha=0.5), BatchNorm(), ReLU()]
    chosen = rng.integers(len(kinds) + 2)
    if chosen < len(kinds):
        return [(f"layer{k}", kinds[chosen])], channels
    below = f"layer{k - 1}" if k else "image"
    if chosen > len(kinds):
        return nets.summed(f"layer{k}", below, [(f"down{k}", Conv(channels, 3, pad=1))], [], [
            (f"far{k}", Conv(channels, 3, pad=3, dilation=3)), (f"norm{k}", LRN(3, alpha=0.5))],
        ), channels
    return nets.joined(
        f"layer{k}", below, [(f"one{k}", Conv(2, 1))], [],
        [(f"wide{k}", Conv(3, 3, pad=2, dilation=2)), (f"norm{k}", LRN(3, alpha=0.5))],
        [(f"mean{k}", AveragePool(3, 1, pad=1, border="image")),
         (f"tall{k}", Conv(3, (5, 1), pad=(2, 0)))]), channels + 8


def random_layers(rng, channels, depth):
    layers = []
    for k in range(depth):
        rows, channels = random_layer(rng, k, channels)
        layers += rows
    return layers


def random_network(seed):
    """Layers that fit the image; None where they do not."""
    rng = np.random.default_rng(seed)
    end = [[("fc", Dense(2))], [("mean", GlobalAveragePool()), ("fc", Dense(2)),
                                ("prob", Softmax())], [("prob", Softmax())],
           [("flat", Flatten()), ("drop", Dropout()), ("fc", Dense(2))], []][rng.integers(5)]
    shape = (int(rng.integers(6, 13)), int(rng.integers(6, 13)), 2)
    try:
        return Network("random", random_layers(rng, 2, int(rng.integers(1, 5))) + end, shape)
    except ValueError:
        return None


@pytest.mark.thorough
@pytest.mark.parametrize("seeds", [range(k, k + 12) for k in range(0, 24, 12)], ids=str)
def test_the_box_is_where_the_gradient_is_not_zero(seeds):
    networks = [network for seed in seeds if (network := random_network(seed)) is not None]
    assert len(networks) >= 5
    for k, network in enumerate(networks):
        check(network, k)


def test_a_last_window_that_sticks_out_and_pixels_that_no_window_reaches():
    """Windows of 1 at step 2 leave the last of 8 pixels out; the 3x3 above never sees it."""
    network = Network("n", [("a", Conv(1, 1, stride=2)), ("b", Conv(1, 3, pad=1)),
                            ("c", AveragePool(3, 2, rounding="ceil"))], (8, 9, 1))
    check(network)
    field = receptive.field(network, "b")
    assert field.box((3, 4)) == (4, 7, 6, 9)
    assert field.box((3, 4), clipped=False) == (4, 9, 6, 11)
    assert receptive.field(network, "c").box((1, 0)) == (2, 7, 0, 7)


def test_a_unit_in_the_padding_sees_nothing_and_its_neighbours_are_not_disturbed():
    network = Network("n", [("a", Conv(1, 1, pad=1)), ("b", Conv(1, 3))], (4, 4, 1))
    check(network)
    assert receptive.field(network, "a").box((0, 1)) == (0, 0, 0, 1)
    assert receptive.field(network, "b").box((0, 0)) == (0, 2, 0, 2)


def test_a_dense_layer_above_units_that_see_nothing():
    network = Network("n", [("a", Conv(1, 3, stride=2)), ("b", Conv(1, 2, pad=1, dilation=2)),
                            ("fc", Dense(2))], (4, 3, 1))
    check(network)
    field = receptive.field(network, "fc")
    assert field[:3] == ((0, 0), (0, 0), (0, 0)) and field.box() == (0, 0, 0, 0)


def test_a_max_pooling_sees_what_any_of_its_pixels_may_win():
    """The gradient goes to the winner only: together over many images it is everywhere."""
    network = nets.trained(Network("n", [("conv", Conv(1, 2, pad=1)),
                                         ("pool", MaxPool(3, 2, pad=1)),
                                         ("conv2", Conv(1, 2))], (7, 8, 1)))
    field = receptive.field(network, "conv2")
    for position in [(0, 0), (1, 2), (2, 1)]:
        reached = np.zeros((7, 8), bool)
        for image in range(60):
            run = network.forward(nets.images(1, (7, 8, 1), image))
            seed = np.zeros_like(run["conv2"])
            seed[(0, *position, 0)] = 1
            reached |= run.backward({"conv2": seed})[0, :, :, 0] != 0
        top, bottom, left, right = field.box(position)
        expected = np.zeros((7, 8), bool)
        expected[top:bottom, left:right] = True
        np.testing.assert_array_equal(reached, expected)


# ---- branches, channels, other sizes

def test_a_channel_of_a_join_sees_what_its_branch_does():
    network = models.googlenet()
    sizes = {channel: receptive.field(network, "inception_3a/output", channel).size[0]
             for channel in (0, 63, 64, 191, 192, 223, 224, 255)}
    assert sizes == {0: 27, 63: 27, 64: 43, 191: 43, 192: 59, 223: 59, 224: 43, 255: 43}
    assert receptive.field(network, "inception_3a/relu_5x5").size == (59, 59)
    assert receptive.field(network, "inception_3b/1x1", 0).size == (59, 59)  # mixed by now


def test_another_image_size_moves_the_border_only():
    network = models.vgg16()
    own, larger = (receptive.field(network, "conv5_3", image=size) for size in (None, (300, 260)))
    assert own[:3] == larger[:3]
    assert len(larger.rows) == 18 and len(larger.columns) == 16
    assert larger.box((17, 15)) == (182, 300, 150, 260)


def test_fields_lists_every_layer_in_order():
    network = nets.everything()
    fields = receptive.fields(network)
    assert list(fields) == network.names
    for name, field in fields.items():
        alone = receptive.field(network, name)
        assert alone[:3] == field[:3]
        np.testing.assert_array_equal(alone.rows, field.rows)


# ---- what is refused

def test_what_is_not_there_is_named():
    network = models.minivgg()
    with pytest.raises(LayerNameError, match="no layer 'conv9'"):
        receptive.field(network, "conv9")
    with pytest.raises(ValueError, match="pool1 has 32 channels, counted from 0; there is no 32"):
        receptive.field(network, "pool1", 32)
    with pytest.raises(ValueError, match=r"there are 8x8 positions, .* no \(8, 0\)"):
        receptive.field(network, "conv4_2").box((8, 0))
    with pytest.raises(ValueError, match=r"there are 1x1 positions, .* no \(0, 1\)"):
        receptive.field(network, "fc5").box((0, 1))
    with pytest.raises(ValueError, match="does not fit in 1 samples"):
        receptive.field(network, "pool3", image=(64, 6))
    assert receptive.field(network, "pool2", image=(64, 6)).box((0, 0)) == (0, 7, 0, 6)


def test_paths_that_step_differently_have_no_one_stride():
    network = Network("n", nets.joined("mix", "image", [("a", Conv(1, 2, stride=2))],
                                       [("b", Conv(1, 3))]), (4, 4, 1))
    with pytest.raises(ValueError, match=r"paths that meet in mix step by .* \[1, 2\]"):
        receptive.fields(network)


def test_a_kind_of_layer_that_is_not_known():
    class Blur(Layer):
        """A layer of somebody's own."""

    with pytest.raises(ValueError, match=r"what a Blur sees \(mine\) is not known"):
        receptive.fields(Network("n", [("mine", Blur()), ("end", Sigmoid())], (4, 4, 1)))
