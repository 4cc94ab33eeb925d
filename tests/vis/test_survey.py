"""LayerStatistics over photos against plain counting; photos that cannot be read; memory."""

import tracemalloc

import numpy as np
import pytest
import small

from minicnn import backend, images, vis
from minicnn.network import LayerNameError
from minicnn.vis.survey import statistics

NETWORK = small.network()
PHOTOS = [small.photo(seed=seed) for seed in range(4)]


def silenced():
    """A network in which some channels are silent: in all photos, or in most places."""
    network = small.network()
    network.params["conv1"]["b"][:2] = -100, -1.2
    network.params["conv2"]["b"][3] = -100
    return network


def counted(network, layer, photos):
    """(blank, zeros, dead) of a layer with positions, value by value."""
    maps = [network.forward(network.prepare(photo))[layer][0] for photo in photos]
    channels = range(maps[0].shape[-1])
    blank = [len(set(a[..., c].ravel().tolist())) == 1 for a in maps for c in channels]
    zeros = [value == 0 for a in maps for value in a.ravel().tolist()]
    dead = tuple(c for c in channels if all((a[..., c] <= 0).all() for a in maps))
    return sum(blank) / len(blank), sum(zeros) / len(zeros), dead


@pytest.mark.parametrize("layer", ["conv1", "relu1", "pool1", "mix", "relu2"])
@pytest.mark.parametrize("photos", [PHOTOS[:1], PHOTOS], ids=["one", "four"])
def test_the_figures_are_what_counting_gives(layer, photos):
    row, = vis.survey(silenced(), photos, [layer]).statistics
    assert (row.blank, row.zeros, row.dead) == counted(silenced(), layer, photos)
    assert row.layer == layer and row.shape == NETWORK.shapes[layer]


def test_the_figures_tell_something():
    rows = {row.layer: row for row in vis.survey(silenced(), PHOTOS).statistics}
    assert list(rows) == NETWORK.names
    assert 0 in rows["relu1"].dead and rows["conv1"].dead == rows["relu1"].dead
    assert 3 in rows["relu2"].dead and rows["conv1"].blank == 0 < rows["relu1"].blank
    assert 0 < rows["relu1"].zeros < 1 and rows["conv1"].zeros == 0


def test_dead_in_one_photo_is_not_dead_in_all():
    """One channel fires for one colour only."""
    network = small.network()
    network.params["conv1"]["w"][:] = 0
    network.params["conv1"]["w"][1, 1, 2, 0] = 1  # BGR: red
    network.params["conv1"]["b"][:] = [-0.5, 1, 1, 1, 1, 1]
    red, blue = (np.full((16, 20, 3), colour, np.uint8) for colour in ((250, 0, 0), (0, 0, 250)))
    assert vis.survey(network, [blue], "relu1").statistics[0].dead == (0,)
    assert vis.survey(network, [blue, red], "relu1").statistics[0].dead == ()
    assert vis.survey(network, [blue, red], "relu1").statistics[0].blank > 0


def test_of_a_layer_without_positions_zero_units_are_blank():
    row, = statistics({"fc": np.array([0.0, 2.5, -1.0, 0.0])})
    assert row == ("fc", (4,), 0.5, 0.5, (0, 2, 3))
    row, = statistics({"pool": np.array([[[0.0, 2.5]]])})  # one position says as little
    assert row == ("pool", (1, 1, 2), 0.5, 0.5, (0,))


def test_one_value_everywhere_is_blank_whatever_it_is():
    row, = statistics({"conv": np.stack([np.full((3, 4), v) for v in (-2.0, 0, 5)], axis=2)})
    assert row == ("conv", (3, 4, 3), 1.0, 1 / 3, (0, 1))


def test_one_photo_s_figures_are_its_survey():
    found = vis.activations(NETWORK, PHOTOS[0])
    assert statistics(found.maps) == vis.survey(NETWORK, PHOTOS[:1]).statistics


def test_files_that_cannot_be_read_are_skipped_and_listed(tmp_path):
    images.save(tmp_path / "a.png", PHOTOS[0])
    (tmp_path / "b.jpg").write_bytes(b"\xff\xd8\xff\xe0 cut short")
    (tmp_path / "c.png").write_bytes(b"no picture")
    result = vis.survey(NETWORK, tmp_path, "relu1")
    assert result.photos == 1 and len(result.skipped) == 2
    assert "b.jpg: cannot be read" in result.skipped[0]
    assert "c.png: not a picture" in result.skipped[1]
    assert result.statistics == vis.survey(NETWORK, PHOTOS[:1], "relu1").statistics


def test_not_one_photo(tmp_path):
    with pytest.raises(ValueError, match="the list is empty"):
        vis.survey(NETWORK, [])
    (tmp_path / "c.png").write_bytes(b"no picture")
    with pytest.raises(ValueError, match="none of the 1 photos can be used: .*c.png: not a"):
        vis.survey(NETWORK, tmp_path)
    with pytest.raises(LayerNameError):
        vis.survey(NETWORK, PHOTOS, "relu9")


def test_ctrl_c_keeps_the_photos_until_then(monkeypatch):
    expected, prepare, seen = vis.survey(NETWORK, PHOTOS[:2]).statistics, NETWORK.prepare, []

    def interrupted(photo, size):
        seen.append(photo)
        if len(seen) == 3:
            raise KeyboardInterrupt
        return prepare(photo, size)

    monkeypatch.setattr(NETWORK, "prepare", interrupted)
    found = vis.survey(NETWORK, PHOTOS)
    assert found.statistics == expected and found.photos == 2
    assert found.skipped == [] and found.interrupted


def peak(count):
    photos = [small.photo(200, 200, seed) for seed in range(count)]
    tracemalloc.start()
    vis.survey(NETWORK, photos, ["relu1", "norm1"], size=(200, 200))
    top = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return top


def test_memory_is_that_of_one_photo_however_many(monkeypatch):
    """With one thread: a helper that wakes late holds its last arrays a moment longer."""
    monkeypatch.setitem(backend._COUNT, "threads", 1)
    peak(1)  # what is set up once
    assert peak(12) < 1.2 * peak(2)
