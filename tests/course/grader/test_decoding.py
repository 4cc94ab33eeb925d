"""Source files of all editors as text."""

import codecs

import pytest

from minicnn.course.grader.decoding import text

SOURCE = "# é\nx = 'ü'\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "utf-16-le",
                                      "utf-16-be"])
def test_no_note_on_what_is_certain(encoding):
    code = "import numpy as np\nprint(np.ones(3))  # é\n"
    assert text(code.encode(encoding)) == (code, [])


def test_utf16_with_its_marks():
    for mark, encoding in ((codecs.BOM_UTF16_BE, "utf-16-be"), (codecs.BOM_UTF16_LE, "utf-16-le")):
        assert text(mark + SOURCE.encode(encoding)) == (SOURCE, [])


def test_latin1_is_guessed_and_said():
    made, notes = text(SOURCE.encode("latin-1"))
    assert made == SOURCE and notes == ["line 1 is not UTF-8; the file was read as Latin-1"]


@pytest.mark.parametrize("ends", ["\r\n", "\r", "\n"])
def test_line_ends(ends):
    assert text(SOURCE.replace("\n", ends).encode())[0] == SOURCE


def test_a_declared_encoding_is_used_and_changed():
    made, notes = text("#!/usr/bin/python\n# -*- coding: cp1252 -*-\nx = '€'\n".encode("cp1252"))
    assert made == "#!/usr/bin/python\n# -*- coding: utf-8 -*-\nx = '€'\n" and notes == []
    compile(made.encode(), "x", "exec")


@pytest.mark.parametrize("name", ["rot13", "utf-7", "punycode", "nonsense", "unicode_escape"])
def test_strange_encodings_are_not_tried(name):
    made, notes = text(f"# coding: {name}\nx = 1\n".encode())
    assert made == "# coding: utf-8\nx = 1\n" and "unknown encoding" in notes[0]


def test_an_encoding_that_is_not_kept():
    made, notes = text(b"# coding: utf-8\nx = '\xe9'\n")
    assert made.endswith("x = 'é'\n") and "not in it" in notes[0] and "Latin-1" in notes[1]


def test_nul_bytes_go():
    made, notes = text(b"x = 1\0\0\ny = 2\n\x1a")
    assert made == "x = 1\ny = 2\n" and notes == ["2 NUL bytes were taken out of the file"]


@pytest.mark.parametrize("data", [b"", b"\xff\xfe", b"\xff\xfe\x00", b"\xff\xfe\x00\xd8",
                                  bytes(range(256)), b"\0" * 100])
def test_any_bytes_are_a_text(data):
    text(data)[0].encode("utf-8")
