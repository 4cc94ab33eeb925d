"""A class as HTML pages: the table of all, what was hard, one page a student, similar pairs.

`index.html` and `pairs/` are the teacher's; `students/` can be handed out, page by page. Nothing is
loaded from elsewhere and no script runs but the table's sorting, which the pages' own rule for
browsers says as well: what students wrote is text wherever it appears.
"""

from base64 import b64encode
from hashlib import sha256
from html import escape
from pathlib import Path
from re import sub
from unicodedata import normalize

from minicnn.course.grader import pairs, plain, student, written
from minicnn.course.grader.feedback import amount, number
from minicnn.course.grader.outcome import BY_HAND
from minicnn.course.grader.statistics import statistics
from minicnn.report import page

STYLE = student.STYLE + """
.marks td, .marks th { white-space: nowrap; } .marks td:first-child { white-space: normal;
  min-width: 8rem; }
.marks button { all: unset; cursor: pointer; } .marks button:focus-visible { outline: 2px solid; }
th[aria-sort=ascending] button::after { content: " \\2191"; }
th[aria-sort=descending] button::after { content: " \\2193"; }
.bar { display: flex; height: 1rem; max-width: 30rem; margin: 0.5rem 0; }
.bar span { min-width: 2px; } .bar .right { background: #1a7f37; } .bar .partly { background:
  #e0a100; } .bar .wrong { background: #b3261e; } .bar .no-answer { background: #7a1f5c; }
.bar .missing { background: #555; } .bar .not-written { background: #bbb; }
.bar .by-hand { background: #9ab; } .bar .marked { background: #468; }
.beside { display: flex; flex-wrap: wrap; gap: 0 3rem;
  align-items: flex-start; }
@media print { .bar span { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
"""
NOTE = 60  # letters of a note in the table
LEGEND = ("<p><small>wrong: it ran, and gave other numbers; no answer: it could not be run, or "
          "stopped; missing: there is no function of this name; not written: it is as in the "
          "handout; by hand: an answer in words, for you to read.</small></p>")
SORT = """
for (const button of document.querySelectorAll(".marks th button")) {
  button.addEventListener("click", () => {
    const head = button.parentNode, table = head.closest("table"), body = table.tBodies[0];
    const down = head.getAttribute("aria-sort") === "ascending";
    for (const one of table.querySelectorAll("th")) one.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const value = row => row.cells[head.cellIndex].dataset.value;
    const numbers = head.dataset.numbers === "yes";
    const rows = [...body.rows].sort((a, b) => numbers ? value(a) - value(b)
                                                       : value(a).localeCompare(value(b)));
    body.replaceChildren(...(down ? rows.reverse() : rows));
  });
}
"""


def write_html(results, folder, similarity=None, inputs=True):
    """Write the pages of a class.

    Parameters
    ----------
    results : sequence of Result
        Of one assignment.
    folder : str or path
        Made if it is not there. Pages of an earlier run in it are removed.
    similarity : Similarity, optional
        Of `minicnn.course.grader.similarity.compare`: on pages of their own.
    inputs : bool
        Show the smallest inputs, and the pictures of answers, to students.

    Returns
    -------
    Path
        `index.html`.
    """
    folder = Path(folder)
    (folder / "students").mkdir(parents=True, exist_ok=True)
    names = [f"students/{index:03}-{slug(one.student)}.html"
             for index, one in enumerate(results, 1)]
    count = len(similarity.pairs) if similarity is not None else 0
    with written.listed(folder, ["index.html", *names,
                                 *filter(None, map(pairs.place, range(count)))]):
        for one, name in zip(results, names, strict=True):
            student.write(one, folder / name, inputs)
        _write_index(results, names, folder, similarity)
    return folder / "index.html"


def _write_index(results, names, folder, similarity):
    found = statistics(results)
    body = [f"<p>{found.students} submissions. Of all points on average {found.mean:.0%}, median "
            f"{found.median:.0%}, best {found.best:.0%}.</p>", _walls(results),
            _marks(results, names), LEGEND, "<h2>The questions</h2>", *map(_hard, found.questions)]
    if similarity is not None:
        body.append(pairs.write(similarity, folder))
    body.append(f"<script>{SORT}</script>")
    digest = b64encode(sha256(SORT.encode()).digest()).decode()
    page.save(folder / "index.html", results[0].assignment.title, body, STYLE,
              student.policy(f"script-src 'sha256-{digest}'"))


def slug(name):
    """A name of a file: small letters, digits and "-".

    Examples
    --------
    >>> slug("Émilie <b> du Châtelet/..")
    'emilie-b-du-chatelet'
    """
    letters = normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return sub(r"[^a-z0-9]+", "-", letters).strip("-")[:40] or "student"


def _walls(results):
    """What kept the submissions apart, with the layers for who wants to know."""
    layers = sorted({one.layers for one in results if one.layers})
    return "\n".join(f"<details><summary>Submissions were kept from: "
                     f"{escape(written.kept_from(one))}</summary><p>Layers: "
                     f"{escape(', '.join(one))}.</p></details>" for one in layers)


# ---- the table

def _marks(results, names):
    """The table of the class."""
    questions = {one.question.id: one.question for result in results for one in result.outcomes}
    heads = [_head("student", ""), _head("points", "all questions but those read by you", True)]
    heads += [_head(number(one), one.title, True) for one in questions.values()]
    rows = [_row(result, name, questions) for result, name in zip(results, names, strict=True)]
    return (f'<div class="wide"><table class="marks"><thead><tr>{"".join(heads)}'
            f'{_head("notes", "", True)}</tr></thead>\n<tbody>{"".join(rows)}</tbody></table>'
            "</div>")


def _head(text, title, numbers=False):
    kind = ' data-numbers="yes"' if numbers else ""
    return (f'<th{kind} title="{escape(title)}"><button type="button">{escape(text)}</button>'
            "</th>")


def _row(result, name, questions):
    outcomes = {one.question.id: one for one in result.outcomes}
    shown = plain.line(result.student, 80)
    cells = [_cell(f'<a href="{name}">{escape(shown)}</a>', shown),
             _cell(f"<b>{amount(result.points)}</b> of {amount(result.most)}", result.points)]
    cells += [_points(outcomes.get(one)) for one in questions]
    notes = escape("\n".join(plain.line(one) for one in result.notes))
    first = plain.line(written.foremost(result.notes), NOTE)
    more = f" (+{len(result.notes) - 1})" * (len(result.notes) > 1)
    return (f"<tr>{''.join(cells)}"
            + _cell(f'<span title="{notes}">{escape(first)}{more}</span>', len(result.notes))
            + "</tr>\n")


def _points(outcome):
    if outcome is None:
        return _cell("", -1)
    text = "by hand" if outcome.status == BY_HAND else amount(outcome.points)
    shown = student.status(outcome.status, text).replace(
        "<span ", f'<span title="{escape(outcome.status)}" ', 1)
    return _cell(shown, outcome.points)


def _cell(text, value):
    value = f"{value:g}" if isinstance(value, (int, float)) else value
    return f'<td data-value="{escape(value)}">{text}</td>'


# ---- the questions

def _hard(one):
    """What a class made of a question."""
    settings = [(name, f"{wrong} of {every}") for name, wrong, every in one.settings]
    share = "read by you" if one.share is None else f"{one.share:.0%} of the points"
    total = sum(one.statuses.values())
    bar = "".join(f'<span class="{status.replace(" ", "-")}" title="{escape(status)}: {count}" '
                  f'style="width:{100 * count / total:.1f}%"></span>'
                  for status, count in one.statuses.items())
    ended = ", ".join(f"{count} {student.status(status)}" for status, count in one.statuses.items())
    return (f'<section class="question"><h3>{number(one.question)}. {escape(one.question.title)}: '
            f'{share}</h3>\n<div class="bar">{bar}</div>\n<p>{ended}</p>\n'
            + f'<div class="beside">{_counted("why", one.causes)}'
            f'{_counted("wrong where there is", settings)}</div></section>')


def _counted(head, found):
    if not found:
        return ""
    rows = "".join(f"<tr><td>{count}</td><td>{escape(text)}</td></tr>" for text, count in found)
    return f"<table><tr><th></th><th>{escape(head)}</th></tr>{rows}</table>\n"
