"""The timetable names real lessons and every assignment, in an order that can be kept."""

from minicnn.course.assignments import assignment, assignments
from minicnn.course.assignments.timetable import timetable, weeks
from minicnn.course.handout import with_derivations
from minicnn.course.lessons import lesson, lessons

SESSIONS = [session for week in weeks() for session in week.sessions]


def test_four_weeks_with_two_assignments_each():
    assert [sum(len(one.hand_in) for one in week.sessions) for week in weeks()] == [2, 2, 2, 2]
    handed_in = [name for one in SESSIONS for name in one.hand_in]
    assert handed_in == [one.name for one in assignments()]


def test_its_lessons_are_there_and_each_has_its_time():
    given = [number for one in SESSIONS for number in one.lessons]
    assert sorted(given) == [one.number for one in lessons()]


def test_lessons_come_before_their_assignment_and_work_before_handing_in():
    given, worked = set(), set()
    for session in SESSIONS:
        given |= {*session.lessons}
        for name in session.works_on:
            assert {*assignment(name).lessons} <= given, name
        worked |= {*session.works_on}
        assert {*session.hand_in} <= worked


def test_its_hours_suffice():
    for week in weeks():
        minutes = sum(lesson(number).minutes for one in week.sessions for number in one.lessons)
        minutes += sum(assignment(name).minutes for one in week.sessions for name in one.hand_in)
        assert minutes <= 60 * week.hours <= minutes + 240
        assert week.hours <= 10


def test_as_markdown():
    text = timetable()
    assert text.startswith("# A course of 4 weeks\n\n8 assignments; 34 hours")
    assert text.count("\n## Week ") == 4
    assert "04 · Pooling, switches, unpooling (20 min)" in text and "`gram.py`" in text
    assert {line.count("|") for line in text.splitlines() if line.startswith("|")} == {7}


def test_of_some_assignments():
    text = timetable([assignment("lrn")])
    assert text.startswith("# A course of 1 week\n\n1 assignment; 4.5 hours")
    assert "`lrn.py`" in text and "convolution.py" not in text
    week, _, extra = text.partition("Lessons that stand in none of these weeks")
    for number in range(1, 16):
        assert (f"{number:02} · " in week) == (number in (5, 6, 7, 8))
        assert (f"{number:02} · " in extra) == (number not in (5, 6, 7, 8))


def test_derivations_get_their_time():
    text = timetable([with_derivations(assignment("dense"))])
    assert "115 points (245 min)" in text and "| at home | 2.5 |" in text
    assert "Then what is still to be derived." in text


def test_a_lesson_that_is_not_installed_has_a_number(monkeypatch):
    monkeypatch.setattr("minicnn.course.lessons._places", list)
    assert "| Monday, class | 1.5 | 1<br>2<br>3 |" in timetable()
