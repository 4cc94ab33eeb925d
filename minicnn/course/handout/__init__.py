"""Handouts: assignments cut from the pages, for students, teachers and grading programs.

| file | what it holds |
|---|---|
| cut.py | `handout`, `solution`, `pieces`: an assignment's file, and its parts |
| gather.py | which definitions a handout holds, under which names, in which order |
| writer.py | the text of each: cut, under its new name, with its questions |
| body.py | taking the bodies of functions out |
| scopes.py | which names in a definition mean something outside of it |
| names.py | giving the names in code other names |
| source.py | a module as text: its definitions, and what its names mean |
| derivation.py | a page's derivation: whole, shortened, or left as a question |
| heading.py | the head of a handout: questions, points, version |
| new.py | a course as a folder: what students get, and what their teacher keeps |
| cells.py, marks.py | an assignment as cells; marks around what students write |
| asserts.py, op_calls.py, probe_calls.py, layers.py, typed.py | tests of a question, as lines |
| notebook.py, otter.py | cells as a notebook for nbgrader, for otter |
| sheets.py | questions, how to begin, rubric, points |
| readmes.py | what to read first: of a student, of a teacher |
| gradescope.py, autograder.py, wheel.py | an autograder for Gradescope, and what it runs |
"""

from minicnn.course.handout.cut import Piece, handout, pieces, solution
from minicnn.course.handout.derivation import with_derivations

__all__ = ["Piece", "handout", "pieces", "solution", "with_derivations"]
