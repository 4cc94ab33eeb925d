"""The page of `minicnn check`: verdicts, where the errors are, and why, as one HTML file."""

from base64 import b64encode
from html import escape

import numpy as np

from minicnn import images
from minicnn.gradcheck.judge import words
from minicnn.gradcheck.judge.judge import RIGHT, WRONG
from minicnn.report import check_figures, page
from minicnn.report.stepfigures import folded
from minicnn.report.stepfigures.of_op import of_op, of_smallest

STYLE = """
table { border-collapse: collapse; margin: 1rem 0; } th { text-align: left; }
th, td { padding: 0.2rem 0.8rem 0.2rem 0; border-bottom: 1px solid #ddd; vertical-align: top; }
.right { color: #1a7f37; } .wrong { color: #b3261e; font-weight: bold; } .none { color: #777; }
svg { max-width: 100%; height: auto; } summary { cursor: pointer; margin: 1rem 0; }
.said { table-layout: fixed; width: 100%; } .said td:first-child { width: 7rem; }
.said td { border: 0; overflow-wrap: anywhere; } .said pre { margin: 0; overflow-x: auto; }
"""


def write(path, results, done):
    """Write the page.

    Parameters
    ----------
    path : str or path
    results : dict
        Of `minicnn.gradcheck.judge.record.as_dict`.
    done : list of Judged
    """
    title = f"minicnn check {results['file']}"
    text = results["error"] or words.conclusion(done, results["found"])
    page.save(path, title, folded.with_script([f"<p>{escape(text)}</p>", _overview(done),
                                               *(_op(*pair) for pair in enumerate(done))]), STYLE)


# ---- tables

def _overview(done):
    """The table of all ops."""
    if not done:
        return ""
    rows = [[f'<a href="#op{number}">{escape(one.name)}</a>', _verdict(one.gradient),
             _verdict(one.conduct), _points(one), _conduct_points(one),
             f"{one.seconds:.1f}"]
            for number, one in enumerate(done)]
    heads = ("op", "gradient", "conduct", "gradient, points", "conduct, points", "seconds")
    return _table(heads, rows) + (
        "<p>Gradient: are y, dx, dw, ... right? Its points are the settings that are right, of "
        "those that the op claims to support. Conduct: are arguments left alone, is the dtype "
        "kept, are earlier calls forgotten, and the like? Its points are the checks without a "
        "complaint.</p>")


def _points(one):
    if not one.ran:
        return ""
    right = sum(row.status == RIGHT for row in one.ran)
    return f"{one.points:.0%} ({right} of {len(one.ran)})"


def _conduct_points(one):
    return "" if one.conduct_points is None else f"{one.conduct_points:.0%}"


def _verdict(word):
    kind = {RIGHT: "right", WRONG: "wrong"}.get(word, "none")
    return f'<span class="{kind}">{escape(word)}</span>'


def _table(heads, rows):
    head = "".join(f"<th>{name}</th>" for name in heads)
    body = "\n".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table>\n<tr>{head}</tr>\n{body}\n</table>"


def _cases(one):
    """Every setting of an op, folded away if all are right."""
    found = {}
    for row in one.verdict.rows:
        found.setdefault(row.case.name, {})[np.dtype(row.dtype).name] = row
    rows = []
    for name, by_dtype in found.items():
        said = next((row.words for row in by_dtype.values() if row.words), "")
        cells = [_status(by_dtype.get(dtype)) for dtype in ("float64", "float32")]
        rows.append([escape(name), *cells, f'<span class="none">{escape(said)}</span>'])
    return (f"<details><summary>All {len(rows)} settings</summary>\n"
            + _table(("setting", "float64", "float32", "words"), rows) + "</details>")


def _status(row):
    if row is None:
        return ""
    arrays = ", ".join(row.wrong)
    return _verdict(row.status) + (f" {escape(arrays)}" if arrays else "")


# ---- one op

def _op(number, one):
    """The section on one op."""
    parts = [f'<h2 id="op{number}">{escape(one.name)}</h2>',
             f"<p>{escape(one.told or one.error)}</p>",
             f"<p>gradient {_verdict(one.gradient)}, conduct {_verdict(one.conduct)}</p>",
             _said(list(words.entries(one)))]
    if one.verdict is not None:
        parts += [folded.details(of_op(of_smallest(one.verdict.smallest))),
                  check_figures.error_map(one), _curve(one), _cases(one)]
    return "\n".join(part for part in parts if part)


def _said(entries):
    """All that is said of an op, as a table of labels and texts."""
    if not entries:
        return ""
    rows = [(f"<b>{escape(label)}</b>", f"<pre>{escape(text.rstrip())}</pre>"
             if label == "to paste" else escape(str(text))) for label, text in entries]
    return '<table class="said">\n' + "\n".join(
        f"<tr><td>{label}</td><td>{text}</td></tr>" for label, text in rows) + "\n</table>"


def _curve(one):
    """The figure of the error against the step; "" if there is none."""
    if one.curve is None:
        return ""
    picture = b64encode(images.encode(check_figures.curve(one.curve))).decode()
    return (f'<figure><img src="data:image/png;base64,{picture}" alt="Error against step size">'
            f"<figcaption>{escape(check_figures.caption(one.curve))}</figcaption></figure>")
