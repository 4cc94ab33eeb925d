"""The command tour."""

from minicnn.report import tour


def test_tour(said, weights, photo, tmp_path, monkeypatch):
    monkeypatch.setattr(tour, "CLASSES", 2)
    monkeypatch.setattr(tour, "FILTERS", 1)
    folder = tmp_path / "t"
    assert said("tour", "--weights", weights, photo, "--out", folder) == f"{folder}/index.html\n"
    assert len(list(folder.glob("*.png"))) == 5
