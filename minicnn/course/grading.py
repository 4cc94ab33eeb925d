"""Grading many submissions, several at once, each in its own processes.

    for result in grade_all(submissions, assignment, seed):
        print(result.student, result.points)
"""

import multiprocessing
import os
import signal
import traceback
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool

from minicnn import backend
from minicnn.course.grader.grade import grade
from minicnn.course.grader.outcome import BY_HAND, NO_ANSWER, Outcome, Result
from minicnn.fast.processes import end_with_parent
from minicnn.gradcheck.apart.walled import Walled, WallError

JOBS = 2
LOST = "the grader's own process has ended while it was graded: grade it again by itself"


def check_wall():
    """Raise WallError if this system cannot keep a submission apart."""
    Walled("", "nothing.py").close()


def graded(submission, assignment, seed, **options):
    """The Result of a Submission; of one without a file that counts, no points and why.

    Parameters
    ----------
    submission : Submission
    assignment : Assignment
    seed : int
    **options
        As for `minicnn.course.grader.grade.grade`.

    Returns
    -------
    Result
    """
    if submission.source is None:
        return nothing(submission, assignment, "there is no file that could be graded")
    result = grade(submission.source, assignment, seed, submission.student,
                   notes=submission.notes, file=submission.name, **options)
    return _with(submission, result)


def _with(submission, result):
    """The Result with what is known of its student."""
    return result._replace(file=submission.name, id=submission.id, answers=submission.answers)


def nothing(submission, assignment, why):
    """A Result without points."""
    outcomes = [Outcome(one, 0.0, BY_HAND if one.kind == "written" else NO_ANSWER, why)
                for one in assignment.questions]
    return _with(submission, Result(submission.student, assignment, outcomes,
                                    [*submission.notes, why]))


def grade_all(submissions, assignment, seed, jobs=JOBS, **options):
    """Grade submissions, several at a time.

    Parameters
    ----------
    submissions : list of Submission
    assignment : Assignment
    seed : int
    jobs : int
        How many at once; 1 stays in this process.
    **options
        As for `minicnn.course.grader.grade.grade`.

    Yields
    ------
    Result
        In the order in which they are ready. An error of the grader itself costs one submission
        alone: a note says so.
    """
    given = [(one, assignment, seed, options) for one in submissions]
    if jobs == 1 or len(given) < 2:
        yield from map(safely, given)
        return
    there, left = {*multiprocessing.active_children()}, list(reversed(given))
    try:
        while left:
            yield from _pooled(left, jobs)
    finally:  # after Ctrl-C nobody waits for what is being graded
        for process in {*multiprocessing.active_children()} - there:
            process.terminate()


def _pooled(left, jobs):
    """Results of what is taken from the end of `left`, until that is empty or a process is lost."""
    context = multiprocessing.get_context("spawn")
    pool, running = ProcessPoolExecutor(jobs, context, _prepare), {}
    try:
        while left or running:
            while left and len(running) < jobs:
                one = left.pop()
                running[pool.submit(safely, one)] = one
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                yield future.result()
                del running[future]
    except BrokenProcessPool:
        for submission, assignment, *_ in running.values():
            yield nothing(submission, assignment, LOST)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _prepare():
    """In each process of the pool: Ctrl-C is for the first one, and it has one core."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent()
    backend.threads(1)


def safely(given):
    """The Result of (submission, assignment, seed, options), whatever happens."""
    submission, assignment, seed, options = given
    try:
        return graded(submission, assignment, seed, **options)
    except WallError:  # which holds for all
        raise
    except Exception as error:  # one submission must not stop the others
        where = traceback.extract_tb(error.__traceback__)[-1]
        why = (f"the grader failed, which is its own mistake: {type(error).__name__} in "
               f"{os.path.basename(where.filename)}, line {where.lineno}: {error}")
        return nothing(submission, assignment, why)
