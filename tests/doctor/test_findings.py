"""The report: marks, columns, remedies, and what becomes of a question that fails."""

import pytest

from minicnn.doctor.findings import BAD, NOTE, WARNING, Finding, Report, Section, asked

REPORT = Report([
    Section("Machine", [Finding("cores", "4"), Finding("memory", "8.0 GB", NOTE)]),
    Section("Ops", [Finding("conv on cpu", " ".join(["wrong"] * 30), BAD, "install it again"),
                    Finding("BLAS", "slow", WARNING, "take another")]),
], 1.25)


def test_a_mark_for_every_line_and_the_remedy_below():
    assert str(REPORT).splitlines() == [
        "Machine",
        "  ok    cores        4",
        "  note  memory       8.0 GB",
        "",
        "Ops",
        "  BAD   conv on cpu  wrong wrong wrong wrong wrong wrong wrong wrong wrong",
        *["                     wrong wrong wrong wrong wrong wrong wrong wrong wrong"] * 2,
        "                     wrong wrong wrong",
        "                     -> install it again",
        "  warn  BLAS         slow",
        "                     -> take another",
        "",
        "Something is wrong: conv on cpu. Warnings: BLAS. (1.2 s)",
    ]


def test_nothing_wrong():
    report = Report([Section("Machine", [Finding("cores", "4", NOTE)])], 0)
    assert str(report).splitlines()[-1] == "Nothing is wrong. (0.0 s)"
    assert report.bad == report.warnings == []


def test_it_shows_itself_as_it_prints():
    assert repr(REPORT) == str(REPORT)


def test_a_long_path_is_kept_whole_and_a_table_keeps_its_lines():
    path = "/" + "folder/" * 20
    text = str(Report([Section("Cache", [Finding("folder", f"{path} is there"),
                                         Finding("layers", "two", table="a   1\nb   2")])], 0))
    assert path in text
    assert text.splitlines()[3:7] == ["  ok    layers  two", "", "  a   1", "  b   2"]


def test_plain_values():
    plain = REPORT.as_dict()
    assert (plain["bad"], plain["warnings"], plain["seconds"]) == (1, 1, 1.25)
    assert plain["sections"]["Machine"][0] == {
        "what": "cores", "value": "4", "state": "good", "remedy": "", "table": ""}
    assert [f.what for f in REPORT["Ops"]] == ["conv on cpu", "BLAS"]


def test_what_was_found_before_a_question_failed_is_kept():
    def question(number):
        yield Finding("first", str(number))
        raise RuntimeError("the second\nis broken")

    assert asked("both", question, 7) == [
        Finding("first", "7"),
        Finding("both", "the check failed: RuntimeError: the second is broken", WARNING)]
    assert asked("both", question, 7, state=BAD)[1].state == BAD


def test_ctrl_c_is_no_finding():
    def question():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        asked("this", question)
