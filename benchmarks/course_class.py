"""A class that hands in an assignment: 40 submissions, what each is, and what it should get.

    for member in draw(assignment("convolution"), course, 40, seed=1):
        print(member.student, member.what, member.expected)

Right ones in several styles, honest mistakes, unfinished, empty, broken, renamed and oddly stored
ones, and those of `course_tricks`. The order and the mistakes are drawn from the seed.
"""

import ast
import io
import tomllib
import zipfile
from random import Random
from typing import NamedTuple

import course_styles
from course_texts import above, begun, calls, edited, emptied, filled, notebook
from course_tricks import ALL, ENDLESS, FLOOD, FUNCTION, HOSTILE, HUGE, MEMORY, MODULE, TRICKS

from minicnn.course.assignments.model import HERE
from minicnn.course.grader.names import wanted

FULL, LESS, NONE, ANY = "full", "less", "none", "any"
RIGHT, MISTAKES, HALF, EMPTY, SYNTAX = "right", "mistakes", "half done", "empty", "syntax error"
RENAMED, NOTEBOOK, STORED, ZIP = "renamed", "notebook", "oddly stored", "zip"
PLAN = ((RIGHT, 6), (MISTAKES, 12), (HALF, 3), (EMPTY, 2), (SYNTAX, 2), (RENAMED, 1), (NOTEBOOK, 2),
        (STORED, 3), (ZIP, 1), (ENDLESS, 2), (MEMORY, 1), (FLOOD, 1), (HUGE, 1), (HOSTILE, 3))
COMBINED = (3, 2, 2, 1, 1, 1)  # planted mistakes in one submission, in turns
FIRST = ("Ada Émilie Grace Sofía Katherine Mary Hedy Radia Ingrid Barbara Alan Kurt Claude Søren "
         "Évariste Srinivasa Carl Leonhard Bernhard Zoë")
LAST = ("Lovelace Noether Hopper Kovalevskaya Johnson Somerville Perlman Daubechies Liskov Turing "
        "Gödel Shannon Galois Ramanujan Gauß Euler Riemann Yıldız O'Neil Núñez")


class Member(NamedTuple):
    """One student's submission.

    Attributes
    ----------
    student, kind, what : str
    name : str
        Of the file: "convolution.py".
    data : bytes
    expected : dict
        Of each question's id: "full", "less", "none" (no points), or "any" where it is not known.
    says : tuple of str
        What the feedback must have, all of it.
    """

    student: str
    kind: str
    what: str
    name: str
    data: bytes
    expected: dict
    says: tuple = ()


class Course(NamedTuple):
    """What the class starts from, texts: the handout, its solution, the solution's notebook."""

    handout: str
    solution: str
    notebook: str


def draw(assignment, course, count=40, seed=1):
    """The Members of a class; a smaller one has fewer of each kind, but at least a right one."""
    random, makers, found = Random(seed), Makers(assignment, course, seed), []
    for kind, number in PLAN:
        found += [(kind, *one) for one in makers.several(kind, number)]
    if count < len(found):
        found = [found[0], *random.sample(found[1:], count - 1)]
    everybody = [f"{first} {last}" for first in FIRST.split() for last in LAST.split()]
    names = random.sample(everybody, len(found))
    random.shuffle(found)
    return [Member(name, *one) for name, one in zip(names, found, strict=True)]


def folder(members, path):
    """Write the class as Moodle exports it: a folder for each student."""
    for number, one in enumerate(members, 4711):
        own = path / f"{one.student}_{number}_assignsubmission_file_"
        own.mkdir(parents=True)
        (own / one.name).write_bytes(one.data)


class Makers:
    """Makes submissions, each as (what, name, data, expected, says)."""

    def __init__(self, assignment, course, seed):
        self.assignment, self.course, self.random = assignment, course, Random(seed)
        self.answers = course_styles.ANSWERS.get(assignment.name, {})
        self.file = f"{assignment.name}.py"
        self.functions = wanted(assignment)

    def several(self, kind, number):
        """`number` submissions of a kind; those there are, again and again, if they are fewer."""
        ways = {RIGHT: self._right, MISTAKES: self._mistakes, HALF: self._half,
                EMPTY: self._empty, SYNTAX: self._broken, RENAMED: self._renamed,
                NOTEBOOK: self._notebooks, STORED: self._stored, ZIP: self._zip}
        found = list(ways[kind](number) if kind in ways else self._tricks(kind))
        self.random.shuffle(found)
        return [found[index % len(found)] for index in range(number)]

    # ---- what is expected

    def _expect(self, less=(), none=()):
        """{id: what is expected}, of numbers of questions."""
        return {one.id: LESS if number in less else NONE if number in none else FULL
                for number, one in enumerate(self.assignment.questions, 1) if one.kind != "written"}

    def _without(self, functions):
        """What is expected if some functions do not work: questions of what calls them, and
        pictures made by several functions, are not known."""
        used = calls(self.course.solution)
        expected = {}
        for one in self.assignment.questions:
            broken = {one.function.partition(".")[0], one.function} & {*functions}
            unsure = used.get(one.function, set()) & {*functions} or (
                one.kind == "network" and self.assignment.name != "convolution")
            if one.kind != "written":
                expected[one.id] = NONE if broken else ANY if unsure else FULL
        return expected

    def _plain(self, what, text, expected, says=()):
        return what, self.file, text.encode(), expected, says

    # ---- right, wrong, unfinished

    def _right(self, number):
        full = self._expect()
        yield self._plain("the page's own", self.course.solution, full)
        yield self._plain("the page's own, without a comment",
                          ast.unparse(ast.parse(self.course.solution)), full)
        for name, bodies in self.answers.get("right", {}).items():
            yield self._plain(f"{name}", filled(self.course.handout, bodies), full)

    def _mistakes(self, number):
        for one in self.answers.get("mistaken", ()):
            yield self._answer(one)
        listed = tomllib.loads((HERE / "mistakes" / f"{self.assignment.name}.toml").read_text(
            encoding="utf-8"))["mistake"]
        self.random.shuffle(listed)
        for index in range(number - len(self.answers.get("mistaken", ()))):
            text, chosen = self.course.solution, []
            for one in listed:
                taken = {number for other in chosen for number in other["questions"]}
                if taken & {*one["questions"]} or not (changed := edited(text, one["edits"])):
                    continue
                text, chosen = changed, [*chosen, one]
                if len(chosen) == COMBINED[index % len(COMBINED)]:
                    break
            listed = [one for one in listed if one not in chosen]
            lost = {number for one in chosen for number in one["questions"]}
            yield self._plain("; ".join(one["words"] for one in chosen), text, self._expect(lost),
                              tuple(one["words"] for one in chosen))

    def _half(self, number):
        for one in self.answers.get("half", ()):
            yield self._answer(one)
        if not self.answers:
            for count in range(1, len(self.functions)):
                yield self._plain(f"{count} of {len(self.functions)} functions",
                                  emptied(self.course.solution, self.functions[count:]),
                                  self._without(self.functions[count:]), ("not written",))

    def _answer(self, one):
        return self._plain(one.what, filled(self.course.handout, one.bodies),
                           self._expect(one.less, one.none), (one.says,) if one.says else ())

    def _empty(self, number):
        everything = [number for number, _ in enumerate(self.assignment.questions, 1)]
        none = self._expect(none=everything)
        yield self._plain("an empty file", "", none, ("missing",))
        yield self._plain("the handout as it is", self.course.handout, none, ("not written",))

    def _broken(self, number):
        none = self._without(self.functions) | self._expect(
            none=range(len(self.assignment.questions) + 1))
        text = self.course.solution
        yield self._plain("a colon is missing", text.replace("):\n", ")\n", 1), none,
                          ("expected ':'",))
        yield self._plain("a bracket is open", f"{text}\nprint(np.zeros((3, 3)\n", none,
                          ("was never closed",))

    def _renamed(self, number):
        old = next(one for one in self.functions if "." not in one)
        text = self.course.solution.replace(old, f"my_{old}")
        yield self._plain(f"my_{old}", text, self._without([old]), ("did you mean",))

    # ---- the same, stored in another way

    def _notebooks(self, number):
        full, name = self._expect(), f"{self.assignment.name}.ipynb"
        yield "the handout's, with magics", name, notebook(
            self.course.notebook, ["%matplotlib inline\n!pip install numpy\nprint('begin')"],
            ["%timeit 1 + 1\nprint(np.zeros(3))"]), full, ()
        yield "with a cell that fails", name, notebook(
            self.course.notebook, ["data = open('my_data.csv').read()"],
            ["1 / 0", "print(data)", "def broken(:\n    pass"]), full, ("is not Python",)

    def _stored(self, number):
        text, full = self.course.solution, self._expect()
        yield ("Windows line ends and a mark", self.file,
               text.replace("\n", "\r\n").encode("utf-8-sig"), full, ())
        yield "UTF-16", self.file, text.encode("utf-16"), full, ()
        yield ("Latin-1", self.file, f"# für die Übung\n{text}".encode("latin-1", "replace"), full,
               ("read as Latin-1",))

    def _zip(self, number):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            for name, text in ((f"hand-in/{self.file}", self.course.solution),
                               (f"__MACOSX/hand-in/._{self.file}", "\0"),
                               ("hand-in/photo.png", "no picture")):
                archive.writestr(zipfile.ZipInfo(name), text)
        yield "with other files", f"{self.assignment.name}.zip", file.getvalue(), self._expect(), ()

    # ---- careless and hostile

    def _tricks(self, kind):
        everything = self._expect(none=range(len(self.assignment.questions) + 1))
        function = min(self.functions, key=self._worth)
        for one in TRICKS:
            if one.kind == kind:
                expected = (everything if one.costs == ALL else self._without([function])
                            if one.costs == FUNCTION else self._expect())
                text = (above(self.course.solution, one.text) if one.where == MODULE else
                        begun(self.course.solution, function, one.text))
                yield self._plain(one.what, text, expected, (one.says,) if one.says else ())

    def _worth(self, function):
        """The points of a function's questions."""
        return sum(one.points for one in self.assignment.questions if one.function == function)
