"""What --show does: open a result with the system's viewer, or show it in the terminal."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from minicnn import images
from minicnn.report.inline import escape, protocol
from minicnn.terminal import tell


def show(path, inline=True):
    """Show a picture, or the page of a folder; if that cannot be, say why on standard error.

    Parameters
    ----------
    path : str or path
        A folder stands for the index.html in it, or for itself.
    inline : bool
        Whether the terminal may show it, where there is no display.
    """
    path = Path(path)
    if path.is_dir() and (path / "index.html").is_file():
        path /= "index.html"
    program, why_not = viewer(os.environ, sys.platform)
    if program is not None:
        open_with(program, path)
        return
    text, or_not = _escaped(path) if inline else (None, "--json leaves no room in the terminal")
    if text is None:
        tell(f"minicnn: cannot show {path}: {why_not}; {or_not}", file=sys.stderr)
    else:
        print(text, flush=True)


def viewer(environment, platform):
    """(the system's program that opens files, None), or (None, why there is none)."""
    if "SSH_CONNECTION" in environment and not _display(environment):
        return None, "there is no display at this end of ssh"
    if platform == "win32":
        return "start", None
    name = "open" if platform == "darwin" else "xdg-open"
    if name == "xdg-open" and not _display(environment):
        return None, "there is no display (DISPLAY and WAYLAND_DISPLAY are not set)"
    program = shutil.which(name)
    return (program, None) if program else (None, f"there is no program {name}")


def _display(environment):
    return environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY")


def open_with(program, path):
    """Start the viewer, which goes on when the command has ended."""
    if program == "start":
        os.startfile(path)  # Windows alone has it
    else:
        subprocess.Popen([program, os.path.abspath(path)], stdin=subprocess.DEVNULL,
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                         start_new_session=True)


def _escaped(path):
    """(what makes the terminal show a picture, None), or (None, why it cannot)."""
    if not sys.stdout.isatty():
        return None, "standard output is no terminal"
    how = protocol(os.environ)
    if how is None:
        return None, (f"this terminal (TERM={os.environ.get('TERM', '')}) does not say that it "
                      "can show pictures, as iTerm2, WezTerm, kitty, Ghostty and foot do")
    if path.suffix.lower() not in images.FORMATS and path.suffix.lower() != ".gif":
        return None, "a terminal shows PNG, JPEG and GIF only"
    picture = images.load(path)  # of an animation the first frame
    whole = how == "iterm"  # which shows any picture's file
    columns = max(10, min(picture.shape[1] // 8, shutil.get_terminal_size().columns))
    return escape(path.read_bytes() if whole else images.encode(picture), how, columns), None
