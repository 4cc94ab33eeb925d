"""Grad-CAM on real photos: the evidence lies on the object, and on the right one of two.

The boxes were drawn by hand, in pixels of the photos that come with scikit-image.
"""

import numpy as np
import pytest

from minicnn import images, vis
from minicnn.foreign.load import load

BOXES = {  # top, bottom, left, right
    ("chelsea.png", "Egyptian cat"): (0, 290, 35, 365),  # the cat's head, 71 % of the photo
    ("chelsea.png", "tabby"): (0, 290, 35, 365),
    ("coffee.png", "espresso"): (18, 385, 75, 480),  # the cup with its saucer, 62 % of it
    ("coffee.png", "cup"): (18, 385, 75, 480),
}


@pytest.fixture(scope="module", params=["googlenet_bvlc", "squeezenet11"])
def network(request, shared_data):
    return load(shared_data / "weights" / f"{request.param}.h5")


def squeezed(photo, height, width):
    return images.resize(photo, (height, width))


def share(heat, inside):
    """How much of a map's mass is inside."""
    return heat[inside].sum() / heat.sum()


@pytest.mark.parametrize("name, target", BOXES)
def test_four_fifths_of_the_evidence_lie_on_the_object(network, shared_data, name, target):
    """On the whole photo, squeezed into the network's square: a crop would be all cat."""
    photo, side = images.load(shared_data / "photos" / name), network.input_shape[0]
    top, bottom, left, right = BOXES[name, target]
    box = np.zeros_like(photo)
    box[top:bottom, left:right] = 255
    inside = squeezed(box, side, side)[..., 0] > 127
    heat = vis.gradcam(network, squeezed(photo, side, side), target, size="keep").map
    assert share(heat, inside) > 0.8 > inside.mean() + 0.08


def test_four_fifths_lie_on_a_cat_that_is_a_third_of_the_picture(network, shared_data):
    side = network.input_shape[0]
    scene = squeezed(images.load(shared_data / "photos" / "grass.png"), side, side)
    scene = np.broadcast_to(scene.reshape(side, side, -1), (side, side, 3)).copy()
    cat = np.s_[: side // 2, : 3 * side // 4]
    scene[cat] = squeezed(images.load(shared_data / "photos" / "chelsea.png"), side // 2,
                          3 * side // 4)
    assert share(vis.gradcam(network, scene, "Egyptian cat", size="keep").map, cat) > 0.8


def test_of_two_objects_each_class_finds_its_own(network, shared_data):
    """A cat on the left half, a cup of coffee on the right."""
    side = network.input_shape[0]
    cat, coffee = (images.load(shared_data / "photos" / name)
                   for name in ("chelsea.png", "coffee.png"))
    scene = np.hstack([squeezed(cat[:, 60:380], side, side // 2),
                       squeezed(coffee[:, 80:480], side, side - side // 2)])
    left, right = np.s_[:, : side // 2], np.s_[:, side // 2 :]
    for target, own in (("Egyptian cat", left), ("espresso", right)):
        record = vis.gradcam(network, scene, target, size="keep", guided=True)
        assert share(record.map, own) > 0.8, target
        assert share(np.abs(record.x[0]).sum(axis=2), own) > 0.8, f"guided, {target}"
