"""What --show does: a viewer, the terminal, or a line that says why not."""

import pytest
import small

from minicnn import images
from minicnn.cli import viewer


@pytest.fixture
def picture(tmp_path):
    images.save(tmp_path / "p.png", small.photo())
    return tmp_path / "p.png"


@pytest.fixture
def terminal(monkeypatch):
    """A terminal without a display, that says this of itself."""
    def set_up(is_terminal=True, **environment):
        monkeypatch.setattr(viewer.os, "environ", environment)
        monkeypatch.setattr("sys.platform", "linux")
        monkeypatch.setattr("sys.stdout.isatty", lambda: is_terminal)
    return set_up


@pytest.mark.parametrize("environment, platform, program", [
    ({"DISPLAY": ":0"}, "linux", "xdg-open"), ({"WAYLAND_DISPLAY": "w"}, "linux", "xdg-open"),
    ({}, "linux", None), ({}, "darwin", "open"), ({"SSH_CONNECTION": "a"}, "darwin", None),
    ({"SSH_CONNECTION": "a", "DISPLAY": "localhost:10"}, "linux", "xdg-open"),
    ({}, "win32", "start")])
def test_which_viewer(monkeypatch, environment, platform, program):
    monkeypatch.setattr(viewer.shutil, "which", lambda name: name)
    found, why_not = viewer.viewer(environment, platform)
    assert found == program and (why_not is None) == (program is not None)


def test_without_the_program(monkeypatch):
    monkeypatch.setattr(viewer.shutil, "which", lambda name: None)
    assert viewer.viewer({"DISPLAY": ":0"}, "linux") == (None, "there is no program xdg-open")


def test_a_display_gets_the_viewer(monkeypatch, picture, terminal, capsys):
    started = []
    terminal(DISPLAY=":0")
    monkeypatch.setattr(viewer.shutil, "which", lambda name: f"/bin/{name}")
    monkeypatch.setattr(viewer, "open_with", lambda *given: started.append(given))
    (picture.parent / "index.html").touch()
    for path in (picture, picture.parent):
        viewer.show(path)
    assert started == [("/bin/xdg-open", picture), ("/bin/xdg-open", picture.parent / "index.html")]
    assert capsys.readouterr() == ("", "")


def test_the_terminal_shows_it(picture, terminal, capsys):
    terminal(KITTY_WINDOW_ID="1")
    viewer.show(picture)
    assert capsys.readouterr().out.startswith("\033_Ga=T,f=100")


@pytest.mark.parametrize("is_terminal, environment, why", [
    (False, {"KITTY_WINDOW_ID": "1"}, "standard output is no terminal"),
    (True, {"TERM": "xterm"}, "this terminal (TERM=xterm) does not say that it can show pictures")])
def test_why_not(picture, terminal, capsys, is_terminal, environment, why):
    terminal(is_terminal, **environment)
    viewer.show(picture)
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1
    assert err.startswith(f"minicnn: cannot show {picture}: there is no display") and why in err


def test_a_document_leaves_no_room_and_a_folder_is_no_picture(picture, terminal, capsys):
    terminal(KITTY_WINDOW_ID="1")
    viewer.show(picture, inline=False)
    viewer.show(picture.parent)
    out, err = capsys.readouterr()
    assert out == "" and "--json" in err and "PNG, JPEG and GIF only" in err


def test_the_option(said, weights, photo, tmp_path, monkeypatch):
    """After the work, of whatever name the result has got."""
    shown = []
    monkeypatch.setattr(viewer, "show", lambda path, inline: shown.append((path, inline)))
    monkeypatch.chdir(tmp_path)
    for more in ([], ["--json"], ["--out", "b.png"]):
        said("gradcam", photo, "--weights", weights, "--show", *more)
    assert shown == [("gradcam.png", True), ("gradcam-2.png", False), ("b.png", True)]
