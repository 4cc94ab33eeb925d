"""Going through a lesson a cell at a time: which code has run, and what came of it.

Nothing here is drawn or read from a keyboard. Cells are counted from 0. Going back restores the
state by running the code from the lesson's start again, with its output thrown away: that is what
the lesson says, and a copy of every array after every cell might be something else.
"""

import contextlib
import io
import time
import traceback

import matplotlib.pyplot as plt

from minicnn.course import lessons
from minicnn.course.questions import ASKED
from minicnn.course.stage import SHOWN

BROKEN = float("inf")  # in place of a number of cells: one of them ended in the middle


class Stepper:
    """A lesson, and the names that its code has defined so far.

    Attributes
    ----------
    lesson : Lesson
    names : dict
        What the code of the first `ran` cells has defined.
    ran : int
        Or BROKEN, where a cell ended in the middle.
    seconds : dict
        {cell: how long its code took}.
    """

    def __init__(self, lesson):
        self.lesson, self.seconds = lesson, {}
        self._begin()

    def _begin(self):
        self.names, self.ran = {"__name__": "__main__"}, 0

    def missing(self, index):
        """The cells whose code must run before cell `index` can."""
        begin = self.ran if self.ran <= index else 0
        return [k for k in range(begin, index) if not self.lesson.cells[k].is_text]

    def restore(self, index):
        """Bring `names` to the state before a cell."""
        missing = self.missing(index)
        if self.ran > index:
            self._begin()
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            for k in missing:
                self._execute(k, ask=lambda question: None, show=lambda code: None)
        self.ran = index

    def run(self, index, ask, show=print):
        """Run the code of a cell in the state before it.

        Parameters
        ----------
        index : int
        ask : callable
            Called with each Question; what it raises ends the cell in the middle.
        show : callable
            Called with each piece of source code that the cell shows.

        Returns
        -------
        list of matplotlib figures
            Those that the cell has made; pyplot has closed them.

        Raises
        ------
        LessonError
            The code fails; the message says in which lesson, in which line, and how.
        """
        self.restore(index)
        return self._execute(index, ask, show)

    def _execute(self, index, ask, show):
        before, began = set(plt.get_fignums()), time.perf_counter()
        self.ran = BROKEN
        with _on_top(ASKED, ask), _on_top(SHOWN, show):
            try:
                lessons.execute(self.lesson, self.lesson.cells[index], self.names)
            except BrokenPipeError:  # nobody reads what the cell prints: no fault of the lesson
                raise
            except Exception as error:
                raise lessons.LessonError(failed(self.lesson, error)) from error
            finally:
                figures = [plt.figure(n) for n in plt.get_fignums() if n not in before]
                for figure in figures:  # pyplot forgets them; they can still be saved
                    plt.close(figure)
        self.ran, self.seconds[index] = index + 1, time.perf_counter() - began
        return figures


@contextlib.contextmanager
def _on_top(stack, function):
    stack.append(function)
    try:
        yield
    finally:
        stack.pop()


def failed(lesson, error):
    """An error of a lesson's code in words: the lesson, the line, the kind and the message."""
    found = [frame.lineno for frame in traceback.extract_tb(error.__traceback__)
             if frame.filename == str(lesson.path)]
    line = error.lineno if isinstance(error, SyntaxError) else found[-1] if found else "?"
    return (f"lesson {lesson.number}, {lesson.path.name}, line {line}: "
            f"{type(error).__name__}: {error}")
