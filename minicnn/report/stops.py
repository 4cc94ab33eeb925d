"""The stops of the tour: every method once, on one network and one photo.

A stop is a function (net, photo, seed) that returns its pictures by file name, the first of which
the page shows, and what it found: a record, several, or words. Its code stands on the page, and its
docstring is the page's text: the first line the heading, the rest what one sees. Sizes and steps
are small: all stops together take about a minute with the shipped network. `report.tour` walks
along them.
"""

from typing import Any, NamedTuple

import numpy as np

from minicnn import images, models, train, vis
from minicnn.foreign.load import load
from minicnn.network.layers import ReLU
from minicnn.report import (
    activations,
    comparison,
    contact_sheet,
    curves,
    deepdream_image,
    filters,
    heatmaps,
    hypercolumns,
    invert,
    kernels,
    probabilities,
    sheets,
    strongest,
    zoom,
)

SHOWN = ("goldfish", "black widow", "king penguin", "golden retriever", "obelisk", "guacamole",
         "mushroom", "pomegranate")  # classes of minivgg whose pictures people named rightly


class Stop(NamedTuple):
    """A stop: how it is made, the name of its picture, its command, the lesson that explains it."""

    make: Any
    picture: str
    command: str
    lesson: int


def classes_of_the_photo(net, photo, seed):
    """What is it?

    The photo as the network sees it, and below it the probability of every class. The tallest
    stem is the network's answer.
    """
    seen = net.restore(net.prepare(photo))[0]
    p = net.probabilities(net.prepare(photo))[0]
    plot = probabilities.draw([probabilities.Seen("the photo", seen, p)], net.label)
    return {"classify.png": plot}, "; ".join(f"{k} {p:.1%}" for k, p in net.classify(photo))


def first_kernels(net, photo, seed):
    """What does the first layer look for?

    Its kernels, as colours: each is the small patch that it answers most. Training has made edges,
    stripes and contrasts of colour of random numbers.
    """
    found = vis.kernels(net)
    return {"kernels.png": kernels.sheet(found)}, found


def feature_maps(net, photo, seed):
    """What does each filter say of the photo?

    Every channel of one layer: bright where its filter responds. Some trace outlines, some colours,
    some nothing at all.
    """
    layer = rectified(net)[len(rectified(net)) // 2 - 1]
    found = vis.activations(net, photo, [layer])
    return {"activations.png": activations.picture(found)}, found


def grown_classes(net, photo, seed):
    """What do things look like to it?

    Each picture was changed until the score of one class was large. Nothing else went in: these are
    the network's own ideas of the things.
    """
    chosen = recognised(net)
    found = vis.maximize(net, target=chosen, seed=seed)
    p = [net.probabilities(net.prepare(one.image))[0, k] for one, k in
         zip(found, chosen, strict=True)]
    labels = [f"{net.label(k)} {share:.0%}" for k, share in zip(chosen, p, strict=True)]
    sheet = contact_sheet.contact_sheet([one.image for one in found], columns=4, tile=192,
                                        labels=labels)
    return {"classes.png": sheet}, found


def grown_filters(net, photo, seed):
    """What does each layer look for?

    The same for single filters. From layer to layer the patterns become larger and richer: edges,
    stripes, textures, parts.
    """
    layers = rectified(net)[:: max(1, len(rectified(net)) // 5)]
    found = vis.filters(net, layers, count=8, steps=48, seed=seed)
    return {"filters.png": filters.sheet(found)}, found


def matlab_s_pictures(net, photo, seed):
    """The same as MATLAB makes it

    deepDreamImage: from noise, in a pyramid of three sizes, with steps along the plain gradient.
    """
    layer = rectified(net)[-1]
    found = vis.deepdream_image(net, layer, range(6), seed=seed)
    return {"deepdream_image.png": deepdream_image.sheet(found)}, found


def dreamt(net, photo, seed):
    """What does it dream of?

    Whatever a layer sees in the photo is amplified, at several sizes, until it can be seen by
    everybody.
    """
    found = vis.dream(net, photo, seed=seed)
    return {"dream.png": found.image}, found


def zoomed(net, photo, seed):
    """Where does a dream lead?

    Dream, enlarge a little, dream again, from noise: an endless zoom. The moving picture is
    `zoom.gif`.
    """
    found = vis.zoom(net, frames=16, size=128, seed=seed)
    frames = [images.enlarged(frame) for frame in found.frames]
    return {"zoom.png": zoom.sheet(found, 8), "zoom.gif": frames}, found


def projected(net, photo, seed):
    """What in the photo drove this unit?

    The deconvnet goes from one strong unit back to the pixels: unpooling by the switches,
    rectifying, filtering with the transposed kernels.
    """
    found = vis.deconvnet(net, photo, rectified(net)[-2:][0])
    return {"deconvnet.png": sheets.projection(found)}, found


def strongest_patches(net, photo, seed, folder):
    """Which patches drive a unit most?

    Of a hundred drawn shapes and textures: for some channels the nine patches to which they respond
    most, and beside them what in these patches it was.
    """
    drawn = train.data.shapes(100, seed, max(net.input_shape[:2]))
    for k, one in enumerate(drawn.images[:]):
        images.save(folder / f"{k:02}.png", one)
    layer = rectified(net)[-2:][0]
    found = vis.strongest(net, [folder], folder / "found", [layer], range(6))
    return {"strongest.png": strongest.figure(found.patches, layer)}, f"{net.name} {layer}"


def salient(net, photo, seed):
    """On which pixels does the answer depend?

    Bright pixels are those that matter for the class's score; at the right, red ones speak for the
    class and blue ones against it.
    """
    found = vis.saliency(net, photo)
    return {"saliency.png": heatmaps.saliency(found)}, found


def evidence(net, photo, seed):
    """Where is the evidence?

    Grad-CAM weighs the last feature maps by how much the score depends on each. It glows where the
    evidence for the class lies.
    """
    found = vis.gradcam(net, photo)
    return {"gradcam.png": heatmaps.gradcam(found)}, found


def hidden(net, photo, seed):
    """What if a part is hidden?

    A grey square moves over the photo. Where the probability of the class drops, the square hid
    what the network needs.
    """
    found = vis.occlusion(net, photo)
    return {"occlusion.png": heatmaps.occlusion(found)}, found


def alike(net, photo, seed):
    """Which pixels are alike?

    Each pixel is the vector of all its activations, its hypercolumn. Similar ones got the same
    colour; nobody told the network what belongs together.
    """
    found = vis.hypercolumns(net, photo, view="segments")
    return {"hypercolumns.png": hypercolumns.sheet(found)}, found


def inverted(net, photo, seed):
    """What does a layer still know?

    Images with the same activations as the photo. Early layers know nearly all of it; later ones
    keep the thing and forget where exactly its parts are.
    """
    layers = rectified(net)[:: max(1, len(rectified(net)) // 4)]
    found = vis.invert(net, photo, layers, steps=60, seed=seed)
    return {"invert.png": invert.sheet(found)}, found


def woven(net, photo, seed):
    """What remains without places?

    A new image with the same Gram matrices as the photo: which features are together, and not
    where. That is a texture.
    """
    found = vis.texture(net, photo, size=128, steps=60, seed=seed)
    pair = [images.resize(net.restore(net.prepare(photo, 128))[0], (128, 128)), found.image]
    return {"texture.png": contact_sheet.contact_sheet(
        pair, tile=256, labels=["the photo", "its texture"])}, found


def painted(net, photo, seed):
    """Can it paint?

    The photo's content, in the style of one of the pictures of classes above: features where they
    are in the photo, Gram matrices as they are in the style.
    """
    painting = vis.maximize(net, target=recognised(net)[0], seed=seed).image
    found = vis.style(net, photo, painting, size=192, steps=60, seed=seed)
    return {"style.png": contact_sheet.contact_sheet(
        [painting, found.image], tile=256, labels=["the style", "the photo in it"])}, found


def compared(net, photo, seed):
    """How do two first layers differ?

    The first layer of the network beside that of minialex, a small AlexNet: filters, responses,
    dead filters, aliasing.
    """
    found = vis.compare(net, load("minialex"), [photo])
    return {"compare.png": comparison.figure(found)}, found


def trained(net, photo, seed):
    """How does one train a network?

    Three hundred drawn shapes, a network of three layers, a dozen epochs. The gap between the
    curves is what it learnt by heart.
    """
    few, held = (train.data.shapes(n, seed + k, 28) for k, n in enumerate((300, 100)))
    grey = [train.data.arrays(data.images[:].mean(axis=3, keepdims=True).astype("float32") / 255,
                              data.labels) for data in (few, held)]
    learner = models.lecture_mnist().initialize(seed)
    told = list(train.fit(learner, grey[0], 12, train.Adam(0.002), batch=20, validation=grey[1],
                          seed=seed, progress=False))
    return {"train.png": curves.draw(told, "300 drawn shapes")}, str(told[-1])


def rectified(net):
    """The names of the layers of rectified feature maps."""
    return [name for name in net.trunk
            if isinstance(net[name], ReLU) and len(net.shapes[name]) == 3]


def recognised(net):
    """Eight classes: those of SHOWN if the network has them, else some evenly apart."""
    known = [net.labels.index(one) for one in SHOWN if one in (net.labels or ())]
    return known if len(known) == len(SHOWN) else sorted(
        {int(k) for k in np.linspace(0, net.shapes[net.logits][-1] - 1, len(SHOWN))})


STOPS = (
    Stop(classes_of_the_photo, "classify.png", "classify {photo} --plot classify.png", 10),
    Stop(first_kernels, "kernels.png", "kernels", 8),
    Stop(feature_maps, "activations.png", "activations {photo}", 11),
    Stop(grown_classes, "classes.png", "maximize --target {classes}", 12),
    Stop(grown_filters, "filters.png", "filters", 12),
    Stop(matlab_s_pictures, "deepdream_image.png",
         "deepdream-image --layer {deepest} --channels 0..5", 12),
    Stop(dreamt, "dream.png", "dream {photo}", 13),
    Stop(zoomed, "zoom.png", "zoom --frames 16 --size 128", 13),
    Stop(projected, "deconvnet.png", "deconvnet {photo} --layer {last}", 14),
    Stop(strongest_patches, "strongest.png", "strongest photos --layers {last}", 14),
    Stop(salient, "saliency.png", "saliency {photo}", 15),
    Stop(evidence, "gradcam.png", "gradcam {photo}", 15),
    Stop(hidden, "occlusion.png", "occlusion {photo}", 15),
    Stop(alike, "hypercolumns.png", "hypercolumns {photo} --view segments", 11),
    Stop(inverted, "invert.png", "invert {photo} --layers all", 16),
    Stop(woven, "texture.png", "texture {photo} --size 128", 17),
    Stop(painted, "style.png", "style {photo} painting.jpg --size 192", 18),
    Stop(compared, "compare.png", "compare {photo} --against minialex", 8),
    Stop(trained, "train.png", "train shapes", 19),
)
BEST = ("classes.png", "filters.png", "dream.png", "gradcam.png", "style.png", "zoom.gif")
