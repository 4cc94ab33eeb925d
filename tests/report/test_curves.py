"""The plot of a training: its lines are the epochs' numbers."""

import matplotlib.figure
import numpy as np
import pytest

from minicnn import images
from minicnn.report import curves
from minicnn.train import Epoch

HISTORY = [Epoch(0, 2.0, 0.25, 2.5, 0.2), Epoch(1, 1.0, 0.5, 2.0, 0.4)]


def lines(monkeypatch, history):
    """The drawn lines, by panel and name."""
    kept = []
    subplots = matplotlib.figure.Figure.subplots
    monkeypatch.setattr(matplotlib.figure.Figure, "subplots",
                        lambda self, *a, **k: kept.append(subplots(self, *a, **k)) or kept[-1])
    curves.draw(history)
    return {(axes.get_ylabel(), line.get_label()): line.get_ydata().tolist()
            for axes in kept[0] for line in axes.lines}


def test_the_lines_are_the_numbers(monkeypatch):
    assert lines(monkeypatch, HISTORY) == {
        ("loss", "training"): [2.0, 1.0], ("loss", "validation"): [2.5, 2.0],
        ("accuracy, %", "training"): [25, 50], ("accuracy, %", "validation"): [20, 40]}


def test_the_plot_says_when_its_figures_are_measured(monkeypatch):
    said, supxlabel = [], matplotlib.figure.Figure.supxlabel
    monkeypatch.setattr(matplotlib.figure.Figure, "supxlabel", lambda self, words, **more: (
        said.append(words) or supxlabel(self, words, **more)))
    curves.draw(HISTORY)
    curves.draw([Epoch(0, 2.0, 0.25)])
    both, alone = said
    assert "training: mean over an epoch's batches, while the network still learns" in alone
    assert "augmentation and dropout" in alone and "validation" not in alone
    assert both == f"{alone}\nvalidation: all validation images, after the epoch, with neither"


def test_without_validation_there_is_one_line_a_panel(monkeypatch):
    assert len(lines(monkeypatch, [Epoch(0, 2.0, 0.25)])) == 2


def test_several_trainings_are_compared_in_colours(monkeypatch):
    found = lines(monkeypatch, {"plain": HISTORY, "varied": HISTORY[:1]})
    assert found["accuracy, %", "validation plain"] == [20, 40]
    assert found["loss", "training varied"] == [2.0] and len(found) == 8
    with pytest.raises(ValueError, match="no epochs"):
        curves.draw({"plain": HISTORY, "none": []})


def test_it_is_saved_as_a_picture(tmp_path):
    curves.plot(tmp_path / "a.png", HISTORY, "a title")
    picture = images.load(tmp_path / "a.png")
    assert picture.shape[1] > 600 and np.ptp(picture) == 255
    with pytest.raises(ValueError, match="no epochs"):
        curves.draw([])
