"""The command deconvnet."""

import numpy as np
import pytest
import shown
import small

from minicnn import images, vis
from minicnn.cli import main
from minicnn.report import sheets
from minicnn.vis.deconvnet import each_rule, each_stage

NETWORK = small.network()


@pytest.mark.parametrize("given, position", [("1,2", (1, 2)), ("all", "all")])
def test_one_rule(said, weights, tmp_path, given, position):
    photo, out = small.picture_file(tmp_path, size=(26, 33)), tmp_path / "d.png"
    text = said("deconvnet", "--weights", weights, photo, "--layer", "relu2", "--channel", 1,
                "--position", given, "--relu", "guided", "--lrn", "through", "--size", "keep",
                "--out", out)
    record = vis.deconvnet(NETWORK, photo, "relu2", 1, position, relu="guided", lrn="through",
                           size="keep")
    np.testing.assert_array_equal(images.load(out), sheets.projection(record))
    np.testing.assert_array_equal(record.photo, small.photo(26, 33))
    assert text == f"{out}: {record.caption}{shown.of_sheet(out)}"
    np.testing.assert_array_equal(images.load(tmp_path / "d" / "projection.png"), record.image)


def test_each_rule_side_by_side(said, weights, photo, tmp_path):
    out = tmp_path / "d.png"
    text = said("deconvnet", "--weights", weights, photo, "--layer", "relu2", "--relu", "each",
                "--lrn", "scale", "--out", out)
    records = each_rule(NETWORK, photo, "relu2", lrn="scale")
    np.testing.assert_array_equal(images.load(out), sheets.rules(records))
    told = "\n".join(r.caption for r in records.values())
    assert text == f"{out}: {told}{shown.of_sheet(out)}"
    assert shown.names(out) == ["deconvnet.png", "gradient.png", "guided.png", "photo.png"]


def test_the_steps_are_drawn_and_told(said, weights, photo, tmp_path):
    out = tmp_path / "d.png"
    text = said("deconvnet", "--weights", weights, photo, "--layer", "mix", "--steps", "--relu",
                "guided", "--out", out)
    record, stages = each_stage(NETWORK, photo, "mix", relu="guided")
    np.testing.assert_array_equal(images.load(out), sheets.stages(record, stages))
    told = "\n".join([f"{out}: {record.caption}", *map(str, stages)])
    assert text == told + shown.of_sheet(out)


def test_steps_of_each_rule_at_once_is_wrong_usage(weights, photo, capsys):
    with pytest.raises(SystemExit) as end:
        main(["deconvnet", "--weights", str(weights), str(photo), "--layer", "mix", "--steps",
              "--relu", "each"])
    assert end.value.code == 2
    assert "--steps shows one rule; choose it with --relu" in capsys.readouterr().err


@pytest.mark.parametrize("options, words", [
    (["--layer", "relu9"], "no layer 'relu9'; near it: relu2"),
    (["--layer", "relu2", "--channel", 7], "relu2 has 5 channels, counted from 0; there is no 7"),
    (["--layer", "relu2", "--channel", 1, "--position", "3,0"], "relu2 has 3x4 positions"),
    (["--layer", "fc", "--channel", 1, "--position", "0,0"], "fc has no positions"),
])
def test_what_is_not_there_is_said_in_one_line(complaint, weights, photo, tmp_path, options, words):
    out = tmp_path / "d.png"
    assert words in complaint("deconvnet", "--weights", weights, photo, "--out", out, *options)
    assert not out.exists()
