"""Zeiler & Fergus' network: their figure 3."""

from minicnn import models


def test_count_is_the_published_one():
    assert models.zfnet().count() == 62_357_608


def test_sizes_of_the_paper_s_figure():
    shapes = models.zfnet().shapes
    assert {name: shapes[name] for name in ("conv1", "pool1", "conv2", "pool2", "conv5", "pool5",
                                            "fc6", "fc8")} == {
        "conv1": (110, 110, 96), "pool1": (55, 55, 96), "conv2": (26, 26, 256),
        "pool2": (13, 13, 256), "conv5": (13, 13, 256), "pool5": (6, 6, 256),
        "fc6": (4096,), "fc8": (1000,)}


def test_contrast_normalisation_follows_pooling():
    names = models.zfnet().names
    assert names.index("norm1") == names.index("pool1") + 1
    assert names.index("norm2") == names.index("pool2") + 1
