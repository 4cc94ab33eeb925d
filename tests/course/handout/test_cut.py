"""Every assignment as a handout and as its solution: both run alone, one without answers."""

import ast
import doctest
import importlib.util
import inspect
import json
import subprocess
import sys
import types

import numpy as np
import pytest

from minicnn.ascent import optimizers, regularizers
from minicnn.ascent.objectives import gram_matrices
from minicnn.course.assignments import Page, assignment, assignments
from minicnn.course.handout import Piece, handout, pieces, solution
from minicnn.course.handout.derivation import CHOICES
from minicnn.course.handout.source import read
from minicnn.gradcheck import page
from minicnn.ops import conv, conv_transpose, cross_entropy, dense, lrn, pool, relu, softmax
from minicnn.vis import isolate

ALL = pytest.mark.parametrize("one", assignments(), ids=lambda one: one.name)
NAMES = [one.name for one in assignments()]


def run(text, name="handed"):
    """The module that a text makes."""
    module = types.ModuleType(name)
    exec(compile(text, f"{name}.py", "exec"), module.__dict__)
    return module


def test_there_are_eight():
    assert NAMES == ["convolution", "pooling", "dense", "lrn", "checking", "ascent", "deconvnet",
                     "gram"]


def test_all_texts_run_with_numpy_alone():
    """In one process in which minicnn and what it needs besides NumPy cannot be imported."""
    texts = {f"{one.name}, {what.__name__}": what(one)
             for one in assignments() for what in (handout, solution)}
    program = ("import json, sys\n"
               "for name in ('minicnn', 'PIL', 'h5py', 'matplotlib', 'tqdm'):\n"
               "    sys.modules[name] = None\n"
               "for name, text in json.load(sys.stdin).items():\n"
               "    exec(compile(text, name, 'exec'), {'__name__': 'handed'})\n")
    done = subprocess.run([sys.executable, "-c", program], input=json.dumps(texts), text=True,
                          capture_output=True)
    assert done.returncode == 0, done.stderr


def test_ruff_finds_nothing(tmp_path):
    if importlib.util.find_spec("ruff") is None:
        pytest.skip("ruff is not installed")
    for one in assignments():
        for choice in CHOICES:
            (tmp_path / f"{one.name}_{choice}.py").write_text(handout(one, choice), "utf-8")
        (tmp_path / f"{one.name}_solution.py").write_text(solution(one), "utf-8")
    done = subprocess.run([sys.executable, "-m", "ruff", "check", "--isolated", "--no-cache",
                           "--line-length=100", "--select=E,F,I,W,B,UP,SIM", str(tmp_path)],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@ALL
def test_the_examples_of_the_solution_are_right(one):
    module = run(solution(one))
    runner = doctest.DocTestRunner(verbose=False)
    for test in doctest.DocTestFinder().find(module):
        runner.run(test)
    assert runner.failures == 0


def cut_names(one):
    """Of an assignment's functions and methods that are to be written, in the handout."""
    return [name if "." in name else one_page.prefix + name
            for one_page in one.pages for name in one_page.cut]


@ALL
def test_what_is_to_be_written_is_not_implemented(one):
    module = run(handout(one))
    for name in cut_names(one):
        top, _, method = name.partition(".")
        function = getattr(getattr(module, top), method) if method else getattr(module, top)
        parameters = inspect.signature(function).parameters.values()
        needed = [one for one in parameters if one.default is one.empty]
        with pytest.raises(NotImplementedError):
            function(*[None] * len(needed))


@ALL
def test_signatures_and_docstrings_stay(one):
    handed, solved = run(handout(one)), run(solution(one))
    for name in cut_names(one):
        ours, theirs = getattr(handed, name.split(".")[0]), getattr(solved, name.split(".")[0])
        assert inspect.signature(ours) == inspect.signature(theirs)
        assert ours.__doc__ == theirs.__doc__ and ours.__doc__


@ALL
def test_what_is_given_is_the_same_in_both(one):
    """So it works in the handout: what it uses is given, too, or to be written."""
    solved = {(piece.kind, piece.name, piece.text) for piece in pieces(one, solved=True)}
    given = {tuple(piece) for piece in pieces(one) if piece.kind == "given"}
    assert {piece for piece in given - solved if piece[1] != "imports"} == set()


def code(text):
    """The lines of code of a text, without what is between quotes, signatures and comments."""
    tree, left_out = ast.parse(text), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            left_out |= set(range(node.lineno, node.end_lineno + 1))
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            left_out |= set(range(node.lineno, node.body[0].lineno))
    return {line.strip() for number, line in enumerate(text.splitlines(), 1)
            if number not in left_out and line.strip() and line.lstrip()[0] != "#"}


@ALL
def test_no_line_of_an_answer_is_in_the_handout(one):
    given = set().union(*(code(piece.text) for piece in pieces(one) if piece.kind == "given"))
    answers = set().union(*(code(piece.text) for piece in pieces(one, solved=True)
                            if piece.kind == "solution"))
    kept = code("\n\n".join(piece.text for piece in pieces(one) if piece.kind == "solution"))
    handed = {line.strip() for line in handout(one).splitlines()}
    assert answers - kept - given and (answers - kept - given) & handed == set()


@ALL
def test_helpers_of_the_answers_alone_are_gone(one):
    shown = {piece.name for piece in pieces(one)}
    gone = {piece.name for piece in pieces(one, solved=True) if piece.kind == "solution"} - shown
    used = {node.id for node in ast.walk(ast.parse(handout(one))) if isinstance(node, ast.Name)}
    assert not gone & used


def test_which_helpers_are_gone():
    solved = {piece.name for piece in pieces(assignment("convolution"), solved=True)}
    assert {"_columns", "_read_back"} <= solved
    assert not {"_columns", "_read_back"} & {p.name for p in pieces(assignment("convolution"))}


@ALL
def test_every_part_that_is_cut_is_asked_for(one):
    asked = {question.function for question in one.questions}
    assert set(cut_names(one)) <= asked | {f"{name}.step" for name in asked}
    text = handout(one)
    for question in one.questions:
        assert f"# {question.id}, " in text or not question.function


@ALL
@pytest.mark.parametrize("choice", CHOICES)
def test_a_cut_is_the_same_each_time_and_narrow(one, choice):
    text = handout(one, choice, seed=3)
    assert text == handout(one, choice, seed=3)
    assert max(map(len, text.splitlines())) <= 100 and text.endswith("\n")
    ast.parse(text)


def test_the_parts_make_up_the_file():
    one = assignment("dense")
    text, parts = handout(one), pieces(one)
    assert all(piece.text in text for piece in parts if piece.kind != "text")
    assert [piece.name for piece in parts[:3]] == ["dense", "imports", "minicnn.ops.relu"]
    assert all(isinstance(piece, Piece) for piece in parts)
    assert {piece.kind for piece in parts} == {"text", "given", "solution"}
    written = [piece.name for piece in parts if piece.kind == "solution"]
    assert written == cut_names(one)


def test_one_definition_of_two_pages_is_there_once():
    """`Gradients` of conv and of dense are the same text."""
    pages = (*assignment("convolution").pages, assignment("dense").pages[1])
    both = assignment("convolution")._replace(pages=pages)
    for text in (handout(both), solution(both)):
        assert text.count("class Gradients(") == 1
        run(text)


def test_two_things_under_one_name():
    """Constants get their page's name; for functions without a prefix it is an error."""
    pages = [Page("minicnn.ops.relu", "relu_", ("forward",)),
             Page("minicnn.ops.lrn", "lrn_", ("backward",))]
    empty = assignment("lrn")._replace(pages=tuple(pages), questions=())
    module = run(solution(empty))
    assert module.LRN_RULES == lrn.RULES and set(module.RELU_RULES) == set(relu.RULES)
    dy, x = np.ones((1, 1, 1, 3)), np.arange(3.0).reshape(1, 1, 1, 3)
    assert (module.relu_backward(dy, module.relu_forward(x)[1], "guided") == (x > 0)).all()
    bare = tuple(one._replace(prefix="") for one in pages)
    with pytest.raises(ValueError, match="two different things .*minicnn.ops.lrn.forward"):
        handout(empty._replace(pages=bare))


def test_names_that_are_not_there():
    one = assignment("lrn")
    wrong = one.pages[0]._replace(cut=("forward", "sideways"))
    with pytest.raises(ValueError, match="minicnn.ops.lrn has no sideways"):
        handout(one._replace(pages=(wrong,)))
    question = one.questions[0]._replace(function="lrn_sideways")
    with pytest.raises(ValueError, match="lrn-1 asks for lrn_sideways"):
        handout(one._replace(questions=(question,)))
    with pytest.raises(ValueError, match="keep, short, ask"):
        handout(one, "hide")


def test_what_is_left_out_comes_only_if_it_is_needed():
    one = assignment("convolution")
    without = one._replace(pages=(one.pages[0]._replace(left_out=("matrices", "check")),))
    text = handout(without)
    assert "def conv_matrices" not in text and "def conv_check(" in text  # `describe` calls it
    assert "def conv_matrices" in solution(without)


# ---- the solutions compute what the pages compute

RNG = np.random.default_rng(16)


def draw(*shape):
    return RNG.standard_normal(shape)


def same(ours, theirs):
    """Equal numbers, in tuples of arrays, too."""
    if isinstance(ours, tuple):
        return len(ours) == len(theirs) and all(map(same, ours, theirs))
    return np.array_equal(ours, theirs)


def of_pages(module, prefix, op, *arguments, dy, **settings):
    """Forward and backward of a solution and of the page give the same."""
    y, cache = getattr(module, f"{prefix}forward")(*arguments, **settings)
    expected, own = op.forward(*arguments, **settings)
    back = getattr(module, f"{prefix}backward")
    return same(y, expected) and same(back(dy, cache), op.backward(dy, own))


def test_convolution_pooling_and_lrn():
    module, x = run(solution(assignment("convolution"))), draw(2, 6, 5, 4)
    assert of_pages(module, "conv_", conv, x, draw(3, 2, 2, 6), draw(6), dy=draw(2, 3, 3, 6),
                    stride=2, pad=1, groups=2)
    assert of_pages(run(solution(assignment("pooling"))), "pool_", pool, x, 3, 2, 1,
                    dy=draw(2, 3, 3, 4))
    assert of_pages(run(solution(assignment("lrn"))), "lrn_", lrn, x, 3, 0.5, dy=draw(*x.shape))


def test_dense_layers():
    module, x = run(solution(assignment("dense"))), draw(4, 7)
    assert of_pages(module, "relu_", relu, x, dy=draw(4, 7))
    assert of_pages(module, "dense_", dense, x, draw(7, 3), draw(3), dy=draw(4, 3))
    assert of_pages(module, "softmax_", softmax, x, dy=draw(4, 7))
    assert of_pages(module, "cross_entropy_", cross_entropy, x, np.array([0, 6, 2, 2]), dy=2.0)


def test_checking():
    module, x, dy = run(solution(assignment("checking"))), draw(3), draw(3)
    assert same(module.slope(np.sin, x, dy), page.slope(np.sin, x, dy))
    assert module.error(x, dy) == page.error(x, dy)
    double = (lambda x: (x * x, x)), (lambda dy, x: (dy * x,))
    assert module.check(*double, {"x": x}) == page.check(*double, {"x": x}) == ["x"]


def test_ascent():
    module = run(solution(assignment("ascent")))
    for name, settings in (("SGD", {"momentum": 0.9, "decay": 0.1}), ("Adam", {"normalize": "l2"})):
        ours, theirs = (getattr(where, name)(0.1, **settings) for where in (module, optimizers))
        for _ in range(2):
            value, gradient = draw(2, 4, 4, 3), draw(2, 4, 4, 3)
            assert same(ours.step(value, gradient), theirs.step(value, gradient))
    assert same(module.rms(gradient), optimizers.rms(gradient))
    for name, setting in (("decay", 0.1), ("diffuse", 0.5), ("small_norm", 30)):
        ours, theirs = (getattr(where, name)(setting) for where in (module, regularizers))
        assert same(ours(value, gradient, 0), theirs(value, gradient, 0))


def test_deconvnet():
    module, x = run(solution(assignment("deconvnet"))), draw(1, 4, 5, 3)
    assert module.strongest_position(x, "a", 1) == isolate.strongest_position(x, "a", 1)
    assert same(module.isolate(x, "a", 1, "all"), isolate.isolate(x, "a", 1, "all"))
    y, cache = pool.forward(x, 2)
    assert same(module.pool_unpool(y, *cache), pool.unpool(y, *cache))
    w, b = draw(3, 3, 2, 3), draw(2)
    assert same(module.conv_transpose_forward(x, w, b, 2)[0],
                conv_transpose.forward(x, w, b, 2)[0])


def test_gram():
    module, a, target = run(solution(assignment("gram"))), draw(2, 3, 4, 5), draw(5, 5)
    assert np.allclose(module.gram_matrix(a), gram_matrices.gram_matrix(a), rtol=1e-14)
    value, gradient = module.gram_loss(a, target)
    expected = gram_matrices.gram_loss(a, target)
    assert np.allclose(value, expected[0]) and np.allclose(gradient, expected[1])


def test_the_derivation_is_in_the_file():
    one = assignment("convolution")
    for part in read("minicnn.ops.conv").docstring.split("\n\n"):
        assert part.partition("\n`minicnn.naive")[0] in handout(one).replace("`conv_backward`",
                                                                             "`backward`")
