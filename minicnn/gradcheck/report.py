"""What a check found, in a form that prints, that a program can ask, and that can be raised."""

from typing import NamedTuple

PASSED, FAILED, NOT_APPLICABLE = "passed", "failed", "not applicable"


class GradientError(AssertionError):
    """A gradient check failed; `report` holds every finding.

    It is an AssertionError and not a ValueError because nothing is wrong with an argument: a
    claim ("this is the gradient") turned out false.  Test runners count it as a failure, not as
    an error, and a test that expects an op's ValueError cannot swallow it.
    """

    def __init__(self, report):
        super().__init__(str(report))
        self.report = report


class Finding(NamedTuple):
    """One kind of check: its verdict, its worst error and the words for it."""

    kind: str
    status: str
    words: str
    error: float | None = None
    tolerance: float | None = None
    notes: tuple[str, ...] = ()
    cause: Exception | None = None

    @property
    def ok(self):
        return self.status != FAILED

    def __str__(self):
        lines = [f"  {self.kind:<20} {self.status:<14} {self._measured()}{self.words}"]
        return "\n".join(lines + [f"{'':<22} {note}" for note in self.notes])

    def _measured(self):
        if self.error is None:
            return ""
        return f"error {self.error:.1e}, {self.tolerance:g} allowed; "


class Report:
    """All findings of one check.  `report["central differences"]` gives one of them.

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
    def ok(self):
        """True when no kind of check failed."""
        return all(finding.ok for finding in self.findings)

    @property
    def failed(self):
        """The findings that failed."""
        return [finding for finding in self.findings if not finding.ok]

    def __getitem__(self, kind):
        for finding in self.findings:
            if finding.kind == kind:
                return finding
        kinds = ", ".join(finding.kind for finding in self.findings)
        raise KeyError(f"no check named {kind!r} was run; there are: {kinds}")

    def __str__(self):
        verdict = "the gradients are right" if self.ok else "FAILED: " + ", ".join(
            finding.kind for finding in self.failed
        )
        return "\n".join([f"{self.name}: {verdict}"] + [str(finding) for finding in self.findings])

    def raise_if_failed(self):
        """Raise GradientError with the printed report when any kind of check failed."""
        if not self.ok:
            raise GradientError(self) from self.failed[0].cause
