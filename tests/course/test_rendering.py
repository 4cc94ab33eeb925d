"""Text and code of a lesson for a terminal."""

import re

import pytest

from minicnn.course import lessons, rendering

MARKDOWN = """\
# A heading
Running text with **bold words**, `x**2` and a
formula, $alpha * x^2$; see [the page](ops/conv.py).

- one item, long enough to be filled over two lines
- two

| a | long |
|---|:---:|
| 1 | `x` |

    y[c] = sum_{i}  x[i] * w[i]
Minutes: 15
"""
PLAIN = """\
A heading

Running text with bold words, `x**2`
and a formula, α · x²; see the page
(ops/conv.py).

- one item, long enough to be filled
  over two lines
- two

a  long
1  `x`

    y[c] = Σ_{i}  x[i] · w[i]

Minutes: 15"""


def bare(text):
    return re.sub(r"\033\[[\d;]*m", "", text)


def test_text():
    assert rendering.text(MARKDOWN, 36) == PLAIN
    assert "alpha * x^2" in rendering.text(MARKDOWN, 36, signs=False)


def test_styled_text():
    shown = rendering.text(MARKDOWN, 36, rendering.styled)
    for part in ("\033[1;4mA heading\033[0m", "\033[1mbold\033[0m \033[1mwords\033[0m",
                 "\033[36mx**2\033[0m", "\033[1ma  long\033[0m", "\033[2mMinutes: 15\033[0m"):
        assert part in shown
    assert bare(shown) == PLAIN.replace("`", "")


def test_powers_are_no_bold_type():
    assert rendering.inline("2**3 is 8 and 3**2 is 9") == "2**3 is 8 and 3**2 is 9"


CODE = '''\
def f(x):  # a comment
    """Words
    on two lines."""
    return f"{x} is" + "true"[0:1]'''


def test_code():
    assert rendering.code("a\n\nb") == "    a\n\n    b"
    shown = rendering.code(CODE, rendering.styled)
    for kind, part in [("35", "def"), ("34", "f"), ("2;3", "# a comment"), ("32", '"""Words'),
                       ("32", '    on two lines."""'), ("35", "return"), ("32", '"true"'),
                       ("33", "0")]:
        assert f"\033[{kind}m{part}\033[0m" in shown
    assert bare(shown) == rendering.code(CODE)


@pytest.mark.parametrize("part", ["  return x\n    y", "f(", '"""'])
def test_code_that_is_no_python_is_shown_as_it_is(part):
    assert bare(rendering.code(part, rendering.styled)) == rendering.code(part)


def test_code_without_its_questions():
    code = 'a = 1\nask("?", a,\n    hints=())\nif a:\n    ask("?", 1)\nprint(ask)\nask("!", 2)'
    assert rendering.without_questions(code) == "a = 1\nif a:\n    ask(...)\nprint(ask)"
    assert rendering.without_questions('ask("?", 1)') == ""


def test_all_lessons_are_shown_whole():
    """Whatever is styled, no letter of the code is lost; the words of a text neither."""
    for lesson in lessons.lessons():
        for cell in lesson.cells:
            if cell.is_text:
                words = re.findall(r"[a-z]{4,}", bare(rendering.text(cell.content, 80,
                                                                     rendering.styled, False)))
                assert words == re.findall(r"[a-z]{4,}", cell.content)
            else:
                assert bare(rendering.code(cell.content, rendering.styled)) == (
                    rendering.code(cell.content))
                compile(rendering.without_questions(cell.content), lesson.name, "exec")
