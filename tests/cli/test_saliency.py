"""The command saliency."""

import numpy as np
import pytest
import shown
import small

from minicnn import images, vis
from minicnn.cli import main
from minicnn.report import heatmaps

NETWORK = small.network()


@pytest.mark.parametrize("chosen, settings", [
    (["--target", "tree frog"], {"target": "tree frog"}),
    (["--target", "3", "--method", "smooth", "--samples", "3", "--noise", "0.2", "--seed", "4"],
     {"target": 3, "method": "smooth", "samples": 3, "noise": 0.2, "seed": 4}),
    (["--method", "integrated", "--steps", "2", "--baseline", "mean"],
     {"method": "integrated", "steps": 2, "baseline": None}),
    (["--method", "integrated", "--steps", "2", "--baseline", "1,2,3"],
     {"method": "integrated", "steps": 2, "baseline": (1, 2, 3)}),
    (["--method", "guided", "--size", "keep"], {"method": "guided", "size": "keep"})])
def test_saliency(said, weights, photo, tmp_path, chosen, settings):
    out = tmp_path / "s.png"
    text = said("saliency", "--weights", weights, photo, *chosen, "--out", out)
    record = vis.saliency(NETWORK, photo, **settings)
    np.testing.assert_array_equal(images.load(out), heatmaps.saliency(record))
    assert text == f"{out}: {record.caption}{shown.of_sheet(out)}"
    np.testing.assert_array_equal(images.load(tmp_path / "s" / "magnitude.png"), record.image)


def test_what_cannot_be_done(complaint, weights, photo, tmp_path):
    common = ["saliency", "--weights", weights, photo, "--out"]
    assert "there is no 4" in complaint(*common, tmp_path / "s.png", "--target", "4")
    assert "no class 'wolf'" in complaint(*common, tmp_path / "s.png", "--target", "wolf")
    assert "end the name in one of" in complaint(*common, tmp_path / "s.txt")
    assert list(tmp_path.glob("s.*")) == []


@pytest.mark.parametrize("chosen", [
    ["--method", "vanilla"], ["--samples", "0"], ["--noise", "-1"], ["--steps", "x"],
    ["--baseline", "256"], ["--baseline", "1,2"], ["--baseline", "red"]], ids=" ".join)
def test_wrong_usage_is_status_2(chosen, capsys):
    with pytest.raises(SystemExit) as end:
        main(["saliency", "a.png", *chosen])
    assert end.value.code == 2 and "see minicnn saliency --help" in capsys.readouterr().err


def test_interrupted_saves_the_mean_so_far(weights, photo, tmp_path, monkeypatch):
    calls, out = [], tmp_path / "s.png"
    plain = vis.saliency.slope

    def pressed(*arguments):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return plain(*arguments)

    monkeypatch.setattr(vis.saliency, "slope", pressed)
    arguments = ["saliency", "--weights", str(weights), str(photo), "--method", "smooth"]
    assert main([*arguments, "--out", str(out)]) == 130
    monkeypatch.undo()
    record = vis.saliency(NETWORK, photo, method="smooth", samples=2)
    np.testing.assert_array_equal(images.load(out), heatmaps.saliency(record))
