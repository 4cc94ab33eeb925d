"""The command line at Ctrl-C: status 130, and what there was is saved."""

import re

import interrupted
import numpy as np
import pytest
import shown
import small

from minicnn import vis
from minicnn.ascent.optimizers import SGD, Adam
from minicnn.cli import main
from minicnn.network import Network
from minicnn.report import stops, tour

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
    np.testing.assert_array_equal(shown.itself(out), expected.image)


def test_texture_interrupted_saves_the_picture_so_far(weights, photo, tmp_path, ctrl_c,
                                                      monkeypatch):
    ctrl_c(Adam)
    out = tmp_path / "t.png"
    arguments = ["texture", "--weights", str(weights), str(photo), "--optimizer", "adam"]
    assert main([*arguments, "--out", str(out)]) == 130
    monkeypatch.undo()
    expected = vis.texture(NETWORK, photo, steps=2, optimizer="adam")
    np.testing.assert_array_equal(shown.itself(out), expected.image)


def test_a_tour_interrupted_shows_what_there_is(weights, photo, tmp_path, ctrl_c, monkeypatch,
                                                capsys):
    two = [stop for stop in stops.STOPS if stop.picture in ("classify.png", "classes.png")]
    monkeypatch.setattr(tour, "STOPS", two)
    ctrl_c(SGD)
    status = main(["tour", "--weights", str(weights), str(photo), "--out", str(tmp_path / "t")])
    assert status == 130
    assert not (tmp_path / "t" / "classes.png").exists()
    page = (tmp_path / "t" / "index.html").read_text()
    assert re.findall('src="([^"]+)"', page) == ["classify.png"] and "was interrupted" in page
    assert capsys.readouterr().err == (f"minicnn: interrupted; {tmp_path / 't' / 'index.html'} "
                                       "shows what was done until then\n")


def test_interrupted_elsewhere(weights, photo, monkeypatch, capsys):
    def interrupt(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(Network, "probabilities", interrupt)
    assert main(["classify", "--weights", str(weights), str(photo)]) == 130
    assert capsys.readouterr().err == "minicnn: interrupted\n"
