"""What was found, in sections: as text for people, as plain values for programs."""

import textwrap
from dataclasses import dataclass
from typing import NamedTuple

GOOD, NOTE, WARNING, BAD = "good", "note", "warning", "bad"
MARKS = {GOOD: "ok", NOTE: "note", WARNING: "warn", BAD: "BAD"}
WIDTH = 79  # columns: a terminal has 80, and some break a line that fills it
ARROW = "-> "


class Finding(NamedTuple):
    """One thing that was looked at.

    Attributes
    ----------
    what : str
        What was looked at, in a word or two.
    value : str
        What was found, in words.
    state : {"good", "note", "warning", "bad"}
        "note": worth knowing. "warning": works, but worse than it could. "bad": something does not
        work, or its results cannot be relied on.
    remedy : str
        What to do; "" where nothing needs to be done.
    table : str
        Lines to be shown below as they are, "" where there are none.
    """

    what: str
    value: str
    state: str = GOOD
    remedy: str = ""
    table: str = ""


class Section(NamedTuple):
    """Findings under a title."""

    title: str
    findings: list


@dataclass(frozen=True)
class Report:
    """All that was found; ``report["GPU"]`` are the findings of the section of that title.

    Attributes
    ----------
    sections : list of Section
    seconds : float
        How long it took.
    """

    sections: list
    seconds: float

    @property
    def findings(self):
        """The findings of all sections, in order."""
        return [finding for section in self.sections for finding in section.findings]

    @property
    def bad(self):
        """The findings that are bad."""
        return [finding for finding in self.findings if finding.state == BAD]

    @property
    def warnings(self):
        """The findings that are warnings."""
        return [finding for finding in self.findings if finding.state == WARNING]

    def __getitem__(self, title):
        """The findings of the section of that title; KeyError where there is none."""
        return {section.title: section.findings for section in self.sections}[title]

    def __str__(self):
        column = max((len(finding.what) for finding in self.findings), default=0)
        blocks = ["\n".join([section.title, *(_lines(f, column) for f in section.findings)])
                  for section in self.sections]
        return "\n\n".join([*(block.rstrip() for block in blocks), self._verdict()])

    def as_dict(self):
        """Plain values, for JSON."""
        return {"bad": len(self.bad), "warnings": len(self.warnings),
                "seconds": round(self.seconds, 3),
                "sections": {section.title: [finding._asdict() for finding in section.findings]
                             for section in self.sections}}

    def _verdict(self):
        bad = ", ".join(dict.fromkeys(finding.what for finding in self.bad))
        words = f"Something is wrong: {bad}." if bad else "Nothing is wrong."
        if self.warnings:
            words += f" Warnings: {', '.join(dict.fromkeys(f.what for f in self.warnings))}."
        return "\n".join(textwrap.wrap(f"{words} ({self.seconds:.1f} s)", WIDTH))


def asked(what, question, *arguments, state=WARNING):
    """The findings of ``question(*arguments)``, and one more if it fails.

    A doctor is called where things are broken, so any error may come of any question; it is
    reported under `what`, as `state`, and the other questions are asked all the same.

    Parameters
    ----------
    what : str
        What a failure is reported under.
    question : callable
        Yields findings.
    *arguments
        What it is called with.
    state : {"good", "note", "warning", "bad"}
        How grave a failure is.

    Returns
    -------
    list of Finding
        With those that came before the failure.
    """
    found = []
    try:
        found.extend(question(*arguments))
    except Exception as error:
        found.append(Finding(what, f"could not be found out: {said(error)}", state))
    return found


def said(error):
    """An error as one line: its kind, and what it says."""
    words = " ".join(str(error).split())
    return f"{type(error).__name__}: {words}" if words else type(error).__name__


def _lines(finding, column):
    """One finding: its mark, what it is about, its value; the remedy and a table below."""
    head = f"  {MARKS[finding.state]:<5} {finding.what:<{column}}  "
    blank = " " * len(head)
    lines = _wrapped(head, blank, finding.value)
    if finding.remedy:
        lines += _wrapped(blank + ARROW, blank + " " * len(ARROW), finding.remedy)
    if finding.table:
        lines += ["", *(f"  {line}".rstrip() for line in finding.table.splitlines()), ""]
    return "\n".join(lines)


def _wrapped(first, others, text):
    """`text` broken at spaces, so that a path is kept whole; what stands before each line."""
    return textwrap.wrap(text, WIDTH, initial_indent=first, subsequent_indent=others,
                         break_long_words=False, break_on_hyphens=False) or [first.rstrip()]
