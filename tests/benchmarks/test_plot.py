"""The figure: what is drawn where."""

import plot
import pytest
from matplotlib.figure import Figure
from measured import ABOUT, gpu_row, gpu_section, memory, row, section, too_large

from minicnn import images


def curve(name, sizes):
    """Times in proportion to the size, half as long with 2 threads; PyTorch's twice as long."""
    at = [{"curve": name, "side": 224} | {name: size} for size in sizes]
    return [*(memory(0, size, 0, 3 * size, **k) for size, k in zip(sizes, at, strict=True)),
            *(row(seconds=(size / threads, 2 * size / threads), threads=threads, **k)
              for threads in (1, 2) for size, k in zip(sizes, at, strict=True))]


SIDES, BATCHES = curve("side", (64, 128, 256)), curve("batch", (1, 2))


@pytest.fixture
def drawn(monkeypatch, tmp_path):
    """Draw a section, without writing it; the figure."""
    figures = []
    monkeypatch.setattr(Figure, "savefig", lambda figure, path, **_: (figures.append(figure),
                                                                      path.touch()))

    def draw(*rows, **about):
        plot.scaling(section(*rows, **about), tmp_path / "curves.png")
        return figures[-1]

    return draw


def lines(axes):
    return {line.get_label(): (list(line.get_xdata()), list(line.get_ydata()))
            for line in axes.lines}


def test_times_and_memory_stand_above_each_other(drawn):
    all_axes = drawn(*SIDES, *BATCHES).axes
    assert [axes.get_subplotspec().num1 for axes in all_axes] == [0, 2, 1, 3]  # row by row
    side, side_memory, batch, batch_memory = all_axes
    sides = [64, 128, 256]
    assert lines(side) == {
        "minicnn, 1 thread": (sides, sides), "PyTorch, 1 thread": (sides, [128, 256, 512]),
        "minicnn, 2 threads": (sides, [32, 64, 128]), "PyTorch, 2 threads": (sides, sides)}
    assert lines(side_memory) == {"minicnn": (sides, sides), "PyTorch": (sides, [192, 384, 768])}
    assert lines(batch)["minicnn, 1 thread"] == ([1, 2], [1, 2])
    assert lines(batch_memory)["PyTorch"] == ([1, 2], [3, 6])
    assert [tick.get_text() for tick in side.get_xticklabels()] == ["64", "128", "256"]
    assert "batch 1" in side.get_xlabel() and "224 pixels" in batch.get_xlabel()


def test_it_is_written(tmp_path):
    plot.scaling(section(*SIDES, *BATCHES), tmp_path / "curves.png")
    assert images.load(tmp_path / "curves.png").shape == (800, 1100, 3)


def test_what_did_not_fit_is_left_out(drawn):
    missing = too_large(9, 8, curve="side", side=1024)
    axes = drawn(*SIDES, missing).axes
    assert len(axes) == 2 and lines(axes[0])["minicnn, 1 thread"][0] == [64, 128, 256]


def test_an_interrupted_run_is_drawn_as_far_as_it_came(drawn):
    time, memory_axes = drawn(SIDES[0]).axes
    assert lines(time) == {} and lines(memory_axes)["minicnn"] == ([64], [64])


def test_the_title_says_where(drawn):
    figure = drawn(*SIDES, avx2=True)
    assert "A Processor, 2 cores, held to AVX2, 2026-01-02" in figure.get_suptitle()
    assert "AVX2" not in plot.title(ABOUT)


# ---- on a GPU

def test_each_network_and_pass_has_time_an_image_and_the_roofline(tmp_path, monkeypatch):
    figures = []
    monkeypatch.setattr(Figure, "savefig", lambda figure, path, **_: (figures.append(figure),
                                                                      path.touch()))
    back = "forward + image gradient"
    rows = [gpu_row(what, (0.002 * batch, 0.001 * batch, 0.004 * batch), 0.0005 * batch,
                    network=network, batch=batch)
            for network in ("vgg16", "googlenet") for what in ("forward", back)
            for batch in (1, 8)]
    full = {key: rows[0][key] for key in ("network", "what", "batch")} | {"full": "ours"}
    plot.batches(gpu_section(*rows, full | {"batch": 32}), tmp_path / "curves.png")
    axes = figures[0].axes
    assert [a.get_title() for a in axes] == ["vgg16, forward", "googlenet, forward",
                                             f"vgg16, {back}", f"googlenet, {back}"]
    drawn = {name: (x, pytest.approx(y)) for name, (x, y) in lines(axes[0]).items()}
    assert drawn == {"minicnn": ([1, 8], [2, 2]), "PyTorch channels last": ([1, 8], [1, 1]),
                     "PyTorch": ([1, 8], [4, 4]), "roofline": ([1, 8], [0.5, 0.5])}
    assert figures[0].get_suptitle() == "A Card, float32 without TF32, 2026-01-02"


def test_nothing_measured_is_no_figure(tmp_path):
    plot.batches(gpu_section(), tmp_path / "curves.png")
    assert list(tmp_path.iterdir()) == []
