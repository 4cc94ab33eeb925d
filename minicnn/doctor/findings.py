"""Findings in sections: as text for people, as plain values for programs."""

import textwrap
from dataclasses import dataclass
from typing import NamedTuple

GOOD, NOTE, WARNING, BAD = "good", "note", "warning", "bad"
MARKS = {GOOD: "ok", NOTE: "note", WARNING: "warn", BAD: "BAD"}
WIDTH = 79  # columns: a terminal has 80, and some wrap a line that fills it
ARROW = "-> "


class Finding(NamedTuple):
    """The result of one check.

    Attributes
    ----------
    what : str
        The subject of the check, in a word or two.
    value : str
        The result, in words.
    state : {"good", "note", "warning", "bad"}
        "note": worth knowing. "warning": works, but worse than it could. "bad": something does not
        work, or its results are not reliable.
    remedy : str
        What to do; "" if nothing needs to be done.
    table : str
        Lines to show unchanged below the finding; "" for none.
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


@dataclass(frozen=True, repr=False)
class Report:
    """All findings; ``report["GPU"]`` are those of the section "GPU".

    Attributes
    ----------
    sections : list of Section
    seconds : float
        Duration of the examination.
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
        """The findings of the section called `title`; KeyError if there is none."""
        return {section.title: section.findings for section in self.sections}[title]

    def __repr__(self):
        column = max((len(finding.what) for finding in self.findings), default=0)
        blocks = ["\n".join([section.title, *(_lines(f, column) for f in section.findings)])
                  for section in self.sections]
        return "\n\n".join([*(block.rstrip() for block in blocks), self._verdict()])

    def as_dict(self):
        """The report as plain values, for JSON."""
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

    The doctor runs where things are broken, so any check may raise any error. The error becomes a
    finding, and the other checks still run.

    Parameters
    ----------
    what : str
        `Finding.what` of a failure.
    question : callable
        Yields findings.
    *arguments
        Arguments of `question`.
    state : {"good", "note", "warning", "bad"}
        `Finding.state` of a failure.

    Returns
    -------
    list of Finding
        Includes the findings before the failure.
    """
    found = []
    try:
        found.extend(question(*arguments))
    except Exception as error:
        found.append(Finding(what, f"the check failed: {said(error)}", state))
    return found


def said(error):
    """An error as one line: its type and its message."""
    words = " ".join(str(error).split())
    return f"{type(error).__name__}: {words}" if words else type(error).__name__


def _lines(finding, column):
    """One finding as text: its mark, subject and value; below them the remedy and the table."""
    head = f"  {MARKS[finding.state]:<5} {finding.what:<{column}}  "
    blank = " " * len(head)
    lines = _wrapped(head, blank, finding.value)
    if finding.remedy:
        lines += _wrapped(blank + ARROW, blank + " " * len(ARROW), finding.remedy)
    if finding.table:
        lines += ["", *(f"  {line}".rstrip() for line in finding.table.splitlines()), ""]
    return "\n".join(lines)


def _wrapped(first, others, text):
    """`text` as lines, broken only at spaces to keep paths whole.

    `first` and `others` go before the first line and before all others.
    """
    return textwrap.wrap(text, WIDTH, initial_indent=first, subsequent_indent=others,
                         break_long_words=False, break_on_hyphens=False) or [first.rstrip()]
