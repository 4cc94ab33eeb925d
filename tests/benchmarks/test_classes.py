"""Pictures of classes judged by a second network: made once, judged whole, told in a table."""

import json
from dataclasses import replace

import classes
import numpy as np
import pytest

import minicnn
from minicnn import images, vis

ARGUMENTS = ["--classes", "goldfish", "school bus", "--seeds", "0", "--presets", "none"]


@pytest.fixture
def bench(tmp_path, monkeypatch):
    """Run the program with the shipped network as maker and judge; pictures take one step."""
    maximize = vis.maximize
    monkeypatch.setattr(vis, "maximize", lambda *a, **k: maximize(*a, **k | {"steps": 1}))
    network = minicnn.load("minivgg")
    monkeypatch.setattr(minicnn, "load", lambda path: network)
    places = ["--pictures", str(tmp_path / "pictures"), "--out", str(tmp_path / "table")]

    def run():
        classes.run(classes.read([*ARGUMENTS, *places]))
        return json.loads((tmp_path / "table.json").read_text(encoding="utf-8"))
    return run


def test_pictures_are_made_once(bench, tmp_path):
    first = bench()
    assert [row["class"] for row in first["rows"]] == ["goldfish", "school bus"]
    picture = tmp_path / "pictures" / "none_goldfish_0.png"
    written = picture.stat().st_mtime_ns
    assert bench()["rows"] == first["rows"] and picture.stat().st_mtime_ns == written
    text = (tmp_path / "table.md").read_text(encoding="utf-8")
    assert "| none | 2 |" in text and "| school bus | " in text


def test_an_unfinished_picture_is_not_kept(bench, tmp_path, monkeypatch):
    maximize = vis.maximize
    monkeypatch.setattr(vis, "maximize", lambda *a, **k: replace(maximize(*a, **k),
                                                                 interrupted=True))
    with pytest.raises(KeyboardInterrupt):
        bench()
    assert not list((tmp_path / "pictures").iterdir())


def test_a_picture_is_judged_whole(tmp_path):
    """A larger picture is made as small as the network's input, not cut."""
    network = minicnn.load("minivgg")
    wide = np.zeros((128, 128, 3), np.uint8)
    wide[32:96, 32:96] = 255
    images.save(tmp_path / "a.png", wide)
    p = network.probabilities(network.prepare(images.resize(wide, 64), "keep"))[0]
    at = network.find_class("goldfish")
    assert classes.seen(network, tmp_path / "a.png", "goldfish") == [
        round(float(p[at]), 4), 1 + int((p > p[at]).sum())]


def test_every_preset_of_the_table_is_there():
    assert {*classes.PRESETS, *classes.SHORT} <= {*vis.presets.PRESETS}
    assert len({*classes.CLASSES}) == 20
