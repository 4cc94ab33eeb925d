"""What ``--json`` prints: one JSON document on standard output, and nothing else there.

Every document begins with ``"format": "minicnn COMMAND"`` and ``"version": 1``. The version grows
when a key is taken away or changes its meaning; new keys may come at any time. Numbers that are not
finite are null. Errors, warnings and bars stay on standard error, and the exit status is the same;
a command that fails prints no document.

`KEYS` lists the further keys of each command, `PICTURE` those of all commands that make pictures;
the keys of `minicnn check` are those of `minicnn.gradcheck.judge.record`.
"""

import json
from dataclasses import fields
from math import isfinite

import numpy as np

VERSION = 1
PICTURE = {  # of every command that makes pictures
    "out": "path of the result",
    "files": "paths of what else was written",
    "results": "one {caption, settings, label} for each picture, with the record's own numbers and "
               "words: score, error, ...; label is the class's name, where it is about a class",
    "interrupted": "whether Ctrl-C ended it early",
    "skipped": "one line for each photo that could not be read",
}
KEYS = {
    "classify": {
        "network": "its name",
        "photos": "one {photo, classes} each; classes are {number, name, probability}, likeliest "
                  "first"},
    "classes": {"network": "its name", "classes": "one {number, name} each"},
    "summary": {
        "network": "its name", "input": "[height, width, channels]", "parameters": "how many",
        "layers": "one {name, kind, settings, inputs, shape, parameters, receptive_field} each; "
                  "parameters has shapes by name; receptive_field is {size, stride, offset} in "
                  "pixels, vertical first, null without --receptive-fields",
        "memory": "{size, bytes, free} of --method, null without it"},
    "compare": PICTURE | {
        "networks": "two of {network, layer, filters, kernel, stride, photos, faint, silent, "
                    "filter_aliasing, response_aliasing}; faint and silent list filters, the "
                    "aliasing is a share for each filter"},
    "strongest": PICTURE | {
        "layers": "{layer: one {channel, units} each}; units are {photo, value, position, box}, "
                  "strongest first; a box is [top, bottom, left, right] in pixels"},
    "activations": PICTURE | {
        "layers": "one {layer, shape, blank, zeros, dead} each; dead lists channels"},
    "train": {
        "out": "path of the trained network; null with --evaluate", "data": "as given",
        "epochs": "one {index, loss, accuracy, val_loss, val_accuracy} each; none with --evaluate",
        "images": "how many were measured", "loss": "their mean", "top1": "share of 0..1",
        "top5": "share of 0..1", "classes": "names",
        "confusion": "numbers of images; rows: true class, columns: class given"},
    "convert": {
        "out": "path", "network": "its name", "parameters": "how many", "class_names": "how many",
        "notes": "one line each"},
    "fetch": {
        "out": "path; null with --list", "cache": "folder",
        "files": "one {name, network, short, bytes, top1, top5, licence, here} each; accuracies in "
                 "percent"},
    "doctor": {
        "bad": "how many findings are bad", "warnings": "how many", "seconds": "it took",
        "sections": "{title: one {state, what, words, ...} for each finding}"},
}


def document(command, **values):
    """A document as text, in ASCII.

    Parameters
    ----------
    command : str
    **values
        Plain values, NumPy's numbers and arrays, paths; anything else as its ``str``.
    """
    whole = {"format": f"minicnn {command}", "version": VERSION, **values}
    return json.dumps(plain(whole), indent=1, allow_nan=False)


def plain(value):
    """`value` of what JSON knows; numbers that are not finite become None."""
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple, range)):
        return [plain(one) for one in value]
    if isinstance(value, (np.ndarray, np.generic)):
        return plain(value.tolist())
    if isinstance(value, float):
        return value if isfinite(value) else None
    return value if isinstance(value, (str, int, type(None))) else str(value)


def of_record(record, net=None):
    """A record's caption, settings, and what else it holds of numbers and words.

    Parameters
    ----------
    record : vis.Record
    net : Network, optional
        For the name of the class that the record is about.
    """
    from minicnn.vis.record import Record  # all of `vis` comes with it

    common = {one.name for one in fields(Record)}
    own = {one.name: getattr(record, one.name) for one in fields(record) if one.name not in common}
    return {"caption": record.caption, "settings": record.settings,
            "label": net and _label(net, record.settings),
            **{name: value for name, value in own.items() if _is_plain(value)}}


def _label(net, settings):
    """The name of the class that a record is about; None if it is about none."""
    number = settings.get("target")
    if number is None and settings.get("layer") == net.logits:
        number = settings.get("channel")
    return net.label(number) if isinstance(number, int) and net.labels else None


def _is_plain(value):
    """Whether a value is a number, words, or a collection of these."""
    if isinstance(value, (dict, list, tuple)):
        return all(map(_is_plain, value.values() if isinstance(value, dict) else value))
    return isinstance(value, (str, int, float, np.generic))


def about(command):
    """The help of --json."""
    keys = ", ".join(KEYS.get(command, PICTURE))
    return f"print one JSON document in place of the text: {keys}; see minicnn.cli.document"
