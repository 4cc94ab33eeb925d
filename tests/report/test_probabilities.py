"""The plot of all classes' probabilities: a stem a class, the highest with their names."""

import numpy as np
import pytest
import small
from matplotlib.axes import Axes

from minicnn import images
from minicnn.report import probabilities
from minicnn.report.probabilities import Seen, likeliest

P = np.array([0.1, 0.0, 0.6, 0.25, 0.05])
NAMES = ["ant, formicid", "bee", "cat_$x", "dog", "eel"]


def drawn(monkeypatch, seen, top=5):
    """(stems, the words and where they stand) of a plot."""
    stems, words = [], []
    vlines, annotate = Axes.vlines, Axes.annotate

    def heard_lines(self, x, low, high, **more):
        stems.append((np.asarray(x).tolist(), low, np.asarray(high).tolist()))
        return vlines(self, x, low, high, **more)

    def heard_words(self, text, tip, place, **more):
        words.append((text, tip, place))
        return annotate(self, text, tip, place, **more)

    monkeypatch.setattr(Axes, "vlines", heard_lines)
    monkeypatch.setattr(Axes, "annotate", heard_words)
    return probabilities.draw(seen, NAMES.__getitem__, top), stems, words


def test_every_class_has_its_stem_and_the_highest_their_names(monkeypatch):
    picture, stems, words = drawn(monkeypatch, [Seen("a $photo", small.photo(), P)], top=3)
    assert stems == [([0, 1, 2, 3, 4], 0, P.tolist())]
    assert [text for text, _, _ in words] == ["2 cat_$x 60.0%", "3 dog 25.0%", "0 ant 10.0%"]
    assert [tip for _, tip, _ in words] == [(2, 0.6), (3, 0.25), (0, 0.1)]
    levels = [place[1] for _, _, place in words]
    assert levels == sorted(levels, reverse=True) and min(levels) > P.max()  # above all stems
    assert np.diff(levels).max() < -0.05  # each on a line of its own
    assert picture.dtype == np.uint8 and picture.shape[2] == 3


def test_leader_lines_do_not_look_like_stems(monkeypatch):
    """They are thin, grey and dotted, and end before the stem that they point at."""
    lines, annotate = [], Axes.annotate
    monkeypatch.setattr(Axes, "annotate", lambda self, *words, **more: (
        lines.append(more["arrowprops"]) or annotate(self, *words, **more)))
    probabilities.draw([Seen("a", small.photo(), P)], NAMES.__getitem__, 2)
    assert len(lines) == 2
    for line in lines:
        assert line["linestyle"] == ":" and line["linewidth"] < 1 and line["color"] == "0.6"
        assert line["shrinkB"] > 0


def test_several_photos_are_one_below_the_other(monkeypatch):
    one, _, _ = drawn(monkeypatch, [Seen("a", small.photo(), P)])
    two, stems, words = drawn(monkeypatch, [Seen("a", small.photo(), P),
                                            Seen("b", small.photo(), P[::-1])])
    assert two.shape == (2 * one.shape[0], *one.shape[1:]) and len(stems) == 2 and len(words) == 10


def test_the_photo_is_above_its_plot():
    red = np.zeros((16, 20, 3), np.uint8)
    red[..., 0] = 255
    picture = probabilities.draw([Seen("red", red, P)], NAMES.__getitem__)
    rows = np.flatnonzero((picture == (255, 0, 0)).all(axis=2).any(axis=1))
    assert rows[0] > 8 and rows[-1] < len(picture) / 2


def test_how_many_photos_have_room(tmp_path):
    for count in (0, 21):
        with pytest.raises(ValueError, match=f"room for 1 to 20 photos, got {count}"):
            probabilities.draw([Seen("a", small.photo(), P)] * count, str)
    probabilities.plot(tmp_path / "p.png", [Seen("a", small.photo(), np.ones(1))], str)
    assert images.load(tmp_path / "p.png").shape[1] == 704


def test_likeliest():
    assert likeliest(P, 2) == [2, 3]
    assert likeliest(np.array([0.5, 0.5]), 5) == [0, 1]  # of equal ones the first


def test_a_name_that_no_font_can_draw():
    photo = np.zeros((4, 4, 3), np.uint8)
    odd = probabilities.draw([Seen("non\udcff.png", photo, np.array([0.2, 0.8]))], str)
    np.testing.assert_array_equal(
        odd, probabilities.draw([Seen("non\\udcff.png", photo, np.array([0.2, 0.8]))], str))
