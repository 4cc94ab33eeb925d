"""A timetable of four weeks: which lessons and assignments when, and what is handed in.

    print(timetable())

`timetable.toml` says it; titles and minutes come from the assignments and lessons themselves.
"""

import tomllib
from functools import cache
from math import ceil
from typing import NamedTuple

from minicnn.course import lessons
from minicnn.course.assignments.model import HERE, assignment, assignments

HEAD = """\
# A course of {weeks}

{given}; {hours:g} hours of work in all, in class and at home. That is our plan, with time to talk;
the minutes that lessons and questions say make {counted:.1f} hours. Go through the lessons with
`minicnn lesson NUMBER`, in class on one screen: let everyone predict before a cell runs. Grade what
was handed in before the next session (`minicnn course grade`), and begin that session with the
commonest mistake. A person reads the answers in words, with the rubric of each assignment.
"""
DERIVE = " Then what is still to be derived."


class Session(NamedTuple):
    """A time of work.

    Attributes
    ----------
    name, words : str
        "Monday, class", and what is done.
    hours : float
    lessons : tuple of int
    works_on, hand_in : tuple of str
        Names of assignments: worked on, and handed in at its end.
    """

    name: str
    hours: float
    words: str
    lessons: tuple = ()
    works_on: tuple = ()
    hand_in: tuple = ()


class Week(NamedTuple):
    """A week: its title and its Sessions."""

    title: str
    sessions: tuple

    @property
    def hours(self):
        """All hours of its sessions."""
        return sum(one.hours for one in self.sessions)


@cache
def weeks():
    """The weeks of the course, a tuple of Week."""
    listed = tomllib.loads((HERE / "timetable.toml").read_text(encoding="utf-8"))["weeks"]
    return tuple(Week(week["title"], tuple(_session(one) for one in week["sessions"]))
                 for week in listed)


def timetable(given=None):
    """The timetable as markdown.

    Parameters
    ----------
    given : sequence of Assignment, optional
        The assignments; sessions that work on others only are left out, and lessons in class of a
        week without any. Where one has more questions than usual, as derivations, it gets the time
        at home before it is handed in. By default all.

    Returns
    -------
    str
    """
    given = {one.name: one for one in (assignments() if given is None else given)}
    kept = [kept for week in weeks()
            if (kept := week._replace(sessions=tuple(_kept(week.sessions, given)))).sessions]
    taught = {number for week in kept for one in week.sessions for number in one.lessons}
    minutes = sum(one.minutes for one in given.values()) + sum(map(_minutes, taught))
    head = HEAD.format(weeks=_counted(len(kept), "week"), given=_counted(len(given), "assignment"),
                       hours=sum(week.hours for week in kept), counted=minutes / 60)
    parts = [head, *(_week(number, week, given) for number, week in enumerate(kept, 1))]
    if others := sorted({one for week in weeks() for session in week.sessions
                         for one in session.lessons} - taught):
        parts.append("Lessons that stand in none of these weeks, for whoever likes more: "
                     f"{', '.join(map(_lesson, others))}.\n")
    return "\n".join(parts)


def _counted(count, what):
    return f"{count} {what}{'s' * (count != 1)}"


def _session(table):
    return Session(**{key: tuple(value) if isinstance(value, list) else value
                      for key, value in table.items()})


def _kept(sessions, given):
    """The sessions, with these assignments only; none of a week that has none of them."""
    if not any(name in given for one in sessions for name in one.works_on):
        return
    for one in sessions:
        works_on, hand_in = (tuple(name for name in these if name in given)
                             for these in (one.works_on, one.hand_in))
        if works_on or not one.works_on:
            more = sum(given[name].minutes - assignment(name).minutes for name in hand_in)
            words = one.words + DERIVE * bool(more)
            yield one._replace(works_on=works_on, hand_in=hand_in, words=words,
                               hours=one.hours + ceil(more / 30) / 2)


def _week(number, week, given):
    """A week as a heading and a table."""
    rows = ["| when | hours | lessons | assignment | what is done | handed in |",
            "|---|---|---|---|---|---|"]
    for one in week.sessions:
        works_on = [given[name] for name in one.works_on]
        rows.append(f"| {one.name} | {one.hours:g} | {_listed(one.lessons, _lesson)} | "
                    f"{_listed(works_on, _assignment)} | {one.words} | "
                    f"{_listed(one.hand_in, _file)} |")
    return f"## Week {number}: {week.title} ({week.hours:g} hours)\n\n" + "\n".join(rows) + "\n"


def _listed(these, name):
    return "<br>".join(map(name, these))


def _lesson(number):
    """A lesson's title and minutes; its number where lessons are not installed."""
    try:
        one = lessons.lesson(number)
    except lessons.LessonError:
        return str(number)
    return f"{one.title} ({one.minutes} min)"


def _minutes(number):
    """A lesson's minutes; 0 where lessons are not installed."""
    try:
        return lessons.lesson(number).minutes
    except lessons.LessonError:
        return 0


def _assignment(one):
    return f"{one.number} {one.title}: {one.points} points ({one.minutes} min)"


def _file(name):
    return f"`{name}.py`"
