"""The command tour."""

from minicnn.report import stops, tour


def test_tour(said, weights, photo, tmp_path, monkeypatch):
    monkeypatch.setattr(tour, "STOPS", stops.STOPS[:3])
    folder = tmp_path / "t"
    assert said("tour", "--weights", weights, photo, "--out", folder) == f"{folder}/index.html\n"
    assert len(list(folder.glob("*.png"))) == 3
