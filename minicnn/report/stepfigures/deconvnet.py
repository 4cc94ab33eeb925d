"""A deconvnet's way down, stage by stage, from one unit to the photo."""

from base64 import b64encode
from html import escape

import numpy as np

from minicnn import images
from minicnn.backend import to_host
from minicnn.images import display
from minicnn.report import sheets
from minicnn.report.stepfigures.figure import StepFigure, about
from minicnn.vis import deconvnet

PLANES, SIDE = 6, 160  # maps shown of a stage; the least side of a picture, in pixels
TITLES = {"rectify: deconvnet": "set what is negative to zero", "LRN: through": "pass through"}
TOLD = {
    "all others to zero": "One unit keeps its activation; every other number of the layer is set "
                          "to zero. The way down begins.",
    "unpool": "Each number goes back to the place where its maximum was on the way up: the switch "
              "remembers. All other places are zero.",
    "rectify": "The deconvnet's rule at a ReLU: what is negative is set to zero.",
    "filter": "The transposed kernels: each number spreads its kernel, times itself, over the "
              "window that it was computed from. Overlaps add up.",
    "LRN": "The normalisation is passed through, as in the paper.",
}


def step_deconvnet(network, photo, layer, channel=None, position=None):
    """A unit's projection to the pixels, one stage at a time, with the maps after each.

    Parameters
    ----------
    network : Network
    photo : path or uint8 array (H, W, 3)
    layer : str
    channel : int, optional
        By default the map with the strongest activation.
    position : (row, column), optional
        By default where that map is strongest.

    Returns
    -------
    StepFigure

    Raises
    ------
    ValueError
        As `vis.deconvnet`: an unknown layer or channel, a unit that is not active.
    """
    record, stages = deconvnet.each_stage(network, photo, layer, channel, position)
    top, bottom, left, right = deconvnet.region(record.x)
    shown, before = [], None
    for stage, planes in _planes(stages[:-1]):
        shown.append(_stage(stage, planes, before))
        before = to_host(stage.array)
    last = stages[-1]
    shown.append({
        "layer": last.layer, "operation": last.operation, "title": _title(last),
        "shape": _shape(last),
        "whole": _source(record.image), "planes": [
            {"label": "the photo there", "src": _source(record.photo[top:bottom, left:right])},
            {"label": "the projection, closer", "src": _source(record.image[top:bottom,
                                                                          left:right])}],
        "words": "The last kernels lead to red, green and blue. Grey is zero. This is what in the "
                 "photo drove the unit, seen through the network's own kernels."})
    framed = sheets.framed(record.photo, top, bottom, left, right)
    data = {"kind": "deconvnet", "settings": {}, "library": {}, "stages": shown,
            "photo": {"src": _source(framed), "words": "framed: what the unit sees of it"}}
    still = [f'<h2>{escape(one["layer"])}: {escape(one["title"])}</h2><p>{one["words"]}</p>'
             f'<div class="row">{_picture(one["whole"], "all maps", "photo")}'
             + "".join(_picture(plane["src"], plane["label"], "thumb") for plane in one["planes"])
             + "</div>" for one in shown]
    return StepFigure(
        title="A deconvnet, step by step",
        lead=f"From one unit of {escape(network.name)}, {escape(layer)}, down to the pixels that "
             "drove it: unpool, keep what is positive, filter, again and again.",
        data=data, still=[_picture(data["photo"]["src"], data["photo"]["words"], "photo"), *still],
        text=about(
            "minicnn.vis.deconvnet", 14, escape(record.caption) + ".",
            "The large picture shows at each place the size of all maps together. Below it are the "
            "strongest maps, those whose squares have the largest sums, with zero as grey. Each "
            "map is scaled by itself, and what is faint in it is made stronger.",
            "Watch what unpooling does: single points move apart, to where the maxima were. Watch "
            "what filtering does: each point becomes a small pattern. Only the switches and the "
            "signs come from the photo; the patterns come from the kernels. So do the colours, "
            "even those that the photo lacks: each kernel of the first layer paints its own.",
            numbers=False))


def _planes(stages):
    """Each stage that leaves something, with the numbers of its strongest maps."""
    for stage in stages:
        maps = to_host(stage.array)
        if maps.any():
            energy = (maps.astype(np.float64) ** 2).reshape(-1, maps.shape[-1]).sum(axis=0)
            strongest = np.argsort(-energy, kind="stable")[:PLANES]
            yield stage, [int(c) for c in strongest if energy[c] > 0]


def _stage(stage, planes, before):
    """One stage as the page has it; `before` is the array of the stage before it, or None."""
    maps = to_host(stage.array)
    same = before is not None and np.array_equal(maps, before)
    maps = maps[0]
    maps = maps if maps.ndim == 3 else maps.reshape(1, 1, -1)  # D -> 1,1,D
    together = display.to_uint8(np.sqrt((maps**2).sum(axis=2)), 0)  # H,W,C -> H,W
    words = TOLD.get(stage.operation.partition(":")[0], stage.operation + ".")
    unchanged = (" Here that changes nothing, and the pictures are those of the step before."
                 if same else "")
    return {"layer": stage.layer, "operation": stage.operation, "title": _title(stage),
            "shape": _shape(stage), "whole": _source(together),
            "words": f"{words}{unchanged} {_counted(maps)}",
            "planes": [{"label": f"map {c}",
                        "src": _source(display.signed_to_uint8(maps[..., c], gamma=0.5))}
                       for c in planes]}


def _title(stage):
    return TITLES.get(stage.operation, stage.operation)


def _counted(maps):
    strength = np.abs(maps)
    some = np.count_nonzero(strength > deconvnet.NOT_ZERO * strength.max())
    return f"{some} of {maps.size} numbers {'is' if some == 1 else 'are'} not zero."


def _shape(stage):
    return " × ".join(map(str, stage.array.shape[1:]))


def _source(picture):
    """A picture as a PNG in an address, with small ones enlarged in blocks."""
    times = max(1, -(-SIDE // max(picture.shape[:2])))
    large = picture.repeat(times, axis=0).repeat(times, axis=1)
    return "data:image/png;base64," + b64encode(images.encode(large)).decode()


def _picture(source, words, kind):
    return (f'<figure class="panel {kind}"><figcaption>{escape(words)}</figcaption>'
            f'<img src="{source}" alt="{escape(words)}"></figure>')
