"""Lessons to step through, assignments to write and to grade, and what both are made with.

    minicnn lesson          lists the lessons
    minicnn lesson 4        goes through the fourth, a cell at a time
    minicnn lesson 4 --notebook pooling.ipynb --executed
    minicnn lesson 4 --figure

| file | what it holds |
|---|---|
| lessons.py | the lessons there are, and their cells |
| questions.py | `ask`: predict, then run |
| stage.py | `source` and `network`: the library's own code, and the network a lesson looks into |
| stepping.py | which code has run, and the state before each cell |
| session.py | a reader in a lesson: keys, questions, answers |
| terminal.py | what is drawn: cells, pictures, variables |
| rendering.py | text and code as lines for a terminal |
| bookmark.py | where one stopped, and what one has answered |
| notebook.py | a lesson as a notebook |
| figures.py | the step figures of the lessons |
| assignments/ | the eight assignments: their questions, and how each is judged |
| handout/ | handouts cut from the pages; a course as a folder |
| grader/ | a submission's points, feedback, a class |
| checking.py, attempts.py | a student's own check, and how often it was made |
| kept.py | what bookmark and attempts keep in a file |
| grading.py, reporting.py | many submissions at once, and what a teacher gets |

A lesson is a Python file of cells, `# %%` for code and `# %% [markdown]` for text, so that editors
open it as a notebook. It imports minicnn and shows its source; it copies nothing. The lessons
themselves are in `lessons/`; what they explain belongs in the other rooms.
"""

from minicnn.course.questions import ask
from minicnn.course.stage import network, photo, source
from minicnn.rooms import offered

__all__ = ["ask", "network", "photo", "source"]
__getattr__, __dir__ = offered(__name__)
