"""Files such as a command on a page takes for granted, made small: photos, networks, layers, work
of students. What stands in for a file is told by its name."""

import os
from dataclasses import replace
from pathlib import Path

import handed_in
import numpy as np

from minicnn import images, models
from minicnn.cli import _inputs, build_parser
from minicnn.course.assignments import assignment
from minicnn.course.handout import solution
from minicnn.files import cache, hdf5, manifest
from minicnn.network import Network
from minicnn.network.layers import Conv, Dense
from minicnn.report.drawn import ladybird
from minicnn.train.shapes import CLASSES, Shapes

SIDE = 96  # pixels of a photo
THIN = 16  # a network's layers have a sixteenth of their channels
PICTURES = ("photo", "painting", "pebbles", "wall", "sky", "houses", "mask")
FILES = {"mine.py": handed_in.CONV.replace("_naive", ""),
         "layers.py": handed_in.CONV.replace("_naive", "") + handed_in.RELU,
         "convolution.py": solution(assignment("convolution"))}
GRADED = "gram"  # the assignment that students have handed in: the shortest


def prepare(words, labels=()):
    """Write what stands in for the files that a command, as its words, takes.

    `labels` are names of classes that a network shall have.
    """
    options = build_parser(words).parse_args(words)
    for name in _inputs(options):
        write(name, labels)
    fetched(getattr(options, "weights", None), labels)


def write(name, labels=()):
    """Write what stands in for a file or a folder that is not there, if it is one of ours."""
    if os.path.exists(name):  # which any text may be asked, also one too long for a path
        return
    path = Path(name)
    if path.suffix in (".jpg", ".png") and path.stem in PICTURES:
        path.parent.mkdir(parents=True, exist_ok=True)
        images.save(path, picture(path.stem))
    elif path.suffix == ".h5" and model_of(path.stem):
        hdf5.save(network(path.stem, labels), path)
    elif name in FILES:
        path.write_text(FILES[name], encoding="utf-8")
    elif path.name == "photos":
        photos(path)
    elif path.name == "submissions":
        for student in ("ada", "ben"):
            (path / student).mkdir(parents=True)
            (path / student / f"{GRADED}.py").write_text(solution(assignment(GRADED)))


def fetched(name, labels=()):
    """Put a network into the cache, as if it had been fetched, if `name` is an official one's."""
    name = manifest.preferred().get(name, name)
    path = cache.place(name)
    if name in manifest.known() and not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        hdf5.save(network(manifest.known()[name].model, labels), path)
        cache.record(path, {})


def picture(name):
    """A mask of two halves; for any other name a ladybird on a leaf."""
    if name == "mask":
        return np.repeat(np.uint8([0, 255]), SIDE // 2)[None, :, None].repeat(SIDE, 0).repeat(3, 2)
    return ladybird(SIDE, seed=len(name))


def photos(folder, each=4, kinds=2):
    """A folder with a subfolder of drawn pictures for each of some classes."""
    drawn = Shapes(each * len(CLASSES), size=SIDE)
    for k, label in enumerate(drawn.labels):
        if label < kinds:
            path = folder / CLASSES[label] / f"{k}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            images.save(path, drawn.draw(k))


def model_of(name):
    """The longest name of an architecture with which the name begins; None for none."""
    return max((model for model in models.__all__ if name.startswith(model)), key=len, default=None)


def network(name, labels=()):
    """The architecture of `model_of`, thin, with random weights."""
    whole = getattr(models, model_of(name))()
    *_, last = whole.param_shapes
    classes = whole.shapes[whole.logits][-1]
    rows = [row if row.name == last else row._replace(layer=thin(row.layer)) for row in whole.rows]
    return Network(whole.name, rows, whole.input_shape, whole.preprocessing,
                   [*labels, *(f"class {k}" for k in range(len(labels), classes))]).initialize(0)


def thin(layer):
    """The same layer with fewer channels."""
    if isinstance(layer, Conv):
        return replace(layer, filters=layer.groups * max(1, layer.filters // layer.groups // THIN))
    return replace(layer, units=layer.units // THIN) if isinstance(layer, Dense) else layer
