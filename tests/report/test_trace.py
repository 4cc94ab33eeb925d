"""The plot of an ascent: what is drawn is the trace, and nothing else is touched."""

import matplotlib
import numpy as np
import pytest
import small
from numpy.testing import assert_array_equal

from minicnn import images, vis
from minicnn.ascent import loop, objectives
from minicnn.ascent.optimizers import SGD
from minicnn.images import ImageError
from minicnn.report import animation, trace

NETWORK = small.network()
PARTS = {"relu2:1": np.array([[1.0], [2], [4]]), "l2": np.array([[0.0], [-1], [-3]])}


def climb(watch, steps=7, count=1):
    x = np.concatenate([NETWORK.prepare(small.photo(seed=k)) for k in range(count)])
    objective = objectives.channel("conv2", 1) - 0.01 * objectives.l2()
    ascent = loop.steps(NETWORK, objective, x, SGD(1.0, normalize="mean_abs"), steps)
    return loop.follow(ascent, steps, watch=watch)


def record(values, by_term=None):
    return vis.Record(trace=values, by_term=by_term, caption="a title")


def dark(picture):
    """How many pixels are far from white."""
    return np.count_nonzero(picture.min(axis=2) < 128)


def test_a_panel_for_the_value_and_one_for_each_term():
    alone = trace.draw(np.arange(3.0)[:, None])
    whole = trace.draw(np.arange(3.0)[:, None], PARTS)
    assert alone.shape == (240, 700, 3) and whole.shape == (600, 700, 3)
    assert trace.draw(np.arange(3.0)[:, None], {"only": PARTS["l2"]}).shape == alone.shape
    assert dark(whole) > dark(alone) > 0


def test_the_curve_rises_where_the_values_do():
    """Blue is drawn lower left and upper right for a rising trace, the other way for a falling."""
    rising = trace.draw(np.arange(50.0)[:, None])
    falling = trace.draw(-np.arange(50.0)[:, None])
    for picture, up in ((rising, True), (falling, False)):
        blue = picture[..., 2].astype(int) - picture[..., 0] > 100
        rows, columns = np.nonzero(blue)
        slope = np.polyfit(columns, rows, 1)[0]  # rows count downward
        assert (slope < -0.1) if up else (slope > 0.1)


def test_a_line_an_image():
    one = trace.draw(np.arange(9.0)[:, None])
    two = trace.draw(np.arange(9.0)[:, None] * [1, -1])
    orange = [np.count_nonzero(p[..., 0].astype(int) - p[..., 2] > 150) for p in (one, two)]
    assert orange[0] == 0 and orange[1] > 200


def test_it_is_saved_as_drawn_and_leaves_matplotlib_alone(tmp_path):
    before = dict(matplotlib.rcParams), matplotlib.get_backend()
    trace.plot(tmp_path / "t.png", [record(PARTS["l2"], PARTS)])
    assert_array_equal(images.load(tmp_path / "t.png"), trace.draw(PARTS["l2"], PARTS, "a title"))
    assert (dict(matplotlib.rcParams), matplotlib.get_backend()) == before


def test_records_of_one_ascent_are_plotted_together(tmp_path):
    records = vis.maximize(NETWORK, "conv2", [1, 3], steps=4, l2=0.01)
    trace.plot(tmp_path / "t.png", records)
    ends = [np.hstack([r.by_term[name] for r in records]) for name in records[0].by_term]
    assert list(records[0].by_term) == ["conv2:1,3", "l2"]
    values = np.hstack([r.trace for r in records])
    np.testing.assert_allclose(sum(ends), values, rtol=1e-6)
    captions = "\n".join(f"{k}: {r.caption}" for k, r in enumerate(records, 1))
    assert_array_equal(images.load(tmp_path / "t.png"), trace.draw(
        values, dict(zip(records[0].by_term, ends, strict=True)), captions))


def panels(monkeypatch, make):
    """The axes of what `make` draws."""
    kept, subplots = [], matplotlib.figure.Figure.subplots
    monkeypatch.setattr(matplotlib.figure.Figure, "subplots",
                        lambda self, *a, **k: kept.append(subplots(self, *a, **k)) or kept[-1])
    make()
    return list(kept[-1][:, 0])


def legend(axes):
    return axes.get_legend() and [text.get_text() for text in axes.get_legend().get_texts()]


def test_axes_say_what_they_show_in_words_that_fit(monkeypatch, tmp_path):
    made = vis.maximize(NETWORK, target="grey fox", steps=1)
    columns = panels(monkeypatch, lambda: trace.plot(tmp_path / "t.png", [made]))
    assert [axes.get_ylabel() for axes in columns] == ["objective", "grey fox", "log p grey fox"]
    (_, first, _) = panels(monkeypatch, lambda: trace.draw(np.ones((2, 1)), {
        "log p American alligator": np.ones((2, 1)), "l2": np.ones((2, 1))}))
    assert first.get_ylabel() == "log p American\nalligator"


def test_several_images_are_numbered(monkeypatch):
    first, *others = panels(monkeypatch, lambda: trace.draw(np.ones((3, 2)), {
        name: np.ones((3, 2)) for name in PARTS}))
    assert legend(first) == ["1", "2"] and [legend(each) for each in others] == [None, None]
    (alone,) = panels(monkeypatch, lambda: trace.draw(np.ones((3, 1))))
    assert legend(alone) is None


def test_a_loss_is_drawn_itself_with_its_terms_on_one_logarithmic_scale(monkeypatch, tmp_path):
    found = vis.invert(NETWORK, small.photo(), ["relu1", "mix"], steps=3)
    columns = panels(monkeypatch, lambda: trace.plot(tmp_path / "t.png", found))
    assert len(columns) == 2 and (tmp_path / "t.png").is_file()
    for axes, one in zip(columns, found, strict=True):
        layer = one.settings["layers"]
        assert legend(axes) == ["loss", f"{layer} distance", "alpha norm 6", "total variation"]
        assert axes.get_title() == one.caption and axes.get_yscale() == "log"
        lines = {line.get_label(): line.get_ydata() for line in axes.lines}
        assert_array_equal(lines["loss"], -one.trace[:, 0])
        assert lines["loss"][-1] < lines["loss"][0] and min(map(np.min, lines.values())) >= 0
        np.testing.assert_allclose(sum(values for name, values in lines.items() if name != "loss"),
                                   lines["loss"], rtol=1e-6)  # float32


def test_which_methods_make_a_loss_small(monkeypatch):
    photo = small.photo()
    assert vis.texture(NETWORK, photo, steps=1).minus_loss
    assert vis.style(NETWORK, photo, photo[::-1], steps=1).minus_loss
    assert not vis.maximize(NETWORK, "conv2", 1, steps=1).minus_loss


def test_a_loss_of_nothing_but_zeros_has_no_logarithm(monkeypatch):
    one = vis.Record(trace=np.zeros((2, 1)), by_term={"a": np.zeros((2, 1))}, minus_loss=True)
    (axes,) = panels(monkeypatch, lambda: trace.losses([one]))
    assert axes.get_yscale() == "linear" and legend(axes) == ["loss"]


@pytest.mark.parametrize("every, kept", [(1, [0, 1, 2, 3, 4, 5, 6, 7]), (3, [0, 3, 6, 7]),
                                         (7, [0, 7]), (100, [0, 7])])
def test_frames_keeps_every_so_many_and_the_last(every, kept):
    steps, frames = [], animation.Frames(NETWORK, every)
    end = climb(lambda step: (steps.append(step), frames(step)), count=2)
    expected = [np.hstack(list(NETWORK.restore(steps[k].image))) for k in kept]
    assert_array_equal(np.array(frames.pictures), np.array(expected))
    assert_array_equal(frames.pictures[-1], np.hstack(list(NETWORK.restore(end.image))))


def test_no_frames_before_the_first_step_and_none_every_0():
    assert animation.Frames(NETWORK).pictures == []
    with pytest.raises(ValueError, match="the argument `every` must be at least 1, got 0"):
        animation.Frames(NETWORK, 0)


@pytest.mark.parametrize("values", [np.zeros(3), np.zeros((0, 1))])
def test_no_trace_to_plot(values, tmp_path):
    with pytest.raises(ValueError, match=r"trace: expected shape \(steps \+ 1, N\)"):
        trace.draw(values)
    with pytest.raises(ImageError, match="suffix|format"):
        trace.plot(tmp_path / "t.txt", [record(PARTS["l2"])])
    assert list(tmp_path.iterdir()) == []
