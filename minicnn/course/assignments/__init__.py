"""The eight assignments: what is cut from which pages, the questions, and how each is judged.

    for one in assignments():
        print(one.number, one.title, one.points)

| file | what it holds |
|---|---|
| NN_name.toml | an assignment's words: its questions with points, minutes, hints, rubric |
| model.py | Assignment, Page, Question, and reading them |
| trials.py | what an op is judged at: settings and numbers, drawn from a question's contract |
| probes.py | the calls of all other questions |
| planted.py, mistakes/ | the pages with one mistake each, which every question must notice |
| timetable.toml, timetable.py | four weeks, with the lessons |

A question is a rung of a ladder: the same function of the handout, judged at ever more settings.
What is judged, its contract says; how, `minicnn.course.grader`.
"""

from minicnn.course.assignments.model import Assignment, Page, Question, assignment, assignments

__all__ = ["Assignment", "Page", "Question", "assignment", "assignments"]
