"""The bytes of a source file as text, whatever editor wrote them.

Tried in this order: what the byte order mark says (UTF-8, UTF-16, UTF-32), UTF-16 by its pattern of
zeros, what the file itself declares in its first two lines (PEP 263), UTF-8, Latin-1. A text always
results; what had to be guessed or removed is said in notes.
"""

import codecs
import re

MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF32_LE, "utf-32-le"),
         (codecs.BOM_UTF32_BE, "utf-32-be"), (codecs.BOM_UTF16_LE, "utf-16-le"),
         (codecs.BOM_UTF16_BE, "utf-16-be"))
COOKIE = re.compile(r"^([ \t\f]*#.*?coding[:=][ \t]*)([-\w.]+)", re.ASCII)
KNOWN = re.compile(r"(utf[-_]?8|u8|ascii|us[-_]ascii|latin|l1|iso[-_]?8859|iso[-_]latin|cp\d|"
                   r"windows[-_]|mac[-_]|koi8|gb|big5|shift|sjis|euc)", re.IGNORECASE)


def text(data):
    """The text of a source file.

    Parameters
    ----------
    data : bytes

    Returns
    -------
    text : str
        Lines end with a newline sign alone; an encoding that the file declares is changed to UTF-8,
        which the text will be stored as.
    notes : list of str
    """
    found, notes = _decoded(data)
    if "\0" in found:
        notes.append(f"{found.count(chr(0))} NUL bytes were taken out of the file")
        found = found.replace("\0", "")
    found = found.replace("\r\n", "\n").replace("\r", "\n").rstrip("\x1a")  # DOS ends files so
    return _declared_utf8(found), notes


def _decoded(data):
    for mark, encoding in MARKS:
        if data.startswith(mark):
            return _marked(data[len(mark):], encoding)
    if encoding := _by_zeros(data):
        return _marked(data, encoding)
    name = _declared(data)
    if name and not KNOWN.match(name):
        found, notes = _utf8(data)
        return found, [f"the file declares the unknown encoding {name[:40]}", *notes]
    return _as(data, name) if name else _utf8(data)


def _marked(data, encoding):
    try:
        return data.decode(encoding), []
    except UnicodeDecodeError:
        return (data.decode(encoding, "replace"),
                [f"the file is damaged: not all of it is {encoding.upper()}"])


def _by_zeros(data):
    """UTF-16 without a mark: in Latin text every other byte is zero."""
    start = data[:200]
    if len(start) < 8 or len(data) % 2:
        return ""
    for offset, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        zeros, others = start[offset::2], start[1 - offset::2]
        if zeros.count(0) > 0.8 * len(zeros) and others.count(0) == 0:
            return encoding
    return ""


def _declared(data):
    for one in data.split(b"\n", 2)[:2]:
        if found := COOKIE.match(one[:200].decode("latin-1")):
            return found[2]
    return ""


def _as(data, name):
    try:
        return data.decode(name), []
    except (UnicodeDecodeError, LookupError):
        found, notes = _utf8(data)
        return found, [f"the file declares the encoding {name[:40]}, but is not in it", *notes]


def _utf8(data):
    try:
        return data.decode("utf-8"), []
    except UnicodeDecodeError as error:
        where = data.count(b"\n", 0, error.start) + 1
        return data.decode("latin-1"), [f"line {where} is not UTF-8; the file was read as Latin-1"]


def _declared_utf8(found):
    lines = found.split("\n", 2)
    lines[:2] = [COOKIE.sub(r"\1utf-8", one) for one in lines[:2]]
    return "\n".join(lines)
