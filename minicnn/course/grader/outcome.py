"""What grading finds out: the Outcome of a question, and the Result of a submission."""

from typing import Any, NamedTuple

RIGHT, PARTLY, WRONG = "right", "partly", "wrong"
NOT_WRITTEN, MISSING, NO_ANSWER, BY_HAND = "not written", "missing", "no answer", "by hand"
MARKED = "marked"  # by a person, who has read it
STATUSES = (RIGHT, PARTLY, WRONG, NOT_WRITTEN, MISSING, NO_ANSWER, BY_HAND, MARKED)


class Check(NamedTuple):
    """One setting of a question: whether the answer is right, and what was found there."""

    name: str
    right: bool
    words: str = ""


class Outcome(NamedTuple):
    """What a question has earned, and why.

    Attributes
    ----------
    question : Question
    points : float
        Earned, 0 .. question.points: in proportion to the settings that are right.
    status : one of STATUSES
    words : str
        The first thing that is wrong, on one line; or what it made.
    checks : list of Check
    cause : str
        What the mistake probably is, or "".
    shown : Answer or None
        What was computed at the smallest input, for a step figure
        (`minicnn.report.stepfigures.of_op`).
    key : str
        Its cause among `minicnn.gradcheck.mistakes.CAUSES`, or "".
    smallest : str
        Lines of Python that show the mistake at the smallest input found, or "".
    theirs, expected : array or None
        For a picture of the difference: the answer at the first wrong setting, and the right one.
    picture : array (H, W, 3) of uint8, or None
        What a network question has made.
    seconds : float
    """

    question: Any
    points: float
    status: str
    words: str = ""
    checks: list = ()
    cause: str = ""
    smallest: str = ""
    theirs: Any = None
    expected: Any = None
    picture: Any = None
    seconds: float = 0.0
    key: str = ""
    shown: Any = None


class Result(NamedTuple):
    """A graded submission.

    Attributes
    ----------
    student : str
        From the name of the file or folder.
    assignment : Assignment
    outcomes : list of Outcome
        In the order of the questions.
    notes : list of str
        What the teacher and the student should know: functions missing, renamed or defined twice,
        cells left out, an unreadable file.
    layers : tuple of str
        The layers of the wall that were in force.
    file : str
        The student's file, "convolution.py".
    id : str
        What the learning platform knows the student by, or "".
    answers : dict
        A written question's id -> the student's text.
    """

    student: str
    assignment: Any
    outcomes: list
    notes: list = ()
    layers: tuple = ()
    file: str = ""
    id: str = ""
    answers: dict = {}

    @property
    def points(self):
        """Points earned, without the questions that are graded by hand."""
        return sum(one.points for one in self.outcomes)

    @property
    def most(self):
        """Points to be earned, without the questions that are graded by hand."""
        return sum(one.question.points for one in self.outcomes if one.status != BY_HAND)
