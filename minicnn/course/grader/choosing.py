"""Which of a student's files counts.

The one named like the assignment, unless all its functions are stubs still: the handout has a
script and a notebook, and who writes in one often hands in the other as well. Of several such files
the last upload: "convolution-1.py" is newer than "convolution.py". Otherwise the file in which
most of the wanted functions are written; of several equal ones the newest.
"""

from typing import Any, NamedTuple

from minicnn.course.grader import archives, decoding, exports, names, notebooks

MOST_TEXT = 1_000_000  # characters of code


class Candidate(NamedTuple):
    """A file of a student.

    Attributes
    ----------
    entry : Entry
    source : str or None
    notes : list of str
    named : bool
        Whether it is named like the assignment.
    defined, written : int
        How many wanted functions it defines, and how many of these are more than a stub.
    """

    entry: Any
    source: str | None
    notes: list
    named: bool
    defined: int
    written: int


def choose(entries, assignment):
    """The file of one student that counts.

    Returns
    -------
    name : str
    source : str or None
    notes : list of str
    """
    found = [candidate(one, assignment) for one in entries if one.suffix in (".py", ".ipynb")]
    if not found:
        there = ", ".join(one.name for one in entries[:5])
        return "", None, ["there is no .py or .ipynb file" + (f", only {there}" if there else "")]
    best = max(found, key=_rank)
    others = [one for one in found if one is not best]
    return best.entry.name, best.source, [*best.notes, *_others(best, others)]


def candidate(entry, assignment):
    """A file as a Candidate; what cannot be read has no source and says so in its notes."""
    source, notes = _read(entry)
    named = exports.stem(entry.name)[0].lower() == assignment.name
    tree = names.parsed(source)[0] if source is not None else None
    if tree is None:
        return Candidate(entry, source, notes, named, 0, 0)
    own = names.definitions(tree)
    wanted = [own[name][-1] for name in names.wanted(assignment) if name in own]
    return Candidate(entry, source, notes, named, len(wanted), sum(map(names.written, wanted)))


def _read(entry):
    try:
        text, notes = decoding.text(entry.read())
    except archives.ArchiveError as error:
        return None, [f"{entry.name} {error}"]
    if entry.suffix == ".ipynb":
        source, more = notebooks.source(text)
    elif notebooks.is_exported(text):
        source, more = notebooks.exported(text)
    else:
        source, more = text, []
    if source is not None and len(source) > MOST_TEXT:
        return None, [f"{entry.name} has more than {MOST_TEXT:,} characters of code"]
    return source, [*notes, *more]


def _rank(one):
    """What decides, in this order; a file that Python cannot run may be more than stubs."""
    ours = one.named and one.source is not None and not (one.defined and not one.written)
    uploads = exports.stem(one.entry.name)[1]
    return (ours, ours and (-one.entry.path.count("/"), uploads), one.written, one.defined,
            one.named, one.source is not None, uploads, one.entry.time)


def _others(best, others):
    """Notes on the files that do not count."""
    same = [one for one in others if one.defined and one.source != best.source]
    helpers = [one for one in others if not one.defined and one.source]
    if same:
        yield (f"{best.entry.name} counts; not graded: "
               + ", ".join(one.entry.path for one in same[:5]))
    if helpers:
        yield ("helper modules cannot be imported when grading, put everything into one file: "
               + ", ".join(one.entry.path for one in helpers[:5]))
