"""What a lesson looks like in a terminal, or in a pipe."""

import inspect
import io
import os
import pprint
import shutil

import numpy as np

from minicnn.course import rendering
from minicnn.course.questions import shown
from minicnn.images import write
from minicnn.network.summary import lined_up
from minicnn.report import formulas, inline
from minicnn.terminal import escaped, tell

WIDEST = 100  # columns of text that are comfortable to read
DPI = 110  # of the saved pictures
A_COLUMN = 0.11  # inches of a picture that take one column of the terminal
MOST_NUMBERS, MOST_PLANES, MOST_LINES = 400, 6, 24  # of a variable


class Screen:
    """Draws on standard output.

    Parameters
    ----------
    styled, signs : bool
        Whether letters may be bold or coloured, and whether formulas have mathematical signs.
    width : int
        Columns.
    inline : str or None
        How pictures are shown among the text: a protocol of `minicnn.report.inline`, or not at all.

    Attributes
    ----------
    opened : callable or None
        Called with the path of each picture, which it opens.
    """

    opened = None

    def __init__(self, styled=False, signs=True, width=80, inline=None):
        self.paint = rendering.styled if styled else rendering.plain
        self.signs, self.width, self.inline = signs, min(width, WIDEST), inline

    @classmethod
    def of(cls, stream):
        """What the terminal behind a stream can do; a pipe can do little."""
        signs = formulas.can_show(stream.encoding or "utf-8")
        if not stream.isatty():
            return cls(signs=signs)
        return cls(formulas.can_style(stream), signs, shutil.get_terminal_size().columns,
                   inline.protocol(os.environ))

    # ---- cells

    def begin(self, index, count):
        """A line that says which cell follows."""
        line = f"{index + 1} of {count} "
        print("\n" + self.paint("dim", line + ("─" if self.signs else "-") * (20 - len(line))))

    def text(self, content):
        """A cell of text."""
        print(rendering.text(content, self.width, self.paint, self.signs))

    def code(self, content, fold=False):
        """The code of a cell, without its questions and, if `fold`, without what draws."""
        content = rendering.without_questions(content)
        content = rendering.folded(content) if fold else content
        if content.strip():
            print(rendering.code(content, self.paint) + "\n", flush=True)

    def source(self, content):
        """A piece of the library's code, which a cell shows."""
        print(rendering.code(content, self.paint) + "\n")

    def say(self, text, kind="dim"):
        """A line of the lesson's own machinery."""
        text = "\n".join(map(escaped, text.split("\n")))
        print(self.paint(kind, text) if kind else text, flush=True)

    # ---- questions

    def question(self, question):
        """A question with its choices."""
        print("\n" + self.paint("question", "Predict: ") + self._filled(question.text))
        for k, choice in enumerate(question.choices):
            print(f"  ({chr(97 + k)}) {rendering.inline(choice, self.paint)}")

    def judged(self, right, sentence):
        """What is said of an answer."""
        print(self.paint("right" if right else "wrong", "+ " if right else "- ")
              + self._filled(sentence))

    def answer(self, question):
        """The answer to a question."""
        print(self.paint("bold", "Answer: ") + shown(question.answer))

    def hint(self, number, question):
        """A hint, from 1."""
        print(self.paint("bold", f"Hint {number} of {len(question.hints)}: ")
              + self._filled(question.hints[number - 1]))

    def _filled(self, words):
        return rendering.text(words, self.width - 9, self.paint, self.signs)

    # ---- pictures

    def picture(self, path, figure):
        """A picture that was saved: its name, and itself where the terminal can show it."""
        if self.inline:
            columns = max(10, min(self.width, int(figure.get_figwidth() / A_COLUMN)))
            print(inline.escape(path.read_bytes(), self.inline, columns))
        print(self.paint("dim", f"picture: {escaped(path)}"), flush=True)
        if self.opened:
            self.opened(path)

    # ---- variables

    def variable(self, name, value):
        """A variable: kind, shape, dtype and values."""
        print(f"{self.paint('bold', name)}: {escaped(about(value))}")
        tell(*values(value, self.width))

    def variables(self, names):
        """The names that a lesson has defined."""
        rows = [(name, about(value)) for name, value in names.items()
                if not name.startswith("_") and not inspect.ismodule(value)]
        print("\n".join(line[:self.width] for line in lined_up(rows)) if rows else "none yet")


# ---- pictures

def save(figures, folder, cell):
    """Save a cell's figures; yields each path with its figure.

    The names are cell07.png, or cell07a.png, cell07b.png and so on, from 1.
    """
    for k, figure in enumerate(figures):
        letter = chr(97 + k) if len(figures) > 1 else ""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"cell{cell + 1:02}{letter}.png"
        picture = io.BytesIO()
        figure.savefig(picture, format="png", dpi=DPI, bbox_inches="tight")
        write(path, picture.getvalue())
        yield path, figure


# ---- variables

def about(value):
    """What a value is, in a few words."""
    if isinstance(value, np.ndarray):
        words = f"{value.dtype} {value.shape}"
        if value.size and np.issubdtype(value.dtype, np.number) and value.dtype.kind != "c":
            least, most, mean = value.min(), value.max(), value.mean()
            words += f", from {least:.4g} to {most:.4g}, mean {mean:.4g}"
        return words
    if callable(value):
        try:
            signature = str(inspect.signature(value))
        except (TypeError, ValueError):
            signature = ""
        return f"{type(value).__name__} {getattr(value, '__name__', '')}{signature}"
    if isinstance(value, (list, tuple, dict, str)):
        return f"{type(value).__name__} of {len(value)}"
    return type(value).__name__


def values(value, width=80):
    """A value as lines; images and feature maps as planes, one for each channel."""
    if isinstance(value, np.ndarray):
        lines = _array(value, width)
    elif isinstance(value, (str, int, float, np.generic)) or callable(value):
        lines = _function(value) if callable(value) else str(value).split("\n")
    else:
        lines = pprint.pformat(value, width=width, compact=True).splitlines()
    return lines[:MOST_LINES] + ["..."] * (len(lines) > MOST_LINES)


def _function(function):
    """The first line of its docstring; its code, if it has none."""
    doc = inspect.getdoc(function)
    if doc:
        return doc.splitlines()[:1]
    try:
        return inspect.getsource(function).splitlines()
    except (OSError, TypeError):
        return []


def _array(array, width):
    is_maps = array.ndim == 4 or array.ndim == 3 and array.shape[-1] <= MOST_PLANES
    if not is_maps or array.size > MOST_NUMBERS:
        return _numbers(array, width)
    lines = []
    for *image, channel in np.ndindex(*array.shape[:-3], array.shape[-1]):
        where = ", ".join([*map(str, image), ":", ":", str(channel)])
        lines += [f"[{where}]", *_numbers(array[(*image, slice(None), slice(None), channel)],
                                          width)]
    return lines


def _numbers(array, width):
    return np.array2string(array, max_line_width=width, precision=4, suppress_small=True,
                           threshold=MOST_NUMBERS, edgeitems=3).splitlines()
