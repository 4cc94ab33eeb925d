"""A page's derivation, its module's docstring: whole, shortened, or left as a question.

Its sections are a word alone on a line, "Forward", and the indented lines below.
"""

import re

from minicnn.course.assignments import Question
from minicnn.course.handout.source import read

CHOICES = ("keep", "short", "ask")
TITLE = "Derive it: "
SECTION = re.compile(r"[A-Z][a-z]+")
LOOPS = re.compile(r" ?\n?`minicnn\.naive\.\w+` computes all of this with nested loops\.")


def derivation(page, choice, question=None):
    """The docstring of a page's module.

    Parameters
    ----------
    page : Page
    choice : {"keep", "short", "ask"}
        "short": of Forward and Backward only the first sentence and the formulas. "ask": without
        Backward.
    question : int, optional
        With "ask", the number of the question that asks for it.

    Returns
    -------
    str

    Raises
    ------
    ValueError
        An unknown choice.
    """
    check_choice(choice)
    parts = []
    for name, text in sections(LOOPS.sub("", read(page.module).docstring)):
        if choice == "ask" and name == "Backward":
            text = f"Backward\n    Yours to derive, from the formulas above: question {question}."
        elif choice == "short" and name in ("Forward", "Backward"):
            text = _short(text)
        parts.append(text)
    return "\n\n".join(parts)


def check_choice(choice):
    """Raise ValueError unless it is one of the three ways."""
    if choice not in CHOICES:
        raise ValueError(f"derivation must be one of {', '.join(CHOICES)}, got {choice!r}")


def sections(docstring):
    """(name, text) of the parts of a docstring; what stands before a section has the name ""."""
    parts = []
    for block in re.split(r"\n{2,}(?=\S)", docstring):
        first = block.partition("\n")[0]
        parts.append((first if SECTION.fullmatch(first) and "\n" in block else "", block))
    return parts


def _short(text):
    """The first sentence of a section, and its lines that are indented further."""
    title, _, body = text.partition("\n")
    paragraph = body.split("\n\n")[0]
    sentence = re.match(r".*?\.(?=\s|$)|.*", paragraph, re.DOTALL).group()
    blocks = [sentence]
    for block in body.split("\n\n"):
        formulas = [line for line in block.splitlines() if line.startswith(" " * 8)]
        if formulas and "\n".join(formulas) not in sentence:
            blocks.append("\n".join(formulas))
    return f"{title}\n" + "\n\n".join(blocks)


def with_derivations(assignment, points=5, minutes=20):
    """The assignment with a written question more for every page that derives its backward pass.

    Parameters
    ----------
    assignment : Assignment
    points, minutes : int
        Of each of these questions.

    Returns
    -------
    Assignment
        The same if it has these questions.
    """
    questions = list(assignment.questions)
    for page in asked(assignment):
        title = TITLE + _stem(page)
        if title not in [one.title for one in questions]:
            name = f"{assignment.name}-{len(questions) + 1}"
            questions.append(_question(name, title, page, points, minutes))
    return assignment._replace(questions=tuple(questions))


def asked(assignment):
    """The pages whose docstring derives a backward pass."""
    return [page for page in assignment.pages
            if "Backward" in dict(sections(read(page.module).docstring))]


def number_of(assignment, page):
    """The number of the question that asks for a page's derivation; None if there is none."""
    titles = [one.title for one in assignment.questions]
    return titles.index(TITLE + _stem(page)) + 1 if TITLE + _stem(page) in titles else None


def _stem(page):
    return page.module.rpartition(".")[2].replace("_", " ")


def _question(name, title, page, points, minutes):
    parts = dict(sections(read(page.module).docstring))
    answer = "\n".join(line.removeprefix("    ") for line in parts["Backward"].splitlines()[1:])
    text = (f"Above `{page.prefix}{page.cut[0]}` the handout has the formulas of the "
            f"{_stem(page)}'s forward pass. Derive the backward pass from them: begin with the "
            "chain rule, say what every letter counts, and end with formulas that can be "
            "programmed.")
    hints = ("Choose one number of the input. Which outputs contain it, and with which factor?",
             "The gradient at this number is the sum, over these outputs, of dy times the factor.",
             "Now write the sum for all numbers of the input at once: is it a product of matrices, "
             "or a window again?")
    return Question(name, "written", title, "", points, minutes, 0, text, hints,
                    f"{_split(points)}\n\nThe page derives it so:\n\n{answer}")


def _split(points):
    """What the points of such a question are for."""
    most = 2 * points // 5
    said = ("the chain rule, for every input: a sum over all outputs that contain a number of it.",
            "the factors are right, and the sum is carried out.",
            "formulas that can be programmed; every letter is said.")
    counts = (most, most, points - 2 * most)
    return "\n".join(f"- {count} point{'s' * (count != 1)}: {words}"
                     for count, words in zip(counts, said, strict=True))
