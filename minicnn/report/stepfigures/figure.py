"""`StepFigure`: the page of a step figure."""

import json
from dataclasses import dataclass
from html import escape
from pathlib import Path

from minicnn import images
from minicnn.report import page

HERE = Path(__file__).parent
HEIGHT = 900  # of the frame in a notebook, in pixels


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class StepFigure:
    """A page of numbers to step through.

    Attributes
    ----------
    title, lead : str
        The heading, and one sentence below it.
    data : dict
        What the page computes with: the kind of the figure, its arrays as lists, its settings, and
        the library's results for them.
    still : list of str
        Pieces of HTML that stand for the figure where there is no JavaScript.
    text : list of str
        Pieces of HTML below the figure: what to see, and where the numbers come from.
    """

    title: str
    lead: str
    data: dict
    still: list
    text: list

    def __repr__(self):
        return f"StepFigure({self.title!r})"

    def html(self):
        """The whole page as text; it needs no other file and no network.

        Raises
        ------
        ValueError
            A result is not finite.
        """
        return page.whole(self.title, [*self.body(), script()], style())

    def body(self):
        """What is below the page's heading, as pieces of HTML, but for the script.

        Raises
        ------
        ValueError
            A result is not finite.
        """
        try:
            data = json.dumps(self.data, allow_nan=False, separators=(",", ":"))
        except ValueError:
            raise ValueError(f"step figure {self.title!r}: a result is not finite; give smaller "
                             "numbers, and settings that divide by no zero") from None
        return [f'<p class="lead">{self.lead}</p>', '<main id="figure"><div class="still">',
                *self.still, "</div></main>", '<div class="text">', *self.text, "</div>",
                f'<script type="application/json" id="data">{data.replace("<", LESS)}</script>']

    def save(self, path):
        """Write the page as one HTML file, whole or not at all.

        Raises
        ------
        ValueError
            A result is not finite; the folder does not exist, or cannot be written to.
        """
        images.write(path, self.html().encode("utf-8", "backslashreplace"))

    def _repr_html_(self):  # what a notebook asks for; a frame keeps the page's style to itself
        return (f'<iframe srcdoc="{escape(self.html())}" title="{escape(self.title)}" '
                f'style="width: 100%; height: {HEIGHT}px; border: 0"></iframe>')


LESS = "\\u003c"  # in JSON the same as <, but it opens no tag


def script():
    """The script of every figure, in its tag."""
    return f"<script>\n{(HERE / 'steps.js').read_text(encoding='utf-8')}</script>"


def style():
    """The style sheet of every figure."""
    return (HERE / "steps.css").read_text(encoding="utf-8")


def about(op, lesson, *paragraphs, numbers=True):
    """The text below a figure: paragraphs of HTML, then where its numbers come from.

    Parameters
    ----------
    op : str
        The module whose results the page shows; `minicnn explain` shows the page of an op.
    lesson : int
        The number of the lesson that explains it.
    *paragraphs : str
        HTML; one that begins with a tag stands as it is.
    numbers : bool
        Whether it shows numbers, or pictures.
    """
    told = [one if one.startswith("<") else f"<p>{one}</p>" for one in paragraphs]
    page_of = op.removeprefix("minicnn.ops.")
    explain = "" if page_of == op else f" Its page: <code>minicnn explain {page_of}</code>."
    rounded = (", in float64, shown rounded. Where you change a setting or a number, the page "
               "computes them itself" if numbers else "")
    return ["<h2>What to see</h2>", *told,
            f'<p class="from">The {"numbers" if numbers else "pictures"} are those of '
            f"<code>{op}</code>{rounded}. The lesson: <code>minicnn lesson {lesson}</code>."
            f"{explain}</p>"]
