"""The results of a check: to print, to query in a program, and to raise as an error."""

from html import escape
from typing import NamedTuple

PASSED, FAILED, NOT_APPLICABLE = "passed", "failed", "not applicable"
SHAPE = "shape"  # right numbers in another shape: (1, 3) for (3,)
GRADIENT, CONDUCT = "gradient", "conduct"  # the two verdicts


def html_table(head, rows, bold=(), most=1000):
    """A table for a notebook, with every word escaped; of long ones the first rows and words."""
    def line(cells, kind, style=""):
        return f"<tr{style}>" + "".join(
            f"<{kind} style='text-align:left'>{escape(str(cell)[:most])}</{kind}>"
            for cell in cells) + "</tr>"

    strong = " style='font-weight:bold;color:#b00'"
    body = "".join(line(cells, "td", strong if number in bold else "")
                   for number, cells in enumerate(rows[:100]))
    more = f"<p>and {len(rows) - 100} more</p>" if len(rows) > 100 else ""
    return f"<table><thead>{line(head, 'th')}</thead><tbody>{body}</tbody></table>{more}"


class GradientError(AssertionError):
    """A gradient check failed; `report` holds all findings.

    It is an AssertionError, not a ValueError: no argument is wrong, but a claim ("this is the
    gradient") is false.  Test runners count it as a failure, not as an error, and a test that
    expects an op's ValueError cannot swallow it.
    """

    def __init__(self, report):
        super().__init__(str(report))
        self.report = report


class Finding(NamedTuple):
    """The result of one kind of check: its status, its worst error, a description, and which of
    the two verdicts it belongs to, "gradient" or "conduct"."""

    kind: str
    status: str
    words: str
    error: float | None = None
    tolerance: float | None = None
    notes: tuple[str, ...] = ()
    cause: Exception | None = None
    verdict: str = GRADIENT

    @property
    def ok(self):
        return self.status not in (FAILED, SHAPE)

    def __str__(self):
        measured = ("" if self.error is None else
                    f"error {self.error:.1e}, {self.tolerance:g} allowed; ")
        lines = [f"  {self.kind:<24} {self.status:<14} {measured}{self.words}"]
        return "\n".join(lines + [f"{'':<26} {note}" for note in self.notes])


class Report:
    """All findings of one check; `report["central differences"]` is one of them.

    There are two verdicts, never mixed: whether the **gradient** is right, and whether the passes
    behave (**conduct**): keep the dtype, leave their arguments alone, remember nothing.

    Attributes
    ----------
    name : str
        What was checked.
    findings : list of Finding
        One for each kind of check, in the order they ran.
    """

    def __init__(self, name, findings):
        self.name = name
        self.findings = list(findings)

    @property
    def gradient_ok(self):
        """True if no check of the gradient failed."""
        return not self._failed(GRADIENT)

    @property
    def conduct_ok(self):
        """True if no check of the conduct failed."""
        return not self._failed(CONDUCT)

    @property
    def ok(self):
        """True if no kind of check failed."""
        return not self.failed

    @property
    def failed(self):
        """The findings that failed."""
        return [finding for finding in self.findings if not finding.ok]

    def __getitem__(self, kind):
        for finding in self.findings:
            if finding.kind == kind:
                return finding
        kinds = ", ".join(finding.kind for finding in self.findings)
        raise KeyError(f"no check named {kind!r} was run; the checks that were run are: {kinds}")

    def __repr__(self):
        return f"<{str(self).partition(chr(10))[0]}>"

    def __str__(self):
        lines = [f"{self.name}: {self._words(GRADIENT)}; {self._words(CONDUCT)}"]
        for verdict in (GRADIENT, CONDUCT):
            found = [str(finding) for finding in self.findings if finding.verdict == verdict]
            lines += [verdict, *found] if found else []
        return "\n".join(lines)

    def _repr_html_(self):  # what a notebook asks for
        head = f"<p>{escape(str(self).partition(chr(10))[0])}</p>"
        return head + html_table(
            ("verdict", "check", "result", "error", "allowed", "what was found"),
            [(one.verdict, one.kind, one.status, "" if one.error is None else f"{one.error:.1e}",
              "" if one.tolerance is None else f"{one.tolerance:g}",
              " ".join((one.words, *one.notes))) for one in self.findings],
            bold={number for number, one in enumerate(self.findings) if not one.ok})

    def _failed(self, verdict):
        return [finding for finding in self.failed if finding.verdict == verdict]

    def _words(self, verdict):
        """One verdict: right, wrong with the kinds that failed, or not judged."""
        ran = [one for one in self.findings
               if one.verdict == verdict and one.status != NOT_APPLICABLE]
        if not ran:
            return f"{verdict} not judged"
        failed = ", ".join(finding.kind for finding in self._failed(verdict))
        bad = "WRONG" if verdict == GRADIENT else "FAILED"
        return f"{verdict} {bad}: {failed}" if failed else f"{verdict} right"

    def raise_if_failed(self):
        """Raise GradientError with the printed report if any kind of check failed."""
        if not self.ok:
            raise GradientError(self) from self.failed[0].cause
