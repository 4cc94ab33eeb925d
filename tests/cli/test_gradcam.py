"""The command gradcam."""

import numpy as np
import pytest
import shown
import small

from minicnn import images, vis
from minicnn.cli import main
from minicnn.files import hdf5
from minicnn.report import heatmaps

NETWORK = small.network()


@pytest.mark.parametrize("chosen, settings", [
    ([], {}), (["--target", "red fox", "--guided"], {"target": "red fox", "guided": True}),
    (["--target", "3", "--layer", "mix", "--method", "gradcam++", "--size", "keep"],
     {"target": 3, "layer": "mix", "method": "gradcam++", "size": "keep"})])
def test_gradcam(said, weights, photo, tmp_path, chosen, settings):
    out = tmp_path / "g.png"
    text = said("gradcam", "--weights", weights, photo, *chosen, "--out", out)
    record = vis.gradcam(NETWORK, photo, **settings)
    np.testing.assert_array_equal(images.load(out), heatmaps.gradcam(record))
    assert text == f"{out}: {record.caption}{shown.of_sheet(out)}"
    pictures = ["evidence.png", "photo.png", "raw.png"]
    assert shown.names(out) == sorted(pictures + ["guided.png"] * ("guided" in settings))
    np.testing.assert_array_equal(images.load(tmp_path / "g" / "evidence.png"),
                                  heatmaps.gradcam_pictures(record)["evidence"])


def test_no_positive_evidence_is_said(said, photo, tmp_path):
    network = small.network()
    network.params["fc"]["w"] = -np.abs(network.params["fc"]["w"])
    hdf5.save(network, tmp_path / "against.h5")
    text = said("gradcam", "--weights", tmp_path / "against.h5", photo, "--out", tmp_path / "g.png")
    assert "no positive evidence" in text and (tmp_path / "g.png").is_file()


def test_what_cannot_be_done(complaint, weights, photo, tmp_path):
    common = ["gradcam", "--weights", weights, photo, "--out"]
    for chosen, words in [(["--layer", "rellu2"], "near it: relu2"),
                          (["--layer", "fc"], "fc has no feature maps"),
                          (["--layer", "prob"], "comes after the class scores"),
                          (["--target", "-1"], "there is no -1"),
                          (["--layer", "conv1", "--method", "gradcam++"], "after its ReLU")]:
        assert words in complaint(*common, tmp_path / "g.png", *chosen)
    assert "end the name in one of" in complaint(*common, tmp_path / "g.txt")
    assert list(tmp_path.glob("g.*")) == []


def test_a_network_without_its_classifier(complaint, photo, tmp_path):
    hdf5.save(NETWORK.until("mix"), tmp_path / "cut.h5")
    line = complaint("gradcam", "--weights", tmp_path / "cut.h5", photo, "--out",
                     tmp_path / "g.png")
    assert "ends at layer mix, which has 8x10 positions instead of one score per class" in line


def test_wrong_usage_is_status_2(capsys):
    with pytest.raises(SystemExit) as end:
        main(["gradcam", "a.png", "--method", "scorecam"])
    assert end.value.code == 2 and "see minicnn gradcam --help" in capsys.readouterr().err
