"""Every question notices its mistakes and says what they are; nothing earns what is not there."""

import contextlib
import io
import re
import sys
from types import ModuleType

import numpy as np
import pytest

from minicnn.course.assignments import assignments, planted
from minicnn.course.grader.grade import Asked, grade
from minicnn.course.handout.cut import handout, solution

# Most are graded here without the wall (`graded`), which takes milliseconds.
PAIRS = [(one, mistake) for one in assignments() for mistake in planted.mistakes(one.name)]
NAMES = [f"{one.name}: {mistake.words}" for one, mistake in PAIRS]
KINDS = ("op", "call")  # of questions that name a cause
QUICK = [one for one in assignments() if one.name in ("lrn", "gram")]
UNKNOWN = "no usual mistake explains the numbers"


def automatic(one):
    return [question for question in one.questions if question.kind != "written"]


# ---- the handout, the solution, lazy answers

def no_network(one):
    return [question.id for question in one.questions if question.kind != "network"]


@pytest.mark.parametrize("chosen", [no_network, pytest.param(lambda one: None, marks=pytest.mark.
                                                             thorough)], ids=["quick", "all"])
@pytest.mark.parametrize("one", assignments(), ids=lambda one: one.name)
def test_the_handout_earns_nothing(one, chosen, graded):
    for outcome in graded(handout(one), one, questions=chosen(one)).outcomes:
        assert outcome.points == 0
        assert outcome.status in ("not written", "by hand"), (outcome.question.id, outcome.words)


@pytest.mark.parametrize("chosen", [no_network, pytest.param(lambda one: None, marks=pytest.mark.
                                                             thorough)], ids=["quick", "all"])
@pytest.mark.parametrize("one", assignments(), ids=lambda one: one.name)
def test_the_solution_earns_all(one, chosen, graded):
    result = graded(solution(one), one, questions=chosen(one))
    assert result.points == result.most, [one.words for one in result.outcomes]
    assert {one.status for one in result.outcomes} == {"right", "by hand"}


@pytest.mark.parametrize("seed", [
    pytest.param(seed, marks=pytest.mark.thorough if seed < 3 else pytest.mark.slow)
    for seed in range(20)])
@pytest.mark.parametrize("one", assignments(), ids=lambda one: one.name)
def test_the_solution_earns_all_at_other_seeds(one, seed, graded):
    chosen = no_network(one)
    result = graded(solution(one), one, seed, questions=chosen)
    assert result.points == result.most, [(one.question.id, one.words) for one in result.outcomes]


LAZY = {
    "None": "None", "zero": "0", "a word": "'right'", "nothing": "np.zeros(0)",
    "True": "True", "itself": "args[0] if args else 0", "no": "()", "a dict": "{}",
    "zeros": "np.zeros_like(args[0])", "ones": "np.ones_like(args[0])", "a list": "[1, 2, 3]",
    "three": "args[:1] * 3", "random": "np.random.standard_normal(np.shape(args[0]))",
    "a pair": "(args[0], None)", "NaN": "np.full(np.shape(args[0]), np.nan)",
    "objects": "np.array([None, 'x'], dtype=object)", "names": "[*args[2]]",
    "float": "np.float32(1)", "complex": "args[0] * 1j", "endless": "np.array(np.inf)",
}


def lazy(one, answer):
    """The handout with every cut function returning the same."""
    body = f"\n\n\ndef _lazy(*args, **kwargs):\n    return {LAZY[answer]}\n\n"
    text = handout(one)
    for question in automatic(one):
        methods = [cut.partition(".")[2] for page in one.pages for cut in page.cut
                   if cut.startswith(f"{question.function}.")]
        body += "".join(f"{question.function}.{name} = lambda self, *args, **kwargs: "
                        f"_lazy(*args, **kwargs)\n" for name in methods)
        body += "" if methods else f"{question.function} = _lazy\n"
    return text + body


@pytest.mark.parametrize("answer", ["None", "zeros", "itself", "random", "a word"])
@pytest.mark.parametrize("one", assignments(), ids=lambda one: one.name)
def test_lazy_answers_earn_nothing(one, answer, graded):
    chosen = no_network(one)
    for outcome in graded(lazy(one, answer), one, questions=chosen, explain=False).outcomes:
        assert outcome.points == 0, (outcome.question.id, outcome.checks)


@pytest.mark.parametrize("answer", [
    pytest.param(answer, marks=pytest.mark.slow if index % 4 else pytest.mark.thorough)
    for index, answer in enumerate(LAZY)])
@pytest.mark.parametrize("one", assignments(), ids=lambda one: one.name)
def test_lazy_answers_earn_nothing_in_a_network_and_can_be_explained(one, answer, graded):
    for outcome in graded(lazy(one, answer), one).outcomes:
        assert outcome.points == 0, (outcome.question.id, outcome.checks)


# ---- planted mistakes

def lost(result):
    return {outcome.question.id for outcome in result.outcomes
            if outcome.points < outcome.question.points and outcome.status != "by hand"}


def explained(outcome, one, mistake):
    """Whether an outcome names the mistake, or one that answers alike in this question."""
    same = {other.words: other.cause for other in planted.mistakes(one.name)
            if outcome.question.id in (*other.questions, *other.sometimes)}
    return outcome.cause == mistake.words or same.get(outcome.cause) == outcome.key == mistake.cause


def judged(one, mistake, graded, seed=5, **options):
    """Grade a mistake; it must lose marks at the questions it names, at no other, and be named."""
    result = graded(mistake.source, one, seed, **options)
    graded_here = {outcome.question.id for outcome in result.outcomes}
    named, sometimes = ({*ids} & graded_here for ids in (mistake.questions, mistake.sometimes))
    assert named <= lost(result) <= named | sometimes
    for outcome in result.outcomes:
        if outcome.question.id in mistake.questions and outcome.question.kind in KINDS:
            assert explained(outcome, one, mistake), (outcome.question.id, outcome.cause)
            ran(outcome, one, mistake)


def ran(outcome, one, mistake):
    """Run the lines that show a mistake: they raise, or print what the comment does not say."""
    assert outcome.smallest, outcome.question.id
    module, before = ModuleType(one.name), sys.modules.get(one.name)
    exec(mistake.source, vars(module))
    sys.modules[one.name] = module
    with contextlib.redirect_stdout(io.StringIO()) as printed, np.errstate(all="ignore"):
        try:
            exec(outcome.smallest, {})
        except Exception as error:
            assert "raises" in "".join(check.words for check in outcome.checks), error
            return
        finally:
            sys.modules.pop(one.name) if before is None else sys.modules.update({one.name: before})
    said, shown = outcome.smallest.rpartition("# expected ")[2], printed.getvalue()
    said, shown = (words(text, "precision" in outcome.smallest) for text in (said, shown))
    assert said != shown


NUMBER = r"-?\d+\.?\d*(?:e[+-]?\d+)?"


def words(text, exact):
    """What is printed, with numbers as they are in a comment, of four digits, or exact."""
    def told(found):
        number = float(found[0])
        return f" {number if exact else format(np.round(number, 4) + 0.0, '.4g')} "

    return re.findall(r"[^\s,]+|[\[\]]", re.sub(NUMBER, told, text))


@pytest.mark.parametrize("one, mistake", [pair for pair in PAIRS if pair[0] in QUICK],
                         ids=[n for n, pair in zip(NAMES, PAIRS, strict=True) if pair[0] in QUICK])
def test_mistakes_cost_their_questions(one, mistake, graded):
    chosen = no_network(one)
    result = graded(mistake.source, one, questions=chosen, explain=False)
    assert {*mistake.questions} & {*chosen} <= lost(result)
    assert lost(result) <= {*mistake.questions, *mistake.sometimes}


@pytest.mark.parametrize("seed", (pytest.param(5, marks=pytest.mark.thorough),
                                  pytest.param(6, marks=pytest.mark.slow)))
@pytest.mark.parametrize("one, mistake", PAIRS, ids=NAMES)
def test_mistakes_cost_their_questions_and_are_named(one, mistake, seed, graded):
    judged(one, mistake, graded, seed)


@pytest.mark.slow
@pytest.mark.parametrize("one, mistake", PAIRS, ids=NAMES)
def test_a_mistake_that_is_not_known_gets_no_untrue_cause(one, mistake, graded, monkeypatch):
    known = Asked.mistakes
    monkeypatch.setattr(Asked, "mistakes", lambda asked, question: [
        other for other in known(asked, question) if other.words != mistake.words])
    chosen = [question.id for question in automatic(one)
              if question.id in mistake.questions and question.kind in KINDS]
    for outcome in graded(mistake.source, one, questions=chosen).outcomes:
        assert outcome.key in ("", mistake.cause, *mistake.also) or outcome.cause == UNKNOWN, (
            outcome.question.id, outcome.key, outcome.cause)


# ---- ladders

def test_who_knows_one_channel_earns_the_first_rungs(graded):
    one = assignments()[0]
    knows = solution(one).replace(
        "y = _columns(cache) @ conv_matrices(cache)",
        "if x.shape[3] > 1 or w.shape[3] > 1 or len(x) > 1 or cache.dilation != (1, 1):\n"
        "        raise NotImplementedError\n"
        "    y = _columns(cache) @ conv_matrices(cache)")
    points = [outcome.points for outcome in graded(knows, one).outcomes]
    assert points == [10, 10, 0, 0, 15, 15, 5, 0, 0]


def test_who_knows_no_stride_and_padding_earns_the_first_rung(graded):
    one = assignments()[0]
    knows = solution(one).replace(
        "y = _columns(cache) @ conv_matrices(cache)",
        "if cache.stride != (1, 1) or cache.pad != (0, 0):\n        raise NotImplementedError\n"
        "    y = _columns(cache) @ conv_matrices(cache)")
    first, second, *_ = graded(knows, one, questions=["convolution-1", "convolution-2"]).outcomes
    assert (first.points, second.points) == (10, 0)


def test_who_has_dx_alone_earns_dx(graded):
    one = assignments()[0]
    knows = solution(one).replace("    if \"w\" in need:", "    if \"x\" not in need:\n        "
                                  "raise NotImplementedError\n    if \"w\" in need:")
    points = [outcome.points for outcome in graded(knows, one).outcomes]
    assert points == [10, 10, 10, 10, 15, 0, 0, 0, 15]


def test_who_has_no_momentum_earns_the_step(graded):
    one = assignments()[5]
    knows = solution(one).replace("        if self.momentum:\n", "        if self.momentum:\n"
                                  "            raise NotImplementedError\n")
    points = [outcome.points for outcome in graded(knows, one).outcomes]
    assert points == [5, 5, 10, 0, 20, 5, 10, 10, 0, 0]


def test_who_unpools_only_side_by_side_earns_that(graded):
    one = assignments()[1]
    knows = solution(one).replace("    pool_check_switches(values, switches)\n", (
        "    pool_check_switches(values, switches)\n    if tuple(window) != tuple(stride):\n"
        "        raise NotImplementedError\n"), 1)
    points = {outcome.question.id: outcome.points for outcome in graded(knows, one).outcomes}
    assert (points["pooling-6"], points["pooling-7"]) == (15, 0)


# ---- through the wall

@pytest.mark.thorough
@pytest.mark.parametrize("one, mistake", PAIRS[::40], ids=NAMES[::40])
def test_the_wall_changes_nothing(one, mistake, graded, monkeypatch):
    chosen = [name for name in mistake.questions if one.question(name).kind != "network"]
    here = graded(mistake.source, one, questions=chosen)
    monkeypatch.undo()
    walled = grade(mistake.source, one, 5, questions=chosen)
    assert walled.layers
    for inside, outside in zip(here.outcomes, walled.outcomes, strict=True):
        assert (inside.points, inside.words, inside.cause, inside.smallest) == (
            outside.points, outside.words, outside.cause, outside.smallest)
