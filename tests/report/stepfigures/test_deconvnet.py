"""The figure of a deconvnet's way down: its pictures are those of the stages."""

from base64 import b64decode

import numpy as np
import pytest
import small

from minicnn import images
from minicnn.report.stepfigures import step_deconvnet
from minicnn.vis import deconvnet


def picture(source):
    kind, data = source.split(",")
    assert kind == "data:image/png;base64"
    return images.decode(b64decode(data))


def test_every_stage_and_at_the_end_the_projection():
    network, photo = small.network(), np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)
    layer = [name for name in network.trunk if len(network.shapes[name]) == 3][-1]
    figure = step_deconvnet(network, photo, layer)
    record, stages = deconvnet.each_stage(network, photo, layer)
    shown = figure.data["stages"]
    left = [stage for stage in stages[:-1] if stage.array.any()] + stages[-1:]
    assert [(one["layer"], one["operation"]) for one in shown] == [stage[:2] for stage in left]
    last = picture(shown[-1]["whole"])
    times = len(last) // len(record.image)
    assert np.array_equal(last[::times, ::times], record.image)
    for one, stage in zip(shown, left, strict=True):
        assert one["shape"] == " × ".join(map(str, stage.array.shape[1:]))
        for plane in one["planes"]:
            assert picture(plane["src"]).ndim == 3
    for one in shown[:-1]:  # each map has its own scale: its largest number is as far as can be
        for plane in one["planes"]:
            pixels = picture(plane["src"]).astype(int)
            assert np.abs(pixels - 128).max() == 127
    assert "rectify" not in "".join(one["title"] for one in shown)
    assert "changes nothing" in shown[1]["words"]  # a ReLU of what is not negative
    strongest = int(shown[0]["planes"][0]["label"].removeprefix("map "))
    assert np.abs(stages[0].array[..., strongest]).max() > 0
    assert str(record.caption) in "".join(figure.text)
    assert "".join(figure.still).count("<h2>") == len(shown)


def test_an_unknown_layer(tmp_path):
    with pytest.raises(ValueError, match="no-such"):
        step_deconvnet(small.network(), np.zeros((8, 8, 3), np.uint8), "no-such")
