"""An assignment as data, read from its TOML file."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).parent
KINDS = ("op", "call", "checker", "network", "written")


class Page(NamedTuple):
    """A page of minicnn, and what is cut from it.

    Attributes
    ----------
    module : str
        "minicnn.ops.conv".
    prefix : str
        Goes before the names of the page's functions in the handout: "conv_" makes `forward`
        `conv_forward`. Classes keep their names.
    cut : tuple of str
        Functions ("forward") and methods ("SGD.step") whose bodies the student writes.
    given : tuple of str
        Further names of minicnn that the student may use: "minicnn.ops.window.views".
    left_out : tuple of str
        The page's other names, neither cut nor to be shown, such as a function so like a cut one
        that it would tell the answer. They come only if something shown uses them.
    """

    module: str
    prefix: str
    cut: tuple
    given: tuple = ()
    left_out: tuple = ()


class Question(NamedTuple):
    """A question: what to do, what it is worth, and how it is judged.

    Attributes
    ----------
    id : str
        "convolution-1".
    kind : {"op", "call", "checker", "network", "written"}
    title, text : str
        `text` is markdown.
    function : str
        The function or class of the handout that it judges; "" for a written question.
    points, minutes, lines : int
        `lines` is the usual number of lines of code, 0 where nothing is to be written.
    hints : tuple of three str
        Each says more than the one before.
    rubric : str
        Of a written question, for the teacher.
    contract : dict
        What `minicnn.course.assignments.trials` and `probes` make the cases from.
    """

    id: str
    kind: str
    title: str
    function: str
    points: int
    minutes: int
    lines: int
    text: str
    hints: tuple = ()
    rubric: str = ""
    contract: Any = None


class Assignment(NamedTuple):
    """An assignment.

    Attributes
    ----------
    name, title, intro : str
        `name` ("convolution") is also that of the handout's file; `intro` is markdown.
    number : int
    lessons : tuple of int
        The lessons to go through before.
    pages : tuple of Page
    questions : tuple of Question
    """

    name: str
    number: int
    title: str
    lessons: tuple
    intro: str
    pages: tuple
    questions: tuple

    @property
    def points(self):
        """All points, with those of written questions."""
        return sum(one.points for one in self.questions)

    @property
    def minutes(self):
        """The time that the questions usually take."""
        return sum(one.minutes for one in self.questions)

    def question(self, name):
        """The question with this id, or its number in the assignment."""
        for number, one in enumerate(self.questions, 1):
            if str(name) in (one.id, str(number)):
                return one
        raise ValueError(f"{self.name} has no question {name}; its questions are 1 to "
                         f"{len(self.questions)}")


@cache
def assignments():
    """All assignments, in their order."""
    return tuple(_read(path) for path in sorted(HERE.glob("[0-9][0-9]_*.toml")))


def assignment(name):
    """The assignment with this name or number.

    Raises
    ------
    ValueError
        There is none; the error lists them.
    """
    for one in assignments():
        if str(name) in (one.name, str(one.number)):
            return one
    raise ValueError(f"no assignment {name!r}; there are "
                     + ", ".join(f"{one.number} {one.name}" for one in assignments()))


def _read(path):
    about = tomllib.loads(path.read_text(encoding="utf-8"))
    number, name = path.stem.split("_", 1)
    pages = tuple(Page(**{key: tuple(value) if isinstance(value, list) else value
                          for key, value in page.items()}) for page in about["pages"])
    questions = tuple(_question(f"{name}-{index}", one)
                      for index, one in enumerate(about["questions"], 1))
    return Assignment(name, int(number), about["title"], tuple(about["lessons"]),
                      about["intro"].strip(), pages, questions)


def _question(name, one):
    """A Question from its table; ValueError if its kind is unknown."""
    if one["kind"] not in KINDS:
        raise ValueError(f"{name}: kind must be one of {', '.join(KINDS)}, got {one['kind']!r}")
    one = {"function": "", "lines": 0, **one, "text": one["text"].strip(),
           "hints": tuple(hint.strip() for hint in one.get("hints", ())),
           "rubric": one.get("rubric", "").strip()}
    return Question(id=name, **one)
