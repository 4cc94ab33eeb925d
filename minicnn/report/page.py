"""A plain HTML page of pictures with headings and captions, without scripts or remote files."""

from html import escape
from typing import NamedTuple

from minicnn import images

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem;
       color: #222; background: #fff; }
h1, h2 { line-height: 1.2; }
h2 { margin-top: 2.5rem; border-top: 1px solid #ddd; padding-top: 1rem; }
figure { margin: 1rem 0; } img { max-width: 100%; } figcaption { color: #555; font-size: 0.9rem; }
pre { background: #f4f4f4; padding: 0.8rem; overflow-x: auto; }
"""


class Section(NamedTuple):
    """A heading, a paragraph, a command to run, and a picture's file name and caption."""

    heading: str
    text: str
    command: str
    picture: str = ""
    caption: str = ""


def write(path, title, text, sections):
    """Write a page whose pictures are in the same folder.

    Parameters
    ----------
    path : str or path
    title, text : str
        Heading and first paragraph.
    sections : sequence of Section
    """
    save(path, title, [f"<p>{escape(text)}</p>", *map(_section, sections)])


def save(path, title, body, style="", head=""):
    """Write a page of pieces of HTML, as `whole` makes it."""
    images.write(path, whole(title, body, style, head).encode(
        "utf-8", "backslashreplace"))  # odd file names


def whole(title, body, style="", head=""):
    """A page of pieces of HTML as text; `style` is added to the style sheet of all pages, `head` to
    the page's head."""
    return (f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            f'<meta name="viewport" content="width=device-width">\n{head}'
            f'<title>{escape(title)}</title>\n'
            f"<style>{STYLE}{style}</style>\n</head>\n<body>\n<h1>{escape(title)}</h1>\n"
            + "\n".join(body) + "\n</body>\n</html>\n")


def _section(section):
    figure = "" if not section.picture else (
        f'<figure><img src="{escape(section.picture)}" alt="{escape(section.heading)}">'
        f"<figcaption>{escape(section.caption)}</figcaption></figure>\n")
    return (f"<h2>{escape(section.heading)}</h2>\n<p>{escape(section.text)}</p>\n{figure}"
            f"<pre>{escape(section.command)}</pre>")
