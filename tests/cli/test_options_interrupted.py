"""The command line at Ctrl-C: status 130, and what there was is saved."""

import interrupted
import numpy as np
import pytest
import small

from minicnn import images, vis
from minicnn.ascent.optimizers import SGD, Adam
from minicnn.cli import main
from minicnn.network import Network
from minicnn.report import tour

NETWORK = small.network()


@pytest.fixture
def ctrl_c(monkeypatch):
    """Press it in the middle of the third step of an optimiser, once."""
    return lambda optimizer: interrupted.at_step(monkeypatch, 3, optimizer)


def test_maximize_interrupted_saves_the_picture_so_far(weights, tmp_path, ctrl_c, monkeypatch):
    ctrl_c(SGD)
    out = tmp_path / "m.png"
    arguments = ["--weights", str(weights), "--layer", "relu2", "--channel", "1",
                 "--out", str(out)]
    assert main(["maximize", *arguments, "--steps", "50"]) == 130
    monkeypatch.undo()
    expected = vis.maximize(NETWORK, "relu2", 1, steps=2)
    np.testing.assert_array_equal(images.load(out), expected.image)


def test_texture_interrupted_saves_the_picture_so_far(weights, photo, tmp_path, ctrl_c,
                                                      monkeypatch):
    ctrl_c(Adam)
    out = tmp_path / "t.png"
    arguments = ["texture", "--weights", str(weights), str(photo), "--optimizer", "adam"]
    assert main([*arguments, "--out", str(out)]) == 130
    monkeypatch.undo()
    expected = vis.texture(NETWORK, photo, steps=2, optimizer="adam")
    np.testing.assert_array_equal(images.load(out), expected.image)


def test_a_tour_interrupted_ends_at_once(weights, photo, tmp_path, ctrl_c, monkeypatch):
    monkeypatch.setattr(tour, "FILTERS", 1)
    monkeypatch.setattr(tour, "CLASSES", 2)
    ctrl_c(SGD)
    status = main(["tour", "--weights", str(weights), str(photo), "--out", str(tmp_path / "t")])
    assert status == 130
    assert (tmp_path / "t" / "photo.png").is_file()  # what there was
    assert not (tmp_path / "t" / "texture.png").exists()


def test_interrupted_elsewhere(weights, photo, monkeypatch, capsys):
    def interrupt(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(Network, "classify", interrupt)
    assert main(["classify", "--weights", str(weights), str(photo)]) == 130
    assert capsys.readouterr().err == "minicnn: interrupted\n"
