"""Operations and bytes, against numbers worked out by hand."""

import counting
import pytest
from counting import FLOAT, Work, least, works
from tasks import (
    ALL_GRADIENTS,
    CARD,
    COPY,
    FORWARD,
    GRAM_STEP,
    IMAGE_GRADIENT,
    INPUT_GRADIENT,
    NETWORKS,
    PRODUCT,
    TRAINING_STEP,
    WEIGHT_GRADIENT,
    Task,
    plans,
)

from minicnn.network import Network
from minicnn.network.layers import LRN, AveragePool, Conv, Dense, MaxPool, ReLU, Softmax


@pytest.fixture
def small(monkeypatch):
    """A network whose every number can be counted on paper."""
    monkeypatch.setitem(NETWORKS, "small", lambda: Network("small", [
        ("conv", Conv(4, 3, pad=1, groups=2)),  # 6x8x2 -> 6x8x4, 9 * 1 * 4 weights and 4 biases
        ("relu", ReLU()),
        ("norm", LRN(5)),
        ("pool", MaxPool(2)),  # -> 3x4x4
        ("mean", AveragePool((3, 2), 1)),  # -> 1x3x4
        ("fc", Dense(5)),  # 12 * 5 weights and 5 biases
        ("prob", Softmax()),
    ], (6, 8, 2)))
    plans.cache_clear()
    return "small"


# images: 96 numbers; after conv, relu and norm 192; after pool 48; after mean 12; scores 5
BY_HAND = {  # (operations, numbers of 4 bytes moved) of a forward pass of one image
    "conv": (2 * 6 * 8 * 4 * 9 * 1, 96 + 192 + 40),
    "relu": (192, 192 + 192),
    "norm": (10 * 192, 192 + 192),
    "pool": (4 * 48, 192 + 48),
    "mean": (6 * 12, 48 + 12),
    "fc": (2 * 12 * 5, 12 + 5 + 65),
}
KEPT = {"relu": 192, "norm": 4 * 192, "pool": 48}  # bytes that the way back reads besides


@pytest.mark.parametrize("layer", BY_HAND)
def test_a_layer_alone(small, layer):
    operations, numbers = BY_HAND[layer]
    assert works(Task(small, FORWARD, 1, layer)) == [Work(operations, 4 * numbers)]
    back = Work(operations, 4 * numbers + KEPT.get(layer, 0))
    assert works(Task(small, INPUT_GRADIENT, 1, layer)) == [back]


def test_a_batch_reads_the_weights_once(small):
    assert works(Task(small, FORWARD, 10, "conv")) == [
        Work(10 * BY_HAND["conv"][0], 4 * (10 * (96 + 192) + 40))]
    weight = works(Task(small, WEIGHT_GRADIENT, 10, "fc"))
    assert weight == [Work(10 * 120, 4 * (10 * 17 + 65))]


def test_a_whole_network_ends_at_the_scores(small):
    assert [work.flops for work in works(Task(small, FORWARD))] == [
        operations for operations, _ in BY_HAND.values()]
    assert len(works(Task(small, IMAGE_GRADIENT))) == 2 * len(BY_HAND)


def test_training_needs_no_gradient_at_the_image_and_a_step_for_every_weight(small):
    learnt = works(Task(small, ALL_GRADIENTS))
    assert len(learnt) == 2 * len(BY_HAND) - 1 + 2  # no dx of conv; two layers have weights
    stepped = works(Task(small, TRAINING_STEP))
    steps = [Work(4 * 40, 5 * 4 * 40), Work(4 * 65, 5 * 4 * 65)]
    assert len(stepped) == len(learnt) + 2 and all(step in stepped for step in steps)


def test_the_roofline_is_the_longer_of_the_two(small):
    card = {"flops": 1e3, "bytes": 1e3}
    operations, numbers = BY_HAND["conv"]  # 3456 operations, 1312 bytes
    assert least(Task(small, FORWARD, 1, "conv"), card) == operations / 1e3
    assert least(Task(small, FORWARD, 1, "relu"), card) == 4 * 384 / 1e3
    both = least(Task(small, FORWARD), card)
    assert both == pytest.approx(sum(max(o, 4 * n) for o, n in BY_HAND.values()) / 1e3)


def test_vgg16_has_the_published_operations():
    """15.35 milliard products in the convolutions of an image of 224, 123,633,664 in the dense
    layers (Simonyan & Zisserman 2015, configuration D)."""
    dense = 2 * (25088 * 4096 + 4096 * 4096 + 4096 * 1000)
    products = sum(work.flops for (_, layer, _), work in zip(
        counting._computed(plans("vgg16")), works(Task("vgg16", FORWARD)), strict=True)
        if hasattr(layer, "filters") or hasattr(layer, "units"))
    assert products - dense == 2 * 15_346_630_656


def test_the_side_scales_what_is_counted():
    one, other = (works(Task("vgg16_convolutions", FORWARD, side=side)) for side in (64, 128))
    assert [4 * work.flops for work in one] == [work.flops for work in other]


def test_gram_matrices_are_counted(small):
    """At 16 pixels: conv1_1 has (256, 64), conv2_1 (64, 128), conv3_1 (16, 256), conv4_1 (4, 512);
    F^T F and F (G - target) take M C C products each."""
    with_them = works(Task("vgg19_conv4_1", GRAM_STEP, side=16))
    without = works(Task("vgg19_conv4_1", IMAGE_GRADIENT, side=16))
    assert with_them[: len(without)] == without
    extra = with_them[len(without):]
    matrices = [(256, 64), (64, 128), (16, 256), (4, 512)]
    assert [work.flops for work in extra[::2]] == [2 * m * c * c for m, c in matrices]
    assert extra[1] == Work(2 * 256 * 64 * 64, FLOAT * (2 * 256 * 64 + 64 * 64))


def test_the_card_s_own_tasks():
    assert works(Task(CARD, COPY, side=8)) == [Work(0, 2 * 4 * 64)]
    assert works(Task(CARD, PRODUCT, side=8)) == [Work(2 * 512, 3 * 4 * 64)]


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_can_be_counted(name):
    what = GRAM_STEP if name == "vgg19_conv4_1" else IMAGE_GRADIENT
    assert sum(work.flops for work in works(Task(name, what))) > 1e7
