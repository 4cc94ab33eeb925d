"""The first pass: the best so far, against sorting everything at once."""

import numpy as np
import pytest
import small

from minicnn.files import photos
from minicnn.files.unfinished import Unfinished
from minicnn.vis import strongest_units
from minicnn.vis.strongest import Goal
from minicnn.vis.strongest_units import UnitFinder, empty_table, merge, search

NETWORK = small.network()
GOALS = [Goal("relu2", np.arange(5)), Goal("mix", np.array([8, 0])), Goal("fc", np.arange(4))]


def brute_force(values, photos, places, count):
    """One channel's winners as [(value, photo, place), ...] by Python's own stable sort."""
    active = [unit for unit in zip(values, photos, places, strict=True) if unit[0] > 0]
    best = sorted(active, key=lambda unit: -unit[0])[:count]
    return best + [(0, -1, -1)] * (count - len(best))


@pytest.mark.parametrize("count", [1, 3, 9])
def test_merging_batches_of_any_size_is_sorting_all_at_once(count):
    """Whole numbers, so that there are ties, and negative ones, so that there are empty places."""
    rng = np.random.default_rng(count)
    values = rng.integers(-6, 4, (17, 5)).astype(np.float32)
    values[:, 4] = -1
    places = rng.integers(0, 99, values.shape)
    for cuts in ([17], [1] * 17, [5, 9, 3]):
        best, first = empty_table(5, count), 0
        for size in cuts:
            part = slice(first, first + size)
            best = merge(best, values[part], np.arange(100, 117)[part], places[part])
            first += size
        for channel in range(5):
            found = list(zip(*(table[channel] for table in best), strict=True))
            assert found == brute_force(values[:, channel], range(100, 117), places[:, channel],
                                        count)


def test_the_strongest_unit_of_equals_is_the_first_in_row_major_order():
    maps = np.zeros((1, 3, 4, 3), np.float32)
    maps[0, 1, 3, 1] = maps[0, 2, 0, 1] = 5
    maps[0, :, :, 2] = -2
    values, places = strongest_units.strongest_units(maps, np.array([1, 2]))
    assert values.tolist() == [5, -2] and places.tolist() == [7, 0]
    values, places = strongest_units.strongest_units(np.array([[1.0, 3.0]]), np.array([1]))
    assert values.tolist() == [3] and places.tolist() == [0]


# ---- the pass

def source(count=11):
    return photos.find([small.photo(seed=k) for k in range(count)])


def expected(count):
    """Winners of GOALS from whole passes kept side by side."""
    runs = [NETWORK.forward(NETWORK.prepare(small.photo(seed=k))) for k in range(11)]
    for goal in GOALS:
        maps = np.stack([run[goal.layer][0].reshape(-1, run[goal.layer].shape[-1])
                         for run in runs])[..., goal.channels]  # N,H*W,C
        yield [brute_force(maps[:, :, c].max(axis=1), range(11), maps[:, :, c].argmax(axis=1),
                           count) for c in range(len(goal.channels))]


def found(best):
    return [[list(zip(*(table[c] for table in one), strict=True)) for c in range(len(one.values))]
            for one in best]


@pytest.mark.parametrize("batch", [1, 4, 50])
def test_the_pass_finds_what_looking_at_all_at_once_finds(tmp_path, batch):
    look = UnitFinder(NETWORK, source(), GOALS, [16, 20])
    state = search(look, 3, Unfinished(tmp_path, {}), batch, 1, False)
    assert found(state.best) == list(expected(3)) and state.photos == 11
    assert any(values[2][0] > 0 for values in found(state.best)[0])  # there is something to find


def test_a_photo_that_cannot_be_read_is_passed_over_and_listed(tmp_path):
    (tmp_path / "text.png").write_text("no picture")
    pictures = [small.photo(seed=k) for k in range(11)]
    some = photos.find([*pictures[:5], tmp_path / "text.png", *pictures[5:]])
    finder = UnitFinder(NETWORK, some, GOALS, [16, 20])
    state = search(finder, 3, Unfinished(tmp_path, {}), 4, 1, False)
    assert len(state.unreadable) == 1 and "text.png: not a picture" in state.unreadable[0]
    shifted = [[[(v, p + (p >= 5), place) for v, p, place in channel] for channel in goal]
               for goal in expected(3)]
    assert found(state.best) == shifted


def test_none_that_can_be_read(tmp_path):
    (tmp_path / "text.png").write_text("no picture")
    look = UnitFinder(NETWORK, photos.find([tmp_path / "text.png"] * 3), GOALS, [16, 20])
    with pytest.raises(ValueError, match=r"none of the 3 photos can be used: .*text\.png"):
        search(look, 3, Unfinished(tmp_path, {}), 2, 1, False)
    assert [path.name for path in tmp_path.iterdir()] == ["text.png"]


class Interrupted(UnitFinder):
    """Ctrl-C at photo 6, once."""

    pressed = False

    def prepare(self, number):
        if number == 6 and not self.pressed:
            self.pressed = True
            raise KeyboardInterrupt
        return super().prepare(number)


def test_after_ctrl_c_it_goes_on_from_the_last_whole_batch(tmp_path):
    work = Unfinished(tmp_path, {})
    look = Interrupted(NETWORK, source(), GOALS, [16, 20])
    with pytest.raises(KeyboardInterrupt):
        search(look, 3, work, 2, 1, False)
    assert int(work.state()["photos"]) == 6
    asked = []
    look.prepare = lambda number: (asked.append(number), UnitFinder.prepare(look, number))[1]
    assert found(search(look, 3, work, 4, 1, False).best) == list(expected(3))
    assert asked == [6, 7, 8, 9, 10]


def test_the_state_is_saved_as_time_goes_by(tmp_path, monkeypatch):
    monkeypatch.setattr(strongest_units, "SAVE_EVERY", 0)
    saved, work = [], Unfinished(tmp_path, {})
    monkeypatch.setattr(work, "save", lambda **arrays: saved.append(int(arrays["photos"])))
    search(UnitFinder(NETWORK, source(), GOALS, [16, 20]), 3, work, 4, 1, False)
    assert saved == [4, 8, 11, 11]
