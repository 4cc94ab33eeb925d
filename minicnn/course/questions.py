"""`ask`: predict, then run.

    ask("What shape has y?", conv.forward(x, w, stride=2, pad=1)[0].shape,
        wrong={(1, 3, 3, 1): "You counted the padding on one side only."},
        hints=("Count how often the window fits.", "(H + 2P - K) // S + 1",
               "(5 + 2 * _ - 3) // _ + 1"))

The answer is computed by the lesson, never typed. Whoever steps through a lesson is asked before
the next cell shows it, and may give a number as a product; in a script and in a notebook the
question and its answer are printed.
"""

import ast
import numbers
import operator
import re
import sys
from html import escape
from typing import Any, NamedTuple

import numpy as np

CLOSE = 0.01  # a number may be off by one in a hundred: it was predicted by hand
NUMBER = re.compile(r"-?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?")
THOUSANDS = re.compile(r"(?<=\d),(?=\d{3})")
MORE = re.compile(r"[*/^%]|\d *(?:[kKMG](?!\w)|thousand|million|billion)")  # than a number
LONGEST = 80  # characters of a product
SIGNS = {ast.Mult: operator.mul, ast.Add: operator.add, ast.Sub: operator.sub,
         ast.USub: operator.neg, ast.UAdd: operator.pos}


class Question(NamedTuple):
    """A question and what is known of its answer.

    Attributes
    ----------
    text : str
    answer : tuple of int, number, or str (one of the choices)
    wrong : dict
        {wrong answer: a sentence on the idea behind it}.
    hints : tuple of str
        Where to look; the formula; the line with blanks.
    choices : tuple of str
        The sentences to choose from; empty for a shape or a number.
    """

    text: str
    answer: Any
    wrong: dict
    hints: tuple
    choices: tuple

    def read(self, said):
        """What was typed as an answer; ValueError with a sentence if it is none."""
        said = said.strip()
        if self.choices:
            return self._choice(said)
        plain = said.replace("\N{MINUS SIGN}", "-").replace("\N{MULTIPLICATION SIGN}", "*")
        if isinstance(self.answer, tuple):
            found = [float(one) for one in NUMBER.findall(plain)]
            if found:
                return tuple(int(one) if one.is_integer() else one for one in found)
            kind = "a shape" if "shape" in self.text.lower() else "numbers in a row"
            raise ValueError(f"expected {kind} such as (1, 3, 3, 2), got {said!r}")
        return self._number(THOUSANDS.sub("", plain), said)

    def _number(self, plain, said):
        if len(plain) <= LONGEST and re.fullmatch(r"[\d.*+() -]+", plain):
            try:
                return calculated(ast.parse(plain, mode="eval").body)
            except (SyntaxError, ValueError):
                pass
        found = NUMBER.findall(plain)
        if len(found) == 1 and not MORE.search(plain):
            return float(found[0])
        raise ValueError(f"expected a number, or a product such as 3*3*64, got {said!r}")

    def _choice(self, said):
        letters = {chr(97 + k): one for k, one in enumerate(self.choices)}
        if said.lower().strip("().") in letters:
            return letters[said.lower().strip("().")]
        if said in self.choices:
            return said
        raise ValueError(f"expected one of the letters {', '.join(letters)}, got {said!r}")

    def judge(self, value):
        """(whether it is right, a sentence on it)."""
        if same(value, self.answer):
            return True, f"Right: {shown(self.answer)}."
        whole = isinstance(self.answer, numbers.Integral)
        for one, sentence in self.wrong.items():
            if same(value, one) and (not whole or abs(value - one) < CLOSE):
                return False, sentence
        return False, f"Not {shown(value, digits=15)}."


def calculated(node):
    """The value of a sum or product of numbers, as ast has parsed it; ValueError for all else."""
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        return node.value
    sign = SIGNS.get(type(getattr(node, "op", None)))
    if sign and isinstance(node, ast.BinOp):
        return sign(calculated(node.left), calculated(node.right))
    if sign and isinstance(node, ast.UnaryOp):
        return sign(calculated(node.operand))
    raise ValueError("neither a number nor a sum nor a product")


def same(one, other):
    """Whether two answers agree; numbers that are not whole need to be close only."""
    if isinstance(other, numbers.Integral):
        return one == other
    if isinstance(one, numbers.Real) and isinstance(other, numbers.Real):
        return abs(one - other) <= CLOSE * max(abs(one), abs(other))
    return one == other


def shown(answer, digits=4):
    """An answer as it is printed: a whole number with commas, any other with some digits."""
    if isinstance(answer, (str, tuple, bool)):
        return str(answer)
    return f"{answer:,.0f}" if answer == answer // 1 else f"{answer:.{digits}g}"


def ask(text, answer, *, wrong=None, hints=(), choices=()):
    """Ask a question about what the next cell will show.

    Parameters
    ----------
    text : str
    answer : tuple of int, number, or str
        Computed by the lesson; a str is one of the `choices`.
    wrong : dict, optional
        {a wrong answer: a sentence on the idea behind it}. Of computed ones some may happen to be
        right, with another network, say: these are left out.
    hints : sequence of three str
        Where to look; the formula; the line with blanks.
    choices : sequence of str, optional
        Sentences to choose from.

    Raises
    ------
    ValueError
        All wrong answers are right, a wrong choice is, or the answer is no choice: a fault of the
        lesson.
    """
    if isinstance(answer, (np.number, np.ndarray)):
        answer = answer.item()
    answer = tuple(int(n) for n in answer) if isinstance(answer, (tuple, list)) else answer
    kept = {one: words for one, words in (wrong or {}).items() if not same(one, answer)}
    question = Question(text, answer, kept, tuple(hints), tuple(choices))
    if choices and (answer not in choices or not set(question.wrong) <= set(choices)):
        raise ValueError(f"ask: the answer {answer!r} and the wrong ones must be among the choices")
    if wrong and (not kept or choices and len(kept) < len(wrong)):
        raise ValueError(f"ask: the right answer {answer!r} is among the wrong ones")
    if len(question.hints) != 3:
        raise ValueError("ask: give three hints: where to look, the formula, the line with blanks")
    ASKED[-1](question)


def printed(question):
    """Print a question with its answer, where nobody can be asked; in a notebook hints and answer
    are folded away."""
    display = notebook_display()
    if display:
        display({"text/html": folded(question), "text/plain": question.text}, raw=True)
        return
    print(f"Predict: {question.text}")
    for k, choice in enumerate(question.choices):
        print(f"  ({chr(97 + k)}) {choice}")
    print(f"Answer: {shown(question.answer)}")


def notebook_display():
    """IPython's function that displays, in a notebook; None elsewhere."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    return sys.modules["IPython"].display.display if hasattr(shell, "kernel") else None


def folded(question):
    """A question as HTML, with hints and answer folded away."""
    wrong = "".join(f"<li>{escape(shown(one, digits=6))}: {escape(sentence)}</li>"
                    for one, sentence in question.wrong.items())
    told = {f"Hint {k}": escape(hint) for k, hint in enumerate(question.hints, 1)}
    told["Answer"] = f"{escape(shown(question.answer))}<ul>{wrong}</ul>"
    choices = "".join(f"<li>{escape(choice)}</li>" for choice in question.choices)
    return f"<p><b>Predict:</b> {escape(question.text)}</p>" + (
        f'<ol type="a">{choices}</ol>' if choices else "") + "".join(
        f"<details><summary>{name}</summary>{words}</details>" for name, words in told.items())


ASKED = [printed]  # the last one is called with each Question; stepping puts its own on top
