"""The command tour."""

import sys


def test_tour(said, weights, photo, tmp_path, monkeypatch):
    module = sys.modules["minicnn.report.tour"]
    monkeypatch.setattr(module, "CLASSES", 2)
    monkeypatch.setattr(module, "FILTERS", 1)
    folder = tmp_path / "t"
    assert said("tour", "--weights", weights, photo, "--out", folder) == f"{folder}/index.html\n"
    assert len(list(folder.glob("*.png"))) == 5
