"""The tour: every method once on one network and one photo, as a folder that opens from disk."""

import ast
import inspect
import shlex
import tempfile
import textwrap
from html import escape
from pathlib import Path

from minicnn import images
from minicnn.progress import bar
from minicnn.report import animation, drawn, page
from minicnn.report.stops import BEST, STOPS, recognised, rectified

FILES = ("index.html", "photo.png", *(stop.picture for stop in STOPS))
STYLE = """
.strip { display: flex; flex-wrap: wrap; gap: .5rem; margin: 1.5rem 0; }
.strip a { flex: 1 1 9rem; } .strip img { width: 100%; aspect-ratio: 1; object-fit: cover; }
img { image-rendering: auto; border-radius: 3px; } a img { cursor: zoom-in; }
nav { columns: 14rem; font-size: .95rem; } nav a { display: block; }
details { margin: .5rem 0; } summary { cursor: pointer; color: #0645ad; }
.missing { color: #8a4b00; }
"""


def tour(network, photo=None, folder="tour", seed=0, progress=False):
    """Use every method once, and write an index.html that shows and explains what came out.

    Parameters
    ----------
    network : Network
        With class names; the shipped network takes about a minute.
    photo : path or uint8 array, optional
        By default a ladybird, drawn by `minicnn.report.drawn`.
    folder : str or path
        Created if it does not exist; files of the same name are replaced.
    seed : int
    progress : bool
        Show a bar on standard error.

    Returns
    -------
    Path
        The path of index.html. A method that cannot be used here has a line there that says why.

    Raises
    ------
    ValueError
        The network has no rectified feature maps, or does not classify.
    KeyboardInterrupt
        On Ctrl-C; the pictures made so far are kept, and index.html shows them.
    """
    if not rectified(network):
        raise ValueError(f"tour: network {network.name} has no rectified feature maps to show")
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    if photo is None:
        photo = drawn.ladybird()
    photo = photo if isinstance(photo, (str, Path)) else _kept(photo, folder)
    network.classify(photo)  # an error now rather than after some pictures
    done = {}
    try:
        for stop in bar(STOPS, "tour", progress):
            done[stop] = _visit(stop, network, photo, folder, seed)
    except KeyboardInterrupt:
        if not done:
            raise
        index = _write(folder, network, photo, done, " The tour was interrupted.")
        raise KeyboardInterrupt(f"{index} shows what was done until then") from None
    return _write(folder, network, photo, done)


def _kept(photo, folder):
    """The path of a picture that is given as an array, once it is in the folder."""
    path = folder / "photo.png"
    images.save(path, photo)
    return path


def _visit(stop, network, photo, folder, seed):
    """(names of the pictures, caption) of a stop; (no names, why not) if it cannot be made."""
    with tempfile.TemporaryDirectory() as scratch:
        needs = inspect.signature(stop.make).parameters
        more = {"folder": Path(scratch)} if "folder" in needs else {}
        try:
            pictures, found = stop.make(network, photo, seed, **more)
        except (ValueError, ImportError) as error:
            return [], f"Left out: {error}"
    records = found if isinstance(found, list) else [found]
    if any(getattr(one, "interrupted", False) for one in records):
        raise KeyboardInterrupt
    for name, picture in pictures.items():
        (animation.save if isinstance(picture, list) else images.save)(folder / name, picture)
    return list(pictures), "; ".join(getattr(one, "caption", one).replace("\n", "; ")
                                     for one in records)


# ---- the page

def _write(folder, network, photo, done, more=""):
    words = {"photo": shlex.quote(str(photo)), "last": rectified(network)[-2:][0],
             "deepest": rectified(network)[-1],
             "classes": " ".join(shlex.quote(str(network.label(k)))
                                 for k in recognised(network)[:2])}
    parts = [f"<p>Every picture on this page was computed by NumPy, from one network, "
             f"{escape(network.name)}, and one photo. Click a picture to see it at full size. Each "
             f"is made by a command, and by some lines of Python.{more}</p>",
             _strip(folder), '<nav aria-label="contents">',
             *(f'<a href="#{stop.make.__name__}">{escape(_told(stop)[0])}</a>' for stop in done),
             "</nav>", *(_section(stop, *found, words) for stop, found in done.items())]
    page.save(folder / "index.html", f"How {network.name} sees", parts, STYLE)
    return folder / "index.html"


def _strip(folder):
    shown = [name for name in BEST if (folder / name).is_file()]
    return '<div class="strip">' + "".join(_picture(name, Path(name).stem) for name in shown) + (
        "</div>")


def _picture(name, alt):
    return f'<a href="{name}"><img src="{name}" alt="{escape(alt)}" loading="lazy"></a>'


def _section(stop, pictures, caption, words):
    heading, text = _told(stop)
    figure = (f"<figure>{_picture(pictures[0], heading)}<figcaption>{escape(caption)}</figcaption>"
              "</figure>" if pictures else f'<p class="missing">{escape(caption)}</p>')
    others = "".join(f' <a href="{name}">{name}</a>' for name in pictures[1:])
    return (f'<h2 id="{stop.make.__name__}">{escape(heading)}</h2>\n<p>{escape(text)}{others}</p>\n'
            f"{figure}\n<pre>minicnn {escape(stop.command.format(**words))}</pre>\n"
            f"<details><summary>in Python</summary><pre>{escape(_code(stop))}</pre></details>\n"
            f"<p>Explained in lesson {stop.lesson}: <code>minicnn lesson {stop.lesson}</code>.</p>")


def _told(stop):
    """(heading, text) of a stop, from its docstring."""
    heading, _, text = inspect.getdoc(stop.make).partition("\n\n")
    return heading, text.replace("\n", " ")


def _code(stop):
    """The code of a stop, without its docstring."""
    source = textwrap.dedent(inspect.getsource(stop.make))
    function, lines = ast.parse(source).body[0], source.splitlines()
    return "\n".join([*lines[: function.body[0].lineno - 1], *lines[function.body[0].end_lineno :]])
