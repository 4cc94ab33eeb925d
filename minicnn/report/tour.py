"""The tour: one picture of each kind from one network and one photo, with a page around them."""

import shlex
from pathlib import Path

import numpy as np

from minicnn import images, vis
from minicnn.ascent import views
from minicnn.network.layers import ReLU
from minicnn.progress import bar
from minicnn.report import page, sheets
from minicnn.report.contact_sheet import caption, contact_sheet

FILES = ("index.html", "photo.png", "filters.png", "classes.png", "deconvnet.png", "texture.png")
CLASSES, FILTERS, TILE = 8, 8, 128
SHOWN = ("goldfish", "lion", "ladybug", "school bus", "steel arch bridge", "guacamole", "pizza",
         "orange")  # classes of the shipped network whose images can be recognised


def tour(network, photo=None, folder="tour", seed=0, progress=False):
    """Make one picture of each kind, and an index.html that explains them.

    Parameters
    ----------
    network : Network
        With class names; minivgg takes well under a minute.
    photo : path or uint8 array, optional
        By default a portrait that comes with matplotlib.
    folder : str or path
        Created if it does not exist; files of the same name are replaced.
    seed : int
    progress : bool
        Show bars on standard error.

    Returns
    -------
    Path
        The path of index.html.

    Raises
    ------
    ValueError
        The network has no convolutions, or does not classify.
    KeyboardInterrupt
        On Ctrl-C; the pictures made so far are kept, and index.html shows them.
    """
    _check(network)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    if photo is None:
        from matplotlib import cbook

        photo = str(cbook.get_sample_data("grace_hopper.jpg", asfileobj=False))
    name = shlex.quote(str(photo)) if isinstance(photo, str | Path) else "PHOTO"
    seen = network.restore(network.prepare(photo))[0]
    sections = []
    try:
        for make in (_classes, _filters, _maximized, _projection, _texture):
            sections.append(make(network, photo, name, seen, folder, seed, progress))
    except KeyboardInterrupt:
        if not sections:
            raise
        index = _write(folder, network, sections, " The tour was interrupted.")
        raise KeyboardInterrupt(f"{index} shows what was done until then") from None
    return _write(folder, network, sections)


def _write(folder, network, sections, more=""):
    page.write(folder / "index.html", f"How {network.name} sees",
               "Every picture on this page was computed with NumPy only. The command below each "
               f"picture makes it, or the first part of it.{more}", sections)
    return folder / "index.html"


def _classes(network, photo, name, seen, folder, seed, progress):
    images.save(folder / "photo.png", contact_sheet([seen], tile=2 * TILE))
    best = network.classify(photo)
    return page.Section(
        "What is it?", "The photo as the network sees it, and its five most probable classes.",
        f"minicnn classify {name}", "photo.png",
        "; ".join(f"{label} {probability:.1%}" for label, probability in best))


def _filters(network, photo, name, seen, folder, seed, progress):
    layers = _feature_maps(network)
    records = [_whole(vis.maximize(network, layer, range(min(FILTERS, network.shapes[layer][-1])),
                                   steps=60, start="noise", seed=seed))
               for layer in bar(layers, "filters", progress)]
    blank = np.full_like(records[0][0].image, 255)  # a layer may have fewer channels
    tiles = [[r.image for r in row] + [blank] * (FILTERS - len(row)) for row in records]
    sheet = contact_sheet([tile for row in tiles for tile in row], columns=FILTERS, tile=96,
                          row_labels=layers, column_labels=[str(c) for c in range(FILTERS)])
    words = f"{network.name}: the first {FILTERS} channels of each layer, maximised"
    images.save(folder / "filters.png", caption(sheet, words))
    return page.Section(
        "What does each layer look for?", "An image of faint noise is changed until one channel "
        "responds strongly. The deeper the layer, the larger and richer the pattern.",
        f"minicnn maximize --layer {layers[0]} --channel 0 --steps 60 --start noise",
        "filters.png", words)


def _maximized(network, photo, name, seen, folder, seed, progress):
    chosen = _recognised(network)
    records = _whole(vis.maximize(network, None, chosen, seed=seed, progress=progress))
    labels = [network.label(k) for k in chosen]
    images.save(folder / "classes.png", contact_sheet([r.image for r in records], columns=4,
                                                      tile=TILE, labels=labels))
    probabilities = [network.probabilities(views.whole(r.x, network.input_shape[:2]))[0, k]
                     for r, k in zip(records, chosen, strict=True)]
    return page.Section(
        "What does it think things look like?", "The same for whole classes: each image makes one "
        "class's score large, wherever it is seen from. Below are the probabilities that the "
        "network gives these classes.", f"minicnn maximize --channel {chosen[0]}", "classes.png",
        "; ".join(f"{label} {p:.1%}" for label, p in zip(labels, probabilities, strict=True)))


def _recognised(network):
    """The classes that are shown: those of SHOWN if the network has them, else some evenly apart.
    """
    known = [network.labels.index(one) for one in SHOWN if one in (network.labels or ())]
    if len(known) >= CLASSES:
        return known[:CLASSES]
    count = network.shapes[network.logits][-1]
    return sorted({int(k) for k in np.linspace(0, count - 1, CLASSES)})


def _projection(network, photo, name, seen, folder, seed, progress):
    layer = _feature_maps(network)[-2:][0]
    record = vis.deconvnet(network, photo, layer)
    images.save(folder / "deconvnet.png", sheets.projection(record, TILE))
    return page.Section(
        "What in the photo drove this unit?", "The deconvnet follows one unit down to the pixels: "
        "unpooling by the switches, rectifying, filtering with the transposed kernels.",
        f"minicnn deconvnet {name} --layer {layer}", "deconvnet.png",
        record.caption)


def _texture(network, photo, name, seen, folder, seed, progress):
    size = 2 * max(network.input_shape[:2])  # any size fits: more room, more texture
    record = _whole(vis.texture(network, photo, size=size, seed=seed, progress=progress))
    larger = network.restore(network.prepare(photo, size))[0]
    images.save(folder / "texture.png", contact_sheet([larger, record.image], tile=2 * TILE,
                                                      labels=["photo", "its texture"]))
    return page.Section(
        "What remains without positions?", "An image made from noise, with the same correlations "
        "between feature maps as the photo: its texture, without its arrangement.",
        f"minicnn texture {name} --size {size}", "texture.png", record.caption)


def _feature_maps(network):
    return [name for name in network.trunk
            if isinstance(network[name], ReLU) and len(network.shapes[name]) == 3]


def _check(network):
    if not _feature_maps(network):
        raise ValueError(f"tour: network {network.name} has no rectified feature maps to show")
    network.probabilities(np.zeros((1, *network.input_shape), np.float32))


def _whole(made):
    """Return the record or records; if Ctrl-C interrupted one, end the tour as well."""
    if any(record.interrupted for record in (made if isinstance(made, list) else [made])):
        raise KeyboardInterrupt
    return made
