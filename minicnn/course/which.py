"""Which assignment, and which seed: of a student's file, of submissions, of a course."""

import re
from pathlib import Path

from minicnn.course.assignments import assignment, assignments
from minicnn.course.grader import names, plain, submissions
from minicnn.course.handout.heading import fingerprint

OTHER_COURSE = "the handout is of another course"
OTHER_PAGES = "the handout was cut from other pages"


def of_file(name, text):
    """The assignment that a file is of: by its name, else by the functions in it.

    Raises
    ------
    ValueError
        It looks like none, or like several.
    """
    words = re.sub(r"[^a-z]+", " ", Path(name).stem.lower()).split()
    for one in assignments():
        if one.name in words:
            return one
    score = {one.name: sum(f"def {wanted}(" in text for wanted in names.wanted(one))
             / len(names.wanted(one)) for one in assignments()}
    if not any(score.values()) and names.is_for_check(text):
        raise ValueError(f"{name}: {names.FOR_CHECK}")
    return assignment(_best(score, f"which assignment is {name} of?"))


def of_submissions(paths, chosen):
    """The submissions at some paths, and the assignment that most of them are of.

    Parameters
    ----------
    paths : sequence of path
    chosen : sequence of Assignment
        Those that come into question.

    Returns
    -------
    list of Submission
    Assignment

    Raises
    ------
    ValueError
        There are none, or it is not clear of which assignment.
    """
    if len(chosen) == 1:
        return submissions.find(paths, chosen[0]), chosen[0]
    found = {one.name: submissions.find(paths, one) for one in chosen}
    score = {one.name: sum(_looks_like(submission, one) for submission in found[one.name])
             for one in chosen}
    name = _best(score, "which assignment are the submissions of?")
    return found[name], next(one for one in chosen if one.name == name)


def _looks_like(submission, one):
    """How much a submission looks like one of an assignment: by its name, or by its functions."""
    if one.name in submission.name.lower():
        return 1.0
    text, wanted = submission.source or "", names.wanted(one)
    text = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return sum(f"def {name}(" in text for name in wanted) / len(wanted)


def _best(score, question):
    """The name with the highest score, if there is one."""
    best = max(score, key=score.get)
    if not score[best] or list(score.values()).count(score[best]) > 1:
        raise ValueError(f"{question} Say --assignment and one of {', '.join(score)}")
    return best


def of_another(submissions, one, folder_or_seed):
    """The same with a note to each whose handout was cut for another course, or from other pages.

    Parameters
    ----------
    submissions : list of Submission
    one : Assignment
    folder_or_seed : str
        The course, as for `of_course`.

    Returns
    -------
    list of Submission
    """
    from minicnn.course.handout.new import read, visible_seed

    if folder_or_seed.isdecimal() and not Path(folder_or_seed).exists():
        visible, pages = visible_seed(int(folder_or_seed)), fingerprint(one)
    else:
        course = read(folder_or_seed)
        visible, pages = course.visible, course.pages.get(one.name, "")
    others = {fingerprint(other) for other in assignments() if other.name != one.name}
    return [_stamped(each, visible, pages, others) for each in submissions]


def _stamped(submission, visible, pages, others):
    """The same with a note if it needs one; that it is another assignment its names tell."""
    version, theirs, seed = submission.stamp or ("", pages, visible)
    if seed != visible:
        note = f"{OTHER_COURSE}: its numbers are of seed {seed}, this course's of {visible}"
    elif theirs not in {pages, *others}:
        note = f"{OTHER_PAGES} (minicnn {plain.line(version, 20)}); what it asks for may differ"
    else:
        return submission
    return submission._replace(notes=[note, *submission.notes])


def of_course(folder_or_seed, name=None):
    """(seed, assignments) of a course.

    Parameters
    ----------
    folder_or_seed : str
        A folder that `minicnn course new` made, or a seed: then all assignments.
    name : str, optional
        The name or number of one of them.

    Raises
    ------
    ValueError
        There is no such course, or it has no such assignment.
    """
    if folder_or_seed.isdecimal() and not Path(folder_or_seed).exists():
        seed, found = int(folder_or_seed), assignments()
    else:
        from minicnn.course.handout.new import read

        course = read(folder_or_seed)
        seed, found = course.seed, course.assignments
    chosen = [one for one in found if name in (None, one.name, str(one.number))]
    if not chosen:
        raise ValueError(f"{folder_or_seed} has no assignment {name!r}; it has "
                         + ", ".join(f"{one.number} {one.name}" for one in found))
    return seed, chosen
