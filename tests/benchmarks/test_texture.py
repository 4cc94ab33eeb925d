"""Our L-BFGS beside PyTorch's on a texture's loss, and the table."""

import json

import pytest
import small
import texture

from minicnn import images

ROW = {"texture": "a.png", "seed": 0, "start": 2.0,
       "ours": {"loss": 0.02, "looks": 11, "seconds": 1.0},
       "torch": {"loss": 0.04, "looks": 12, "seconds": 2.0}}


def test_the_table_has_the_median_of_the_ratios():
    about = {"network": "n.h5", "layers": ["relu1"], "size": 64, "steps": 10, "date": "today",
             "torch": "PyTorch 2", "processor": "p"}
    text = texture.markdown({"about": about, "rows": [
        ROW, ROW | {"ours": ROW["ours"] | {"loss": 0.04}}, ROW | {"seed": 1}]})
    assert "PyTorch's is **0.500**" in text
    assert "| a.png | 0 | 2 | 0.02 | 0.04 | 0.500 | 11, 12 | 1.0, 2.0 |" in text


@pytest.mark.thorough
def test_both_begin_at_one_loss_and_end_near_each_other(tmp_path, capsys):
    pytest.importorskip("torch")
    images.save(tmp_path / "a.png", small.photo(64, 64))
    texture.run(texture.read(["--textures", str(tmp_path / "a.png"), "--weights", "minivgg",
                              "--size", "64", "--steps", "10", "--seeds", "0",
                              "--out", str(tmp_path / "t")]))
    (row,) = json.loads((tmp_path / "t.json").read_text(encoding="utf-8"))["rows"]
    assert 10 < row["ours"]["looks"] < 30 and row["torch"]["looks"] >= 10
    assert max(row["ours"]["loss"], row["torch"]["loss"]) < 0.5 * row["start"]
    assert 0.5 < row["ours"]["loss"] / row["torch"]["loss"] < 2  # after ten steps only
    assert "a.png" in capsys.readouterr().out
