"""Every method of `minicnn.vis` on the device: what it makes on the host, in its first steps."""

import nets
import numpy as np
import parity
import pytest
import small

from minicnn import vis
from minicnn.backend import to_host
from minicnn.files.patches import Patches
from minicnn.vis import presets
from minicnn.vis.deconvnet import each_rule, each_stage
from minicnn.vis.hypercolumn_maps import hypercolumn_maps
from minicnn.vis.texture import CROSS, STATISTICS

PHOTO = small.photo()
HALVES = np.where(PHOTO[..., 0] > np.median(PHOTO[..., 0]), 255, 0).astype(np.uint8)
# float32: a pass differs in the seventh digit, and an ascent carries that on. Where a ReLU or a
# pooling changes its mind a single number may differ; none does in these photos.
PASS, ASCENT = 1e-4, 1e-2


def maximized(preset):
    size = {} if presets.of(preset).size is None else {"size": 40}
    return lambda net, folder: vis.maximize(net, channel=["red fox", "frog"], preset=preset,
                                            steps=3, **size)


METHODS = {
    "activations": lambda net, folder: vis.activations(net, PHOTO).maps,
    "compare": lambda net, folder: vis.compare(net, net, [PHOTO, small.photo(seed=1)]),
    "deconvnet": lambda net, folder: vis.deconvnet(net, PHOTO, "relu2", lrn="scale"),
    "deconvnet, all rules": lambda net, folder: each_rule(net, PHOTO, "relu2", 1),
    "deconvnet, stage by stage": lambda net, folder: [
        to_host(stage.array) for stage in each_stage(
            net, PHOTO, "relu2", 1)[1]],
    "deepdream_image": lambda net, folder: vis.deepdream_image(
        net, "relu2", [0, 1], pyramid_levels=2, iterations=2),
    "deepdream_image of a photo": lambda net, folder: vis.deepdream_image(
        net, "fc", "tree frog", initial_image=PHOTO, pyramid_levels=2, iterations=2),
    "dream": lambda net, folder: vis.dream(net, PHOTO, {"relu1": 1, "mix:2": 0.5}, octaves=2,
                                           octave_scale=1.2, steps=2, jitter=2),
    "dream after a guide": lambda net, folder: vis.dream(
        net, PHOTO, "relu1", octaves=2, octave_scale=1.2, steps=2, guide=small.photo(seed=3)),
    "dream in tiles": lambda net, folder: vis.dream(net, PHOTO, "relu1", octaves=1, steps=2,
                                                    tile=8),
    "evolution": lambda net, folder: vis.evolution({0: net, 3: net}, [PHOTO, small.photo(seed=1)],
                                                   ["relu2"], count=2),
    "filters": lambda net, folder: vis.filters(net, count=2, steps=2, folder=folder / "filters",
                                               order="value"),
    "gradcam": lambda net, folder: vis.gradcam(net, PHOTO, guided=True),
    "gradcam++": lambda net, folder: vis.gradcam(net, PHOTO, "frog", "relu2", "gradcam++"),
    "hypercolumns": lambda net, folder: vis.hypercolumns(net, PHOTO, ["relu1", "relu2"]),
    "hypercolumns, their vectors": lambda net, folder: hypercolumn_maps(net, PHOTO).stack(),
    **{f"invert, {basis} and {optimizer}": lambda net, folder, basis=basis, optimizer=optimizer:
       vis.invert(net, PHOTO, "relu2", steps=3, basis=basis, optimizer=optimizer)
       for basis, optimizer in (("fourier", "lbfgs"), ("pixels", "lbfgs"),
                                ("pixels", "momentum"))},
    "kernels": lambda net, folder: vis.kernels(net, "conv1"),
    **{f"maximize, {preset}": maximized(preset) for preset in (None, *presets.PRESETS)},
    "maximize from a photo": lambda net, folder: vis.maximize(net, "relu2", [0, 1], steps=3,
                                                              start=PHOTO),
    "maximize from an image": lambda net, folder: vis.maximize(
        net, "relu2", 1, steps=3, start=nets.images(1, (16, 20, 3), dtype=np.float32)),
    "maximize, laplacian": lambda net, folder: vis.maximize(net, "conv2", 1, basis="laplacian",
                                                            steps=2, rate=0.05, optimizer="adam",
                                                            diffuse=0, momentum=0),
    "occlusion": lambda net, folder: vis.occlusion(net, PHOTO, square=8, stride=4),
    **{f"saliency, {method}": lambda net, folder, method=method: vis.saliency(
        net, PHOTO, "frog", method, samples=3, steps=4)
       for method in vis.saliency.METHODS},
    "strongest": lambda net, folder: vis.strongest(net, [PHOTO, small.photo(seed=1)],
                                                   folder / "strongest", ["relu1", "relu2"],
                                                   count=2).patches,
    "survey": lambda net, folder: vis.survey(net, [PHOTO, small.photo(seed=1)]),
    "style": lambda net, folder: vis.style(net, PHOTO, PHOTO[::-1], steps=3),
    "style, masks": lambda net, folder: vis.style(
        net, PHOTO, PHOTO[::-1], steps=3, mask=HALVES, style_mask=HALVES),
    "style, strotss": lambda net, folder: vis.style(net, PHOTO, PHOTO[::-1], steps=3,
                                                    method="strotss", mask=HALVES,
                                                    style_mask=HALVES),
    **{f"texture, {statistic}": lambda net, folder, statistic=statistic: vis.texture(
        net, PHOTO, steps=3, statistic=statistic, padding="circular")
       for statistic in (*STATISTICS, CROSS) if statistic != "gram"},
    "texture": lambda net, folder: vis.texture(net, PHOTO, steps=3),
    "texture, spectrum": lambda net, folder: vis.texture(net, PHOTO, steps=3, spectrum_weight=1.0),
    "zoom": lambda net, folder: vis.zoom(net, PHOTO, frames=2, layers="relu1", octaves=2,
                                         octave_scale=1.2, steps=2),
    "zoom from noise": lambda net, folder: vis.zoom(net, frames=1, layers="relu1", octaves=1,
                                                    steps=2),
}


@pytest.mark.thorough
@pytest.mark.parametrize("name", METHODS)
def test_every_method(xp, name, tmp_path):
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    expected = told(METHODS[name](small.network(), here))
    found = told(METHODS[name](small.network().to("gpu"), there))
    steps = any(word in name for word in (
        "dream", "filters", "invert", "maximize", "style", "texture", "zoom"))
    parity.same(found, expected, ASCENT if steps else PASS)


def told(found):
    """What is to be compared: of a file its contents."""
    if not isinstance(found, Patches):
        return found
    return found.about, found.layers, {name: list(found.channels(name)) for name in found.layers}


def test_no_method_is_left_out():
    own = {name for name in vis.__all__ if name[0].islower()}
    assert own <= {name.partition(",")[0] for name in METHODS}


@pytest.mark.thorough
@pytest.mark.parametrize("name", ["maximize, None", "saliency, smooth", "texture", "dream"])
def test_the_same_seed_gives_the_same_bytes(xp, name, tmp_path):
    network = small.network().to("gpu")
    first, second = (METHODS[name](network, tmp_path) for _ in range(2))
    for a, b in zip(*([found] if not isinstance(found, list) else found
                      for found in (first, second)), strict=True):
        assert a.x.tobytes() == b.x.tobytes() and a.caption == b.caption
