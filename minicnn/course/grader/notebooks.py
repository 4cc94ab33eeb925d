"""A notebook as a Python source, of which nothing is run here.

What a notebook shows beside its functions (tries, plots, prints, tests of the handout) must neither
cost the functions anything nor take time when they are graded. So of the code cells, in their
order, the source keeps

- every function and class, and every import,
- of the rest what these depend on: assignments to names that the functions use (`PAD = 1`, and
  `W = make(3)`, with what `make` and W use in turn), also to their parts (`Net.step = step`).

What could raise is kept inside `try`, so that a failing cell costs no other one anything. All else
is left out. Each cell must be Python by itself; a note names one that is not. Of two definitions
the last counts, as when the cells are run from top to bottom.

A script made from a notebook (`# In[3]:` or `# %%` between its cells) is read in the same way.
"""

import json
import re

from minicnn.course.grader import magics, names, slicing

CELL = re.compile(r'\{\s*"(?:attachments|cell_type)"')
SPLIT = re.compile(r"^# (?:In\[[ \d]*\]:|%%(?=[ \[\n]|$)).*$", re.MULTILINE)
MARK, LINE = re.compile(r"# (?:cell \d+|the script)"), re.compile(r"\bline (\d{1,7})\b")
MOST_CELLS = 2000
MOST_SCANNED = 20_000_000  # characters, in looking for the cells of a broken file


def source(text):
    """The source of a notebook.

    Parameters
    ----------
    text : str
        The file, of format 3 or 4; one whose JSON is broken gives the cells that can be found.

    Returns
    -------
    source : str or None
        None if no code was found.
    notes : list of str
    """
    cells, notes = _cells(text)
    if not cells:
        return None, [*notes, "the notebook has no code cells"]
    made, more = joined(cells)
    return made, notes + more


def is_exported(text):
    """Whether a script was made from a notebook."""
    return len(SPLIT.findall(text)) > 1 or "get_ipython()" in text


def exported(text):
    """The same for the text of a script made from a notebook."""
    cells = [("the script", text)]
    if names.parsed(magics.removed(text)[0])[0] is None:  # else no cell is lost by an error in it
        cells = [(f"cell {number}", one) for number, one in enumerate(SPLIT.split(text))]
    made, notes = joined([(name, one) for name, one in cells if one.strip()])
    return made, ["the script was made from a notebook and is read as one", *notes]


def joined(cells):
    """One source of cells, (name, text) each, and notes."""
    statements, notes = [], []
    for name, text in cells:
        plain, removed = magics.removed(_storable(text))
        notes += [f"{name}: left out {one}" for one in removed]
        tree, error = names.parsed(plain)
        if tree is None:
            notes.append(f"{name} is not Python and is left out: {error}")
        else:
            statements += [slicing.Statement(node, plain, name) for node in tree.body]
    return slicing.source(statements), notes


def placed(words, text):
    """`words` on the source of a notebook, with places in the notebook instead of line numbers.

    Parameters
    ----------
    words : str
        "raises IndexError: ... (line 41)"
    text : str
        The source; if it is not of a notebook, the words stay as they are.

    Returns
    -------
    str
        "raises IndexError: ... (cell 3: `y = x[9]`)"
    """
    lines = text.split("\n")

    def place(found):
        number = int(found[1])
        if not 0 < number <= len(lines):
            return found[0]
        above = (one for one in reversed(lines[:number]) if MARK.fullmatch(one))
        cell = next(above, "# the notebook")[2:]
        return f"{cell}: `{lines[number - 1].strip()[:60]}`"

    return LINE.sub(place, words) if text.startswith(slicing.FUTURE) else words


def cells(text):
    """All cells of a notebook that can be read, as dicts."""
    try:
        found = _listed(json.loads(text))
    except RecursionError:
        found = []
    except ValueError:
        found = list(_salvaged(text))
    return [one for one in found[:MOST_CELLS] if isinstance(one, dict)]


def _cells(text):
    """The code cells, (name, text) each, and notes."""
    try:
        found, notes = _listed(json.loads(text)), []
    except RecursionError:
        found, notes = [], ["the notebook is nested too deeply to be read"]
    except ValueError as error:
        found = list(_salvaged(text))
        notes = [f"the notebook is broken ({str(error)[:100]}); {len(found)} of its cells could be "
                 "read"]
    if len(found) > MOST_CELLS:
        notes.append(f"of its {len(found):,} cells the first {MOST_CELLS:,} are read")
    return [(f"cell {number}", written(cell)) for number, cell in enumerate(found[:MOST_CELLS], 1)
            if isinstance(cell, dict) and cell.get("cell_type") == "code" and written(cell).strip()
            ], notes


def _listed(book):
    """The cells of a notebook of either format; [] if it is none."""
    if not isinstance(book, dict):
        return []
    sheets = book.get("worksheets") if isinstance(book.get("worksheets"), list) else []
    lists = [book.get("cells"), *(one.get("cells") for one in sheets if isinstance(one, dict))]
    return [cell for cells in lists if isinstance(cells, list) for cell in cells]


def _salvaged(text):
    """The cells of a text that is not JSON as a whole: cut off, or merged with marks of git."""
    decoder, scanned, end = json.JSONDecoder(), 0, 0
    for start in CELL.finditer(text):
        if start.start() < end or scanned > MOST_SCANNED:
            continue
        try:
            cell, end = decoder.raw_decode(text, start.start())
            yield cell
        except json.JSONDecodeError as error:
            scanned += error.pos - start.start()
        except (ValueError, RecursionError):
            scanned += len(text)


def written(cell):
    """The text of a cell: `source`, in format 3 `input`, whole or in lines."""
    text = cell.get("source", cell.get("input", ""))
    if isinstance(text, list):
        text = "".join(one for one in text if isinstance(one, str))
    return text if isinstance(text, str) else ""


def _storable(text):
    """Text that a file can hold, with plain line ends."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    return text.encode("utf-8", "replace").decode("utf-8")
