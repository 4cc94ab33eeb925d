"""What every method returns holds what it takes to make the picture again."""

import dataclasses
import inspect

import numpy as np
import pytest
import small

from minicnn import vis

NETWORK = small.network()
METHODS = {
    "maximize": lambda: vis.maximize(NETWORK, "relu2", 1, steps=2, seed=3),
    "deconvnet": lambda: vis.deconvnet(NETWORK, small.photo(), "relu2", 1),
    "texture": lambda: vis.texture(NETWORK, small.photo(), steps=2, seed=3),
    "saliency": lambda: vis.saliency(NETWORK, small.photo(), 2, "smooth", 3, seed=3),
    "gradcam": lambda: vis.gradcam(NETWORK, small.photo(), 2, guided=True),
    "occlusion": lambda: vis.occlusion(NETWORK, small.photo(), 2, square=4, stride=4),
    "hypercolumns": lambda: vis.hypercolumns(NETWORK, small.photo(), ["relu1", "mix"]),
    "dream": lambda: vis.dream(NETWORK, small.photo(), ["relu1"], octaves=1, steps=2, seed=3),
}
OTHERWISE = {"activations", "compare", "deepdream_image", "filters", "kernels", "strongest",
             "survey", "zoom"}
NOT_SETTINGS = {"network", "image", "progress", "watch"}


def test_every_method_is_listed_here():
    assert set(METHODS) | OTHERWISE == set(vis.__all__) - {"Record"}


@pytest.mark.parametrize("name", METHODS)
def test_settings_are_the_method_s_arguments_and_make_the_same_picture(name):
    record, method = METHODS[name](), getattr(vis, name)
    parameters = inspect.signature(method).parameters
    assert set(record.settings) == set(parameters) - NOT_SETTINGS
    photo = [small.photo()] if "image" in parameters else []
    again = method(NETWORK, *photo, **record.settings)
    np.testing.assert_array_equal(again.image, record.image)
    assert again.caption == record.caption


@pytest.mark.parametrize("name", METHODS)
def test_picture_and_caption(name):
    record = METHODS[name]()
    assert record.image.dtype == np.uint8 and record.image.shape == (16, 20, 3)
    assert record.caption.startswith("small ") and "\n" not in record.caption


def test_a_record_cannot_be_changed_and_prints_in_a_line():
    record = METHODS["maximize"]()
    with pytest.raises(dataclasses.FrozenInstanceError):
        record.caption = "another"
    assert "\n" not in repr(record) and record.caption in repr(record) and len(repr(record)) < 300
