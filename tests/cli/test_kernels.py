"""The command kernels."""

import numpy as np
import pytest
import small

from minicnn import images, vis
from minicnn.cli import main
from minicnn.report import kernels as sheets

NETWORK = small.network()


@pytest.mark.parametrize("arguments, settings", [
    ([], {}),
    (["--scale", "layer", "--filters", "4,0"], {"scale": "layer", "filters": [4, 0]}),
    (["--layer", "conv2", "--inputs", "1,8"], {"layer": "conv2", "inputs": [1, 8]})])
def test_kernels(said, weights, tmp_path, arguments, settings):
    out = tmp_path / "k.png"
    text = said("kernels", "--weights", weights, "--out", out, *arguments)
    found = vis.kernels(NETWORK, **settings)
    np.testing.assert_array_equal(images.load(out), sheets.sheet(found))
    assert text == f"{out}: {found.caption}\n"


def test_a_file_of_the_sheet_s_name_without_suffix_is_no_matter(said, complaint, weights, tmp_path):
    """For this sheet has no folder; one that has is refused before the work."""
    for name in ("kernels", "filters"):
        (tmp_path / name).write_text("a file")
    said("kernels", "--weights", weights, "--out", tmp_path / "kernels.png")
    assert "move it away" in complaint("filters", "--weights", weights, "--out",
                                       tmp_path / "filters.png")
    assert not (tmp_path / "filters.png").exists()


def test_a_layer_or_filter_that_is_not_there(complaint, weights, tmp_path):
    command = ["kernels", "--weights", weights, "--out", tmp_path / "k.png"]
    assert "relu1 (ReLU) has no kernels" in complaint(*command, "--layer", "relu1")
    assert "conv1 has 6 filters" in complaint(*command, "--filters", "1,6")
    assert list(tmp_path.glob("*.png")) == []


def test_a_range_of_filters_has_both_ends(said, weights, tmp_path):
    for k, chosen in enumerate(("1..3,5", "1,2,3,5")):
        said("kernels", "--weights", weights, "--filters", chosen, "--out", tmp_path / f"{k}.png")
    assert (tmp_path / "0.png").read_bytes() == (tmp_path / "1.png").read_bytes()


def test_filters_that_are_no_numbers_are_wrong_usage(capsys, weights):
    with pytest.raises(SystemExit) as end:
        main(["kernels", "--weights", str(weights), "--filters", "1,two"])
    assert end.value.code == 2 and "got 'two'" in capsys.readouterr().err
