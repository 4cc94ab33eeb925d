"""Submissions found and read: files, notebooks, zips, folders, exports of learning platforms.

    for one in find(["export.zip"], assignment("convolution")):
        print(one.student, one.name, one.notes)

Nothing is unpacked and nothing is run. Every student gets a Submission, also one whose files cannot
be read; notes say what was left out or guessed.
"""

from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from minicnn.course.grader import answers, archives, choosing, exports, plain
from minicnn.course.handout.heading import cut_from

SUFFIXES = (".py", ".ipynb")


class Submission(NamedTuple):
    """What one student has handed in.

    Attributes
    ----------
    student : str
    name : str
        The file that counts, "convolution.py"; "" if there is none.
    source : str or None
        Its text; of a notebook the code that counts. None if there is nothing to grade.
    notes : list of str
    id : str
        What the learning platform has in the file's name besides, or "".
    answers : dict
        A written question's id -> the student's text.
    stamp : (version, fingerprint, seed) or None
        Of the handout that the file was made from.
    """

    student: str
    name: str
    source: str | None
    notes: list
    id: str = ""
    answers: dict = {}
    stamp: tuple | None = None


def find(paths, assignment):
    """All submissions at some places.

    Parameters
    ----------
    paths : sequence of str or path
        Each a `.py`, a `.ipynb`, a zip or folder of one submission, a folder of submissions, or an
        export of Moodle, Canvas or Gradescope, zipped or not.
    assignment : Assignment
        Tells which of several files counts.

    Returns
    -------
    list of Submission
        In the order of the paths, within each by the students' names. No two have the same name.

    Raises
    ------
    ValueError
        There is nothing at a path, or a folder without any submission.
    """
    return _told_apart([one for path in paths for one in _at(Path(path), assignment)])


def single(path, assignment, student=""):
    """The one submission that a file, zip or folder is, whatever its files are called."""
    path = Path(path)
    bundle, name = _bundle(path), _called(path, assignment)
    sheet = path.with_name("questions.md")
    if path.is_file() and path.stem == assignment.name and sheet.is_file():
        bundle.entries.append(_entry(sheet))
    return _submission(student or name, bundle, assignment)


def ignored(paths, assignment):
    """The files at the top of folders and exports that are nobody's: photos, lists, read-mes."""
    found = []
    for path in map(Path, paths):
        bundle, _ = _unwrapped(_bundle(path))
        if (path.is_dir() or _is_zip(path)) and not _is_single(bundle, assignment, _is_zip(path)):
            found += [plain.line(one.path, 60) for one in bundle.entries
                      if not _is_someone_s(one) and one.path != exports.METADATA]
    return found


def _at(path, assignment):
    """The submissions at one path."""
    if not path.exists():
        raise ValueError(f"{path}: there is no such file or folder")
    if not path.is_dir() and not _is_zip(path):
        return [single(path, assignment)]
    bundle, wrapper = _unwrapped(_bundle(path))
    if _is_single(bundle, assignment, _is_zip(path)):
        student = wrapper if wrapper and path.is_dir() else _called(path, assignment)
        return [_submission(student, bundle, assignment)]
    found = _class(bundle, assignment)
    if not found:
        raise ValueError(f"{path}: there is no submission in it: no .py, .ipynb or .zip")
    return found


def _is_zip(path):
    return path.suffix.lower() == ".zip" and not path.is_dir()


def _bundle(path):
    """The files at a path."""
    if path.is_dir():
        return archives.folder(path)
    if not _is_zip(path):
        return archives.Bundle([_entry(path)], [], [])
    try:
        return archives.zipped(path)
    except archives.ArchiveError as error:
        return archives.Bundle([], [], [(path.name, str(error))])


def _entry(path):
    return archives.Entry(path.name, path.stat().st_mtime, archives.reader(path))


def _called(path, assignment):
    """The student by the name of a path; of `ada/convolution.py` by that of the folder."""
    if path.is_dir():
        return exports.owner(f"{path.resolve().name}/", {}).name
    own = exports.owner(path.name, {}).name
    return own if own != assignment.name else path.resolve().parent.name or own


def _unwrapped(bundle):
    """A Bundle without the folders that hold all of it, and the name of the last such folder."""
    wrapper = ""
    while bundle.entries:
        first = {path.partition("/")[0] for path in
                 [*(one.path for one in bundle.entries), *bundle.folders]}
        if len(first) > 1 or any("/" not in one.path for one in bundle.entries) \
                or exports.is_platform(*first):
            break
        (wrapper,) = first
        bundle = bundle.below(wrapper)
    return bundle, wrapper


def _is_single(bundle, assignment, zipped):
    """Whether it is one submission: a file named like the assignment lies at its top, and nothing
    that could be another student's; or it is the one file there that defines what is wanted, or
    the only one in a zip."""
    if any(exports.is_platform(one.path) or one.path == exports.METADATA
           for one in bundle.entries):
        return False
    sources = [one for one in bundle.entries if one.suffix in SUFFIXES]
    zips = any(one.suffix == ".zip" and "/" not in one.path for one in bundle.entries)
    if zipped and len(sources) + zips < 2:
        return True
    top = [one for one in sources if "/" not in one.path]
    own = [one for one in top if assignment.name in exports.stem(one.name)[0].lower()]
    able = [one for one in sources if one not in own
            and choosing.candidate(one, assignment).defined]
    others = [one for one in able if one in top]
    below = {one.path.partition("/")[0] for one in able if one not in top}
    if own:
        return not others and len(below) < 2 and not zips
    return len(others) == 1 and len(top) > 1 and not below and not zips


def _class(bundle, assignment):
    """The submissions of a folder or export, one a student."""
    names, groups = _gradescope(bundle), {}
    for folder in bundle.folders:
        _group(groups, exports.owner(f"{folder}/", names))
    for entry in bundle.entries:
        if _is_someone_s(entry):
            one = exports.owner(entry.path, names)
            _group(groups, one).entries.append(
                entry._replace(path=one.rest, time=one.upload * 1e10 + entry.time))
    for path, why in bundle.left:
        if "/" in path or why not in (archives.OF_SYSTEM, "hidden"):
            one = exports.owner(path, names)
            _group(groups, one).left.append((one.rest, why))
    found = [_submission(one.name, group, assignment, one.notes, one.id)
             for one, group in _named_apart(groups.values())]
    return sorted(found, key=lambda one: one.student.casefold())


def _is_someone_s(entry):
    """Whether a file of a class is a student's; others are a list of marks, a read-me."""
    return "/" in entry.path or entry.suffix in (*SUFFIXES, ".zip") \
        or exports.is_platform(entry.path)


def _group(groups, owner):
    """The Bundle of a student's files."""
    known, group = groups.setdefault(owner.key, (owner, archives.Bundle([], [], [])))
    if owner.upload > known.upload:
        groups[owner.key] = owner, group
    return group


def _named_apart(groups):
    """The owners with what tells those of the same name apart."""
    groups = list(groups)
    counts = Counter(one.name for one, _ in groups)
    for one, group in groups:
        clash = counts[one.name] > 1 and one.id
        yield one._replace(name=f"{one.name} ({one.id})") if clash else one, group


def _gradescope(bundle):
    """The names of a Gradescope export."""
    for entry in bundle.entries:
        if entry.path == exports.METADATA:
            with suppress(archives.ArchiveError):
                return exports.gradescope(entry.read().decode("utf-8", "replace"))
    return {}


def _submission(student, bundle, assignment, notes=(), identity=""):
    """The Submission that some files are."""
    bundle, more = _looked_into(bundle)
    name, source, told = choosing.choose(bundle.entries, assignment)
    notes = [plain.line(one) for one in (*notes, *more, *told, *archives.notes(bundle.left))]
    stamp = next((cut_from(answers.text(one)) for one in bundle.entries if one.name == name), None)
    return Submission(plain.line(student, 80) or "nameless", plain.line(name), source, notes,
                      plain.line(identity, 40), answers.answers(bundle.entries, assignment, name),
                      stamp)


def _looked_into(bundle):
    """The files of the newest zip, if there is no source beside it; of one zip, not of zips in it.

    Returns
    -------
    bundle : Bundle
    notes : list of str
    """
    zips = [one for one in bundle.entries if one.suffix == ".zip"]
    if not zips:
        return bundle, []
    left = [*bundle.left, *((one.path, "a zip") for one in zips)]
    if any(one.suffix in SUFFIXES for one in bundle.entries):
        return bundle._replace(left=left), []
    newest = max(zips, key=lambda one: (exports.stem(one.name)[1], one.time))
    left = [(path, why) for path, why in left if path != newest.path]
    try:
        inner = archives.zipped(newest.read(archives.MOST_ZIP))
    except archives.ArchiveError as error:
        return bundle._replace(left=left), [f"{newest.name}: {error}"]
    nested = [(one.path, "a zip in a zip") for one in inner.entries if one.suffix == ".zip"]
    return inner._replace(left=left + inner.left + nested), []


def _told_apart(submissions):
    """The same with a number behind names that several have."""
    counts, seen, found = Counter(one.student for one in submissions), Counter(), []
    for one in submissions:
        if counts[one.student] > 1:
            seen[one.student] += 1
            note = (f"{counts[one.student]} submissions have the name {one.student}: are they one "
                    "student's?")
            one = one._replace(student=f"{one.student} ({seen[one.student]})",
                               notes=[*one.notes, note])
        found.append(one)
    return found
