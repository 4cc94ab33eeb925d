"""The command filters."""

import numpy as np
import shown
import small

from minicnn import images, vis
from minicnn.cli import INTERRUPTED, main
from minicnn.report import filters as sheets

NETWORK = small.network()


def test_the_sheet_of_every_convolution(said, weights, tmp_path):
    out = tmp_path / "f.png"
    text = said("filters", "--weights", weights, "--count", 2, "--steps", 2, "--seed", 3, "--out",
                out)
    found = vis.filters(NETWORK, count=2, steps=2, seed=3)
    np.testing.assert_array_equal(images.load(out), sheets.sheet(found))
    assert text == f"{out}: {found.caption}{shown.of_sheet(out)}"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["f", "f.png"]  # nothing unfinished
    first, *_ = found.layers
    assert len(shown.names(out)) == 2 * len(found.layers) and shown.names(out)[0] == "conv1_0.png"
    np.testing.assert_array_equal(images.load(tmp_path / "f" / "conv1_1.png"), first.pictures[1])


def test_the_best_of_one_layer(said, weights, tmp_path):
    out = tmp_path / "f.png"
    said("filters", "--weights", weights, "--layers", "relu2", "--count", 9, "--order", "value",
         "--preset", "keras-lecture", "--steps", 2, "--size", 24, "--out", out)
    found = vis.filters(NETWORK, ["relu2"], count=9, order="value", preset="keras-lecture",
                        steps=2, size=24)
    np.testing.assert_array_equal(images.load(out), sheets.sheet(found))


def test_interrupted_and_run_again_it_is_the_same_sheet(weights, tmp_path, monkeypatch, capsys):
    command = ["filters", "--weights", str(weights), "--count", "2", "--steps", "2", "--out",
               str(tmp_path / "f.png")]
    climb, calls = vis.filters.maximize, []

    def stop_at_third(*arguments, **more):
        calls.append(arguments)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return climb(*arguments, **more)

    monkeypatch.setattr(vis.filters, "maximize", stop_at_third)
    assert main(command) == INTERRUPTED
    assert "the same command goes on from here" in capsys.readouterr().err
    part = images.load(tmp_path / "f.png")
    assert main(command) == 0
    assert len(calls) == 3 + len(vis.filters.responses(NETWORK)) - 2  # two layers were kept
    whole = images.load(tmp_path / "f.png")
    np.testing.assert_array_equal(whole, sheets.sheet(vis.filters(NETWORK, count=2, steps=2)))
    assert part.shape[1] == whole.shape[1] and not np.array_equal(part, whole)


def test_what_cannot_be_done(complaint, weights, tmp_path):
    out = tmp_path / "f.png"
    assert "no layer 'relu9'" in complaint("filters", "--weights", weights, "--layers", "relu9",
                                           "--out", out)
    assert "does not exist" in complaint("filters", "--weights", weights, "--out",
                                         tmp_path / "no" / "f.png")
