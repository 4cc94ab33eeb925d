"""Pages of submissions that look alike, both texts side by side: for the teacher's eyes."""

from html import escape

from minicnn.course.grader import plain, student
from minicnn.report import page

STYLE = student.STYLE + """
body { max-width: 100rem; } .two { display: grid; grid-template-columns: 1fr 1fr; gap: 1rem; }
.two > div { min-width: 0; } .two pre { font-size: 0.8rem; line-height: 1.35; }
mark { background: #ffe9a8; display: block; } .plain { display: block; min-height: 1em; }
@media (max-width: 60rem) { .two { grid-template-columns: 1fr; } }
@media print { mark { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
"""
MOST = 100  # pairs that get a page
MOST_TEXT = 200_000  # characters of a text


def write(similarity, folder):
    """Write a page for each pair; return the section of the index that links to them.

    Parameters
    ----------
    similarity : Similarity
    folder : Path
        That of the index.
    """
    shown = similarity.pairs[:MOST]
    if shown:
        (folder / "pairs").mkdir(exist_ok=True)
    for index, pair in enumerate(shown):
        _page(pair, folder / place(index))
    return "\n".join(["<h2>Similar submissions</h2>", _words(similarity), _table(shown),
                      _short(similarity), _solution(similarity)])


def _words(similarity):
    count, shares = len(similarity.shares), similarity.shares
    if not count:
        return "<p>There was nothing to compare.</p>"
    compared = "1 pair was" if count == 1 else f"{count} pairs were"
    middle = (f"Half of all pairs share less than {shares[count // 2]:.0%}, the most alike "
              f"{shares[0]:.0%}" if count > 2 else f"The most alike share {shares[0]:.0%}")
    return (f"<p>For your eyes. {compared} compared: names, comments and order put aside, "
            "and what the handout gives left out. A share says how much of the shorter "
            "submission's code is in the other, where code that many have counts little. "
            f"{middle}; {standing_out(similarity)}. Two people who worked together look like "
            "this, too: read both before you say anything.</p>")


def standing_out(similarity):
    """ "2 pairs stand out"."""
    count = len(similarity.pairs)
    return f"{count or 'no'} pair{'s stand' if count > 1 else ' stands'} out"


def place(index):
    """The page of a pair, by its place among those that stand out; "" if it has none."""
    return f"pairs/{index + 1:03}.html" if index < MOST else ""


def _table(shown):
    rows = "".join(
        f'<tr><td><a href="{place(index)}">{pair.share:.0%}</a></td><td>{_name(pair.first)}</td>'
        f"<td>{_name(pair.second)}</td><td>{_same(pair)}</td></tr>"
        for index, pair in enumerate(shown))
    return ("<table><tr><th>share</th><th></th><th></th><th>nearly the same</th></tr>"
            f"{rows}</table>" if rows else "")


def _same(pair):
    return escape(plain.line(", ".join(pair.same), 200))


def _short(similarity):
    if not similarity.short:
        return ""
    names = ", ".join(escape(plain.line(one, 80)) for one in similarity.short)
    return f"<p>Too short to compare, or not readable: {names}.</p>"


def _solution(similarity):
    if not similarity.solution:
        return ""
    names = ", ".join(f"{escape(plain.line(name, 80))} ({share:.0%})"
                      for name, share in similarity.solution)
    return f"<p>Nearly the solution itself: {names}.</p>"


def _name(submission):
    return escape(plain.line(submission.student, 80))


def _page(pair, path):
    names = [plain.line(one.student, 80) for one in (pair.first, pair.second)]
    columns = "".join(
        f"<div><h2>{escape(name)}</h2><pre>{_text(one.source, lines)}</pre></div>"
        for name, one, lines in zip(names, (pair.first, pair.second), pair.lines, strict=True))
    page.save(path, f"{names[0]} and {names[1]}: {pair.share:.0%}",
              ["<p>What both have, apart from names, is marked.</p>",
               f'<div class="two">{columns}</div>'], STYLE, student.policy())


def _text(source, lines):
    """A source with its shared lines marked."""
    text = plain.block(source, MOST_TEXT).split("\n")
    return "".join(f"<mark>{escape(one)}</mark>" if number in lines
                   else f'<span class="plain">{escape(one)}</span>'
                   for number, one in enumerate(text, 1))
