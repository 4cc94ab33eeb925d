"""One student's page: points, what is wrong, pictures of it, and what to do next."""

from base64 import b64encode
from html import escape

import numpy as np

from minicnn import images
from minicnn.course.grader import differences, plain
from minicnn.course.grader.feedback import (
    HINTED,
    heading,
    hint,
    settings,
    shows_settings,
    summary,
    words,
)
from minicnn.course.grader.lines import how
from minicnn.course.grader.outcome import BY_HAND, MARKED, RIGHT
from minicnn.report import page
from minicnn.report.stepfigures import folded
from minicnn.report.stepfigures.of_op import of_op

STYLE = """
table { border-collapse: collapse; margin: 1rem 0; } th { text-align: left; }
th, td { padding: 0.2rem 0.8rem 0.2rem 0; border-bottom: 1px solid #ddd; vertical-align: top; }
h1, p, td, li { overflow-wrap: anywhere; }
.answer { white-space: pre-wrap; overflow-wrap: anywhere; border-left: 3px solid #ddd;
  padding-left: 1rem; }
.right { color: #1a7f37; } .marked { color: #333; }
.partly { color: #8a5a00; } .by-hand, .not-written { color: #666; }
.wrong { color: #b3261e; } .no-answer { color: #7a1f5c; } .missing { color: #444; }
.question { break-inside: avoid; } .wide { overflow-x: auto; }
.three { display: flex; flex-wrap: wrap; gap: 1rem; margin: 1rem 0; }
.three figure { margin: 0; width: 12rem; } .three img { width: 100%; height: auto;
  image-rendering: pixelated; border: 1px solid #ddd; }
summary { cursor: pointer; margin: 0.5rem 0; }
@media (max-width: 40rem) { body { margin: 1rem auto; }
  .three { gap: 0.5rem; flex-wrap: nowrap; } }
@media print { body { font-size: 11pt; margin: 0; max-width: none; } pre { white-space: pre-wrap; }
  a { color: inherit; text-decoration: none; } }
"""
SAFE = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; " \
       "form-action 'none'"


def write(result, path, inputs=True):
    """Write the page of one Result.

    Parameters
    ----------
    result : Result
    path : str or path
    inputs : bool
        Show the smallest inputs, and the pictures of answers.
    """
    title = f"{result.assignment.title}: {plain.line(result.student, 80)}"
    body = [f"<p><b>{escape(summary(result))}</b></p>", _notes(result.notes),
            *(_question(result, one, inputs) for one in result.outcomes)]
    whole = folded.with_script(body)
    page.save(path, title, whole, STYLE,
              policy(folded.allowed() if len(whole) > len(body) else ""))


def policy(more=""):
    """The rule for browsers: nothing from elsewhere, and no script but what `more` allows."""
    content = f"{SAFE}; {more}" if more else SAFE
    return f'<meta http-equiv="Content-Security-Policy" content="{escape(content)}">\n'


def status(word, text=""):
    """A status in its colour."""
    return f'<span class="{word.replace(" ", "-")}">{escape(text or word)}</span>'


def picture(pixels, alt):
    """An (H, W, 3) uint8 array inside the page."""
    data = b64encode(images.encode(np.ascontiguousarray(pixels, np.uint8))).decode()
    return f'<img src="data:image/png;base64,{data}" alt="{escape(alt)}">'


def _notes(notes):
    items = "".join(f"<li>{escape(plain.line(one, 400))}</li>" for one in notes)
    return f"<p>Please note:</p>\n<ul>{items}</ul>" if items else ""


def _question(result, outcome, inputs):
    """The section on one question."""
    text = plain.line(heading(outcome))
    before, _, last = text.rpartition(", ")
    parts = [f"<h2>{escape(before)}, {status(outcome.status, last)}</h2>"]
    if outcome.status in (BY_HAND, MARKED):
        parts.append(_answer(result.answers.get(outcome.question.id)))
    if found := words(result, outcome):
        parts.append(f"<p>{escape(found)}</p>")
    if outcome.cause:
        parts.append(f"<p><b>Probably:</b> {escape(plain.line(outcome.cause, 600))}</p>")
    if shows_settings(outcome):
        parts += [f"<p>{escape(settings(outcome))}</p>", _all_settings(outcome)]
    if inputs:
        parts += [_difference(outcome), _smallest(result, outcome),
                  folded.details(of_op(outcome.shown))]
    parts.append(_network(outcome))
    if outcome.question.hints and outcome.status in HINTED:
        parts.append(f"<p>A hint: <code>{escape(hint(result, outcome))}</code></p>")
    return '<section class="question">\n' + "\n".join(filter(None, parts)) + "\n</section>"


def _answer(text):
    """What the student has written."""
    if not text:
        return "<p>There is no answer in words in what was handed in.</p>"
    return f'<p>Your answer:</p>\n<div class="answer">{escape(plain.block(text, 10_000))}</div>'


def _all_settings(outcome):
    rows = "".join(
        f"<tr><td>{escape(plain.line(one.name, 80))}</td>"
        f"<td>{status(RIGHT) if one.right else status('wrong')}</td>"
        f"<td>{escape(plain.line(one.words, 300))}</td></tr>" for one in outcome.checks)
    return (f"<details><summary>All {len(outcome.checks)} settings</summary>\n"
            f'<div class="wide"><table><tr><th>setting</th><th></th><th>what was found</th></tr>'
            f"{rows}</table></div></details>")


def _smallest(result, outcome):
    code = escape(plain.block(outcome.smallest))
    return (f"<p>A small input that shows it; {how(result.file)}:</p>\n"
            f"<pre>{code}</pre>") if code else ""


def _difference(outcome):
    """Theirs, the expected answer and the difference, side by side."""
    contract = outcome.question.contract
    parts = contract.get("parts") if isinstance(contract, dict) else None
    found = differences.pictures(outcome.theirs, outcome.expected, kernels=parts == ["dw"])
    if found is None:
        return ""
    figures = [("yours", found.theirs), ("expected", found.expected)]
    if found.difference is not None:
        figures.append(("difference: red too large, blue too small", found.difference))
    words = f" ({found.words})" if found.words else ""
    return '<div class="three">' + "".join(
        f"<figure>{picture(pixels, name)}<figcaption>{escape(name + words)}</figcaption></figure>"
        for name, pixels in figures) + "</div>"


def _network(outcome):
    """What a network has made with their code."""
    if outcome.picture is None:
        return ""
    return (f"<figure>{picture(outcome.picture, 'what the network made')}<figcaption>What the "
            "network made with your code.</figcaption></figure>")
