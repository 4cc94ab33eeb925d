"""The command occlusion."""

import numpy as np
import pytest
import shown
import small

from minicnn import images, vis
from minicnn.cli import main
from minicnn.report import heatmaps

NETWORK = small.network()


@pytest.mark.parametrize("chosen, settings", [
    (["--square", "8"], {"square": 8}),
    (["--target", "frog", "--layer", "mix", "--channel", "2", "--square", "6", "--stride", "3",
      "--value", "10,200,30", "--batch", "5", "--size", "keep"],
     {"target": "frog", "layer": "mix", "channel": 2, "square": 6, "stride": 3,
      "value": (10, 200, 30), "batch": 5, "size": "keep"}),
    (["--square", "8", "--value", "mean"], {"square": 8, "value": None})])
def test_occlusion(said, weights, photo, tmp_path, chosen, settings):
    out = tmp_path / "o.png"
    text = said("occlusion", "--weights", weights, photo, *chosen, "--out", out)
    record = vis.occlusion(NETWORK, photo, **settings)
    np.testing.assert_array_equal(images.load(out), heatmaps.occlusion(record))
    assert text == f"{out}: {record.caption}{shown.of_sheet(out)}"
    assert shown.names(out) == ["activation.png", "class.png", "probability.png", "square.png"]


def test_what_cannot_be_done(complaint, weights, photo, tmp_path):
    common = ["occlusion", "--weights", weights, photo, "--out"]
    for chosen, words in [(["--square", "17"], "a square of 17 does not fit the photo, 16x20"),
                          (["--square", "3", "--stride", "4"], "would leave pixels uncovered"),
                          (["--layer", "fc"], "fc has no"), (["--channel", "9"], "there is no 9"),
                          (["--target", "9"], "there is no 9")]:
        assert words in complaint(*common, tmp_path / "o.png", *chosen)
    assert "end the name in one of" in complaint(*common, tmp_path / "o.txt")
    assert list(tmp_path.glob("o.*")) == []


@pytest.mark.parametrize("chosen", [["--square", "0"], ["--stride", "0"], ["--value", "-1"],
                                    ["--batch", "0"], ["--channel", "x"]], ids=" ".join)
def test_wrong_usage_is_status_2(chosen, capsys):
    with pytest.raises(SystemExit) as end:
        main(["occlusion", "a.png", *chosen])
    assert end.value.code == 2 and "see minicnn occlusion --help" in capsys.readouterr().err


def test_interrupted_saves_the_squares_so_far(weights, photo, tmp_path, monkeypatch, capsys):
    calls, out = [], tmp_path / "o.png"
    plain = vis.occlusion.look

    def pressed(*arguments):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return plain(*arguments)

    monkeypatch.setattr(vis.occlusion, "look", pressed)
    assert main(["occlusion", "--weights", str(weights), str(photo), "--out", str(out)]) == 130
    assert "small fc" in capsys.readouterr().out
    feature_map = images.load(out)[8:8 + 179, 8 + 236:8 + 236 + 224]  # 16 x 20 on 179 x 224
    assert (feature_map[90:] == 255).all()  # what was not done is blank
    assert (feature_map[:20, :200] != 255).any(axis=2).all()  # a batch, not quite a row
