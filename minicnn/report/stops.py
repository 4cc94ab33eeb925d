"""The stops of the tour: every method once, on one network and one photo.

A stop is a function (net, photo, seed) that returns its pictures by file name, the first of which
the page shows, and what it found: a record, several, or words. A stop that has a `folder`, too,
writes a file there for its command. Its code stands on the page, and its docstring is the page's
text: the first line the heading, the rest what one sees. Sizes and steps are small: all stops
together take less than a minute with the shipped network. `report.tour` walks along them.
"""

from math import isqrt
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np

from minicnn import images, models, train, vis
from minicnn.files import photos
from minicnn.foreign.load import load
from minicnn.report import (
    activations,
    animation,
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
from minicnn.report.chosen import deep, dreamt_at, few, last, middle, recognised, spread


class Stop(NamedTuple):
    """A stop: how it is made, the name of its picture, its command, the lesson that explains it,
    what is seen in the picture, the names of its further files."""

    make: Any
    picture: str
    command: str
    lesson: int
    seen: str
    others: tuple = ()


def classes_of_the_photo(net, photo, seed):
    """What is it?

    The photo as the network sees it, and below it the probability of every class. The network's
    answer is the class with the tallest bar; dotted lines lead to the names.
    """
    best = net.classify(photo)
    x = net.prepare(photo)
    seen = probabilities.Seen(Path(photo).name, net.restore(x)[0], net.probabilities(x)[0])
    plot = probabilities.draw([seen], net.label)
    return {"classify.png": plot}, "; ".join(f"{k} {p:.1%}" for k, p in best)


def first_kernels(net, photo, seed):
    """What does the first layer look for?

    Its kernels, as colours: each is the small patch that it answers most. Training has made
    these edges, stripes and contrasts of colour out of random numbers.
    """
    found = vis.kernels(net)
    return {"kernels.png": kernels.sheet(found)}, found


def feature_maps(net, photo, seed):
    """What does each filter say of the photo?

    Every channel of one layer: yellow where its filter responds more than it does on average, blue
    where it responds less. Some trace outlines, some colours.
    """
    found = vis.activations(net, photo, [middle(net)])
    return {"activations.png": activations.picture(found)}, found


def grown_classes(net, photo, seed):
    """What do things look like to it?

    Each picture was changed until the score of one class was large. No photo went in, only the wish
    for smooth pictures with the thing in the middle: these are the network's own ideas.
    """
    chosen = recognised(net)
    found = vis.maximize(net, target=chosen, seed=seed)
    p = [net.probabilities(net.prepare(one.image))[0, k] for one, k in
         zip(found, chosen, strict=True)]
    labels = [f"{net.label(k).split(',')[0]} {share:.0%}"
              for k, share in zip(chosen, p, strict=True)]
    sheet = contact_sheet.contact_sheet([one.image for one in found], columns=4, tile=192,
                                        labels=labels)
    return {"classes.png": sheet}, found


def grown_filters(net, photo, seed):
    """What does each layer look for?

    The same for single filters, a row for each layer. From the first layers to the middle ones the
    patterns become larger and richer; the table at the end counts how much.
    """
    found = vis.filters(net, spread(net, 6), count=6, steps=48, seed=seed)
    return {"filters.png": filters.sheet(found)}, found


def matlab_s_pictures(net, photo, seed):
    """What does a filter look like in MATLAB's way?

    As its deepDreamImage does it, noise is grown at three sizes, one after the other, along a
    gradient whose coarse and fine parts are made equally strong. So filters look different here.
    """
    found = vis.deepdream_image(net, last(net), range(few(net, last(net))), seed=seed)
    return {"deepdream_image.png": deepdream_image.sheet(found)}, found


def dreamt(net, photo, seed):
    """What does it dream of?

    Whatever a layer sees a little of in the photo is amplified, at several sizes: lines become
    edges, and spots may become eyes.
    """
    found = vis.dream(net, photo, size=dreamt_at(photo), seed=seed)
    return {"dream.png": images.enlarged(found.image)}, found


def zoomed(net, photo, seed):
    """Where does a dream lead?

    Dream, enlarge a little, dream again, from noise: the forms that the layer prefers grow out of
    it. Here are the frames; they also move:
    """
    found = vis.zoom(net, frames=16, size=128, seed=seed)
    frames = [images.enlarged(frame) for frame in found.frames]
    return {"zoom.png": zoom.sheet(found), "zoom.gif": frames}, found


def projected(net, photo, seed):
    """What in the photo drove this unit?

    The deconvnet goes from the layer's strongest unit back to the pixels, through every layer in
    turn. The box is what the unit can see, and the projection tells what in it mattered.
    """
    found = vis.deconvnet(net, photo, deep(net))
    return {"deconvnet.png": sheets.projection(found)}, found


def strongest_patches(net, photo, seed, folder):
    """Which patches drive a unit most?

    Of a hundred drawn shapes and textures: for some channels the nine patches to which they respond
    most, and to their left each one's projection back to the pixels. What do the nine share?
    """
    side, folder = max(net.input_shape[:2]), Path(folder)
    drawn = {"train": train.data.shapes(300, seed, 28), "val": train.data.shapes(100, seed, side)}
    photos.write(folder / "shapes.h5", drawn)
    with TemporaryDirectory() as scratch:
        found = vis.strongest(net, folder / "shapes.h5", scratch, [deep(net)],
                              range(few(net, deep(net))))
        sheet = strongest.figure(found.patches, deep(net))
    return {"strongest.png": sheet}, f"{net.name} {deep(net)}: six of its channels"


def salient(net, photo, seed):
    """On which pixels does the answer depend?

    Bright pixels are those on which the class's score depends, weighted by the map of the next
    section, whose warning holds here, too. The last picture keeps the signs: grey is zero.
    """
    found = vis.saliency(net, photo)
    return {"saliency.png": heatmaps.saliency(found)}, found


def evidence(net, photo, seed):
    """Where is the evidence?

    Grad-CAM weighs the last feature maps by how much the score depends on each, and adds them up.
    It may glow beside the thing: then do not trust it. The table at the end measures that.
    """
    found = vis.gradcam(net, photo)
    return {"gradcam.png": heatmaps.gradcam(found)}, found


def hidden(net, photo, seed):
    """What if a part is hidden?

    A grey square moves over the photo. Where the maps are dark, it hid what a feature map responds
    to, and what makes the class probable.
    """
    found = vis.occlusion(net, photo)
    return {"occlusion.png": heatmaps.occlusion(found)}, found


def alike(net, photo, seed):
    """Which pixels are alike?

    Each pixel is the vector of all its activations, its hypercolumn. K-means puts them into six
    groups, a colour each. They follow things in part: what is around a pixel counts, too.
    """
    found = vis.hypercolumns(net, photo, view="segments", seed=seed)
    return {"hypercolumns.png": hypercolumns.sheet(found)}, found


def inverted(net, photo, seed):
    """What does a layer still know?

    Images with nearly the same activations as the photo. Early layers know nearly all of it; later
    ones keep the thing and forget where exactly its parts are.
    """
    found = vis.invert(net, photo, spread(net, 4), steps=60, seed=seed)
    return {"invert.png": invert.sheet(found)}, found


def woven(net, photo, seed):
    """What remains without places?

    A new image with the same Gram matrices as the photo: which features are together, and not
    where. Units of deep layers see large pieces, which stay whole in their new places.
    """
    found = vis.texture(net, photo, size=128, steps=60, seed=seed)
    pair = [images.resize(net.restore(net.prepare(photo, 128))[0], (128, 128)), found.image]
    return {"texture.png": contact_sheet.contact_sheet(
        pair, tile=256, labels=["the photo", "its texture"])}, found


def painted(net, photo, seed):
    """Can it paint?

    The photo's content, in the style of one of the network's own pictures. Features stay where they
    are in the photo, and Gram matrices become those of the style:
    """
    one = {"target": recognised(net)[0]} if net.classifies else {"layer": last(net)}
    painting = vis.maximize(net, seed=seed, **one).image
    found = vis.style(net, photo, painting, size=192, steps=60, seed=seed)
    sheet = contact_sheet.contact_sheet(
        [painting, found.image], tile=256, labels=["the style", "the photo in it"])
    return {"style.png": sheet, "painting.png": painting}, found


def compared(net, photo, seed):
    """How do two first layers differ?

    The first layer of the network beside that of minialex, a small AlexNet. Large strides skip
    pixels, so fine stripes look like coarse ones, which is aliasing; here is how much there is.
    """
    found = vis.compare(net, load("minialex"), [photo])
    return {"compare.png": comparison.figure(found)}, found


def trained(net, photo, seed, folder):
    """How does one train a network?

    Three hundred drawn shapes, another network, of three convolutions, and a dozen epochs. Where
    validation stays behind, it learns by heart; with 100 images, 5 points of accuracy are chance.
    """
    learner = models.lecture_mnist().initialize(seed)
    few, held = (train.data.fitted(data, learner.input_shape)
                 for data in train.data.find(Path(folder) / "shapes.h5", 28, seed=seed))
    told = list(train.fit(learner, few, 12, train.Adam(0.004), batch=20,
                          rate=train.one_cycle(0.004), validation=held, seed=seed, progress=False))
    return {"train.png": curves.draw(told, "lecture_mnist on shapes.h5")}, str(told[-1])


# ---- what stops and their commands share

def save(pictures, folder):
    """Write a stop's pictures, {name: picture or frames}, into a folder."""
    for name, picture in pictures.items():
        (animation.save if isinstance(picture, list) else images.save)(Path(folder) / name, picture)


STOPS = (
    Stop(classes_of_the_photo, "classify.png", "classify {photo} --plot classify.png", 10,
         "the photo above a plot with a stem for each class's probability"),
    Stop(first_kernels, "kernels.png", "kernels", 8,
         "the kernels of the first layer, each as a small patch of coloured pixels"),
    Stop(feature_maps, "activations.png",
         "activations {photo} --layers {middle} --out activations.png", 11,
         "all channels of one layer, dark where they are silent and bright where they respond"),
    Stop(grown_classes, "classes.png", "maximize --target {classes} --out classes.png", 12,
         "eight pictures, each grown for one class, with its name and probability below"),
    Stop(grown_filters, "filters.png", "filters --layers {six} --count 6 --steps 48", 12,
         "a row of patterns for each layer, plain stripes at the top and rich forms at the bottom"),
    Stop(matlab_s_pictures, "deepdream_image.png",
         "deepdream-image --layer {last} --channels {of_last} --out deepdream_image.png", 12,
         "six patterns, each grown from noise for one channel of the last layer"),
    Stop(dreamt, "dream.png", "dream {photo}{smaller}", 13,
         "the photo with the forms that the network sees in it drawn stronger"),
    Stop(zoomed, "zoom.png", "zoom --frames 16 --size 128", 13,
         "the frames of a zoom into a dream, from the first of noise to the last", ("zoom.gif",)),
    Stop(projected, "deconvnet.png", "deconvnet {photo} --layer {deep}", 14,
         "the photo, the part that one unit sees, and what in it drove the unit"),
    Stop(strongest_patches, "strongest.png",
         "strongest {shapes} --layers {deep} --channels {of_deep}", 14,
         "for each of six channels nine patches of drawn shapes and their projections",
         ("shapes.h5",)),
    Stop(salient, "saliency.png", "saliency {photo}", 15,
         "the photo and maps of the pixels that matter for its class"),
    Stop(evidence, "gradcam.png", "gradcam {photo}", 15,
         "the photo and a heat map of the evidence for its class"),
    Stop(hidden, "occlusion.png", "occlusion {photo}", 15,
         "the photo with a grey square, and maps of the answers for each place of the square"),
    Stop(alike, "hypercolumns.png", "hypercolumns {photo} --view segments", 11,
         "the photo, and its pixels coloured by six groups of alike ones"),
    Stop(inverted, "invert.png", "invert {photo} --layers {four} --steps 60", 16,
         "the photo made again from the activations of one layer after the other"),
    Stop(woven, "texture.png", "texture {photo} --size 128 --steps 60", 17,
         "the photo, and a picture of the same colours and strokes in other places"),
    Stop(painted, "style.png", "style {photo} {painting} --size 192 --steps 60", 18,
         "a picture of a class, and the photo painted in its colours and strokes",
         ("painting.png",)),
    Stop(compared, "compare.png", "compare {photo} --against minialex", 8,
         "kernels and responses of two networks' first layers, side by side"),
    Stop(trained, "train.png", "train {shapes} --model lecture_mnist --epochs 12 --batch 20 "
         "--rate 0.004 --plot train.png", 19,
         "curves of the loss and the accuracy in training and on held-back pictures"),
)
BEST = {  # what stands on top of the page: {stop: (file, what is seen)}
    "grown_classes": ("best_classes.png", "four pictures grown for classes"),
    "grown_filters": ("best_filters.png", "four patterns grown for filters"),
    "dreamt": ("best_dream.png", "a dream of the photo"),
    "inverted": ("best_inverted.png", "the photo made again from four layers"),
    "painted": ("best_style.png", "the photo painted in another style"),
    "zoomed": ("zoom.gif", "a zoom into a dream, moving"),
}


def best(name, found):
    """{file: picture} of the square on top of the page that stands for what a stop found."""
    if name not in BEST or name == "zoomed":
        return {}
    if name == "grown_filters":
        rows = found.layers
        tiles = [rows[k].pictures[-1] for k in np.linspace(0, len(rows) - 1, 4).astype(int)]
    else:
        tiles = [one.image for one in found[:4]] if isinstance(found, list) else [found.image]
    across = isqrt(len(tiles))  # 1, or 2 by 2
    tiles = [images.resize(one, (192 // across, 192 // across)) for one in tiles[: across**2]]
    rows = [np.concatenate(tiles[k : k + across], axis=1) for k in range(0, len(tiles), across)]
    return {BEST[name][0]: np.concatenate(rows)}
