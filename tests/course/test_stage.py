"""The stage of a lesson: sources, the network, the photo."""

import numpy as np

from minicnn.course import photo, source, stage
from minicnn.ops import relu


def test_source_without_its_docstring(capsys):
    source(relu.forward)
    text = capsys.readouterr().out
    assert text.startswith("def forward(") and '"""' not in text and "return" in text
    assert text.endswith("\n\n")
    source(*relu.RULES.values(), relu.forward)  # lines stand together, the rest is parted
    lines, rest = capsys.readouterr().out.strip().split("\n\n")
    assert lines.count("\n") == 2 and rest.startswith("def forward(")
    source(relu.forward, docstring=True)
    assert '"""' in capsys.readouterr().out


def test_another_photo_for_a_while(tmp_path):
    usual = photo()
    assert usual.dtype == np.uint8 and usual.shape[2] == 3
    path = tmp_path / "grey.png"
    stage.images.save(path, np.full((4, 5, 3), 7, np.uint8))
    with stage.chosen(photo=path, weights=None):
        assert photo().shape == (4, 5, 3) and stage.CHOSEN["weights"] == "minivgg"
    assert np.array_equal(photo(), usual)
