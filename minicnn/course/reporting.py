"""What a teacher gets from a graded class: lines in the terminal, CSV, pages, JSON."""

import json
from collections import Counter
from contextlib import nullcontext
from pathlib import Path

from minicnn import images
from minicnn.course.grader import plain
from minicnn.course.grader.feedback import amount, results_json
from minicnn.course.grader.names import LOOKS_LIKE
from minicnn.course.grader.outcome import BY_HAND
from minicnn.course.grader.pairs import place, standing_out
from minicnn.course.grader.statistics import statistics, told
from minicnn.course.grader.written import kept_from
from minicnn.course.which import OTHER_COURSE, OTHER_PAGES

SHOWN = 5  # names of files
KINDS = {OTHER_COURSE: OTHER_COURSE, OTHER_PAGES: OTHER_PAGES,  # of notes, that are counted
         LOOKS_LIKE: "it looks like another assignment"}


def check(csv=None, html=None, json=None):
    """Raise ValueError if a result could not be written, before anything is graded."""
    if csv is not None:
        images.check_destination(csv, {".csv": "CSV"})
    if json is not None:
        images.check_destination(json, {".json": "JSON"})
    if html is not None:
        if not Path(html).resolve().parent.is_dir():
            raise ValueError(f"--html {html}: it names a folder for the pages, in one that is "
                             "there")
        images.check_folder(html)


def beside(bar):
    """What to print in while a progress bar is shown."""
    return nullcontext() if bar.disable else bar.external_write_mode()


def line(result):
    """One submission in a line: who, points, and how its questions ended."""
    counts = Counter(one.status for one in result.outcomes)
    ended = ", ".join(f"{count} {status}" for status, count in counts.items())
    note = f"  {plain.line(result.notes[0], 80)}" if result.notes else ""
    return (f"{plain.line(result.student, 30):<30}  {amount(result.points):>6} of "
            f"{amount(result.most)}  {ended}{note}")


def left_out(names):
    """The files that are nobody's, in a line; "" for none."""
    more = f" and {len(names) - SHOWN} more" * (len(names) > SHOWN)
    return f"Nobody's, left out: {', '.join(names[:SHOWN])}{more}" if names else ""


def write(results, csv=None, html=None, json=None, similar=None):
    """Write what is asked for.

    Parameters
    ----------
    results : list of Result
    csv, html, json : path, optional
        `html` is a folder.
    similar : Similarity, optional
        For the pages and the JSON.

    Returns
    -------
    list of str
        A line for each.
    """
    written = []
    if csv is not None:
        from minicnn.course.grader.table import write_csv

        write_csv(results, csv)
        written.append(str(csv))
    if json is not None:
        _write_json(results, json, similar)
        written.append(str(json))
    if html is not None and results:
        from minicnn.course.grader.page import write_html

        written.append(str(write_html(results, html, similar)))
    return written


def _write_json(results, path, similar):
    about = [{"student": one.student, "id": one.id, "assignment": one.assignment.name,
              "points": one.points, "of": one.most, "notes": list(one.notes),
              "layers": list(one.layers), "answers": dict(one.answers),
              "similar": _alike(one.student, similar), **results_json(one)} for one in results]
    images.write(path, json.dumps(about, indent=1) + "\n")


def _alike(student, similar):
    """The pairs with one student that stand out."""
    pairs = similar.pairs if similar is not None else []
    return [{"student": other.student, "share": round(pair.share, 3), "same": list(pair.same),
             "page": place(index)}
            for index, pair in enumerate(pairs)
            for one, other in (pair[:2], pair[1::-1]) if one.student == student]


def conclusion(results, count, similar=None, html=None):
    """The class in a few lines; how many of `count` submissions were graded, if not all."""
    found = [] if len(results) == count else [f"{len(results)} of {count} submissions were graded"]
    if not results:
        return found
    counts = Counter(kind for one in results for kind in KINDS
                     if any(kind in note for note in one.notes))
    noted = [f"{count} of {len(results)}: {KINDS[kind]}" for kind, count in counts.items()]
    return [told(statistics(results)), *_walls(results), *noted, *_by_hand(results),
            *_similar(similar, html), *found]


def _walls(results):
    """What the submissions were kept from; the pages have the layers."""
    layers = {one.layers for one in results if one.layers}
    return [f"Submissions were kept from {one}" for one in dict.fromkeys(map(kept_from, layers))]


def _by_hand(results):
    """How many answers in words are left to be read."""
    left = [one.question.id in result.answers for result in results for one in result.outcomes
            if one.status == BY_HAND]
    return [f"Questions in words without points: {len(left)}, of which {sum(left)} have an answer, "
            "on the students' pages and in the JSON; --marks adds points"] if left else []


def _similar(similar, html):
    """How many pairs stand out, and where to read them."""
    if similar is None:
        return []
    where = f": read them in {Path(html, 'index.html')}" if html else \
        ": --html FOLDER writes both texts side by side"
    count = len(similar.shares)
    return [f"{count} pair{'s' * (count != 1)} compared, {standing_out(similar)}"
            + where * bool(similar.pairs)]
