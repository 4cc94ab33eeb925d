"""What a submission has earned."""

from minicnn.course.assignments import assignment
from minicnn.course.grader.outcome import BY_HAND, RIGHT, WRONG, Outcome, Result


def test_written_questions_count_neither_way():
    one = assignment("gram")
    outcomes = [Outcome(question, 0.0, BY_HAND) if question.kind == "written" else
                Outcome(question, question.points * (index == 0), RIGHT if index == 0 else WRONG)
                for index, question in enumerate(one.questions)]
    result = Result("a", one, outcomes)
    assert result.points == one.questions[0].points
    assert result.most == 100 - sum(q.points for q in one.questions if q.kind == "written")
