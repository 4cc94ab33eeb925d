"""Which submissions look alike."""

from itertools import permutations

import pytest
from conv_solutions import COPIED, LOOPS, MATRIX, WINDOWS

from minicnn.course.grader.similarity import HIGH, VERY_HIGH, compare, limit
from minicnn.course.grader.submissions import Submission
from minicnn.course.handout.asserts import HELPERS


def submitted(**sources):
    return [Submission(name, f"{name}.py", source, []) for name, source in sources.items()]


def test_a_disguised_copy_is_at_the_top_and_alone():
    found = compare(submitted(ada=LOOPS, ben=WINDOWS, cleo=MATRIX, dan=COPIED, eve=None, flo="f(:"))
    (pair,) = found.pairs
    assert (pair.first.student, pair.second.student) == ("ada", "dan") and pair.share > 0.9
    assert found.shares[1] < 0.15 and found.short == ["flo"] and len(found.shares) == 6
    first, second = (one.splitlines() for one in (LOOPS, COPIED))
    assert len(pair.lines[0]) > 35 and all(first[line - 1].strip() for line in pair.lines[0])
    assert 'print("working")' not in [second[line - 1].strip() for line in pair.lines[1]]


def test_a_copy_with_words_changed_in_one_function_stands_out():
    near = LOOPS.partition("def conv_backward")[0] + "".join(
        MATRIX.partition("def conv_backward")[1:])
    found = compare(submitted(ada=LOOPS, ben=near, cleo=WINDOWS))
    (pair,) = found.pairs
    assert pair.same == ("conv_forward",) and pair.share < VERY_HIGH


def test_a_ring_of_copies_hides_no_near_copy():
    near = COPIED.replace("return", "result = 1\n    return", 1)
    ring = {f"ring{n}": LOOPS for n in range(5)}
    found = compare(submitted(**ring, near=near, win=WINDOWS, mat=MATRIX))
    students = {one.student for pair in found.pairs for one in pair[:2]}
    assert students == {*ring, "near"} and len(found.pairs) == 15


def test_independent_right_solutions_accuse_nobody():
    found = compare(submitted(ada=LOOPS, ben=WINDOWS, cleo=MATRIX))
    assert found.pairs == [] and max(found.shares) < 0.15


def test_lines_added_to_a_copy_do_not_hide_it():
    found = compare(submitted(ada=WINDOWS, ben=COPIED + MATRIX.replace("conv_", "old_"), dan=LOOPS))
    assert {one.student for one in found.pairs[0][:2]} == {"ben", "dan"}


def test_short_functions_accuse_nobody():
    relu = "import numpy as np\ndef relu_forward(x):\n    return np.maximum(x, 0), x\n"
    found = compare(submitted(ada=relu, ben=relu, cleo=relu))
    assert found.pairs == [] and found.short == ["ada", "ben", "cleo"]


def test_what_all_write_weighs_little():
    """Ten students follow the same lecture for the way there, and each finds an own way back."""
    there = LOOPS.partition("def conv_backward")[0]
    orders = list(permutations(("i", "j", "n", "p")))[:10]
    own = ["def conv_backward(dy, cache):\n" + "".join(
        f"    {name} = cache.{name}.reshape({k}, {n}) @ dy[{n}:, {k}].sum(axis={k}) - {n * k}\n"
        f"    cache.w[{k}, {n}] = np.dot({name}, {name}.T * {k}) + np.pad({name}, {n})\n"
        for k, name in enumerate(order)) for n, order in enumerate(orders)]
    found = compare(submitted(**{f"s{n}": there + text for n, text in enumerate(own)}))
    assert found.pairs == [] and max(found.shares) < HIGH


def test_the_handout_and_idioms_do_not_count_and_the_solution_is_recognised():
    found = compare(submitted(ada=WINDOWS, ben=LOOPS), handout=WINDOWS)
    assert found.short == ["ada"]
    found = compare(submitted(ada=HELPERS, ben=LOOPS))
    assert found.short == ["ada"]
    found = compare(submitted(ada=COPIED, ben=WINDOWS), solution=LOOPS)
    assert [name for name, _ in found.solution] == ["ada"] and found.pairs == []


@pytest.mark.parametrize("shares, students, least", [
    ([0.9], 2, VERY_HIGH), ([0.05] * 10, 5, HIGH), ([0.3] * 9 + [0.9], 5, 0.48),
    ([0.8] * 9 + [0.99], 5, 0.95)])
def test_what_stands_out_depends_on_the_class(shares, students, least):
    assert limit(shares, students) == pytest.approx(least)


def test_nobody_and_one():
    assert compare([]).pairs == [] and compare(submitted(ada=LOOPS)).pairs == []
