"""Tables of numbers as HTML, for where a step figure has no JavaScript: on paper, in a reader."""

import math

import numpy as np


def number(v):
    """A number as the page writes it: three digits, two if it is small, and all of an integer.

    Examples
    --------
    >>> [number(v) for v in (37.0, -0.5, 1 / 3, 1 / 18, 12345.6, 2e-5)]
    ['37', '−0.5', '0.333', '0.056', '12346', '2.0e−5']
    """
    v = float(v)
    if not math.isfinite(v):
        return "∞" if v > 0 else "−∞"
    size = abs(v)
    if size == int(size) and size < 1e7:
        shown = str(int(size))
    elif 1e-3 <= size < 1e7:
        order = math.floor(math.log10(size))
        digits = max(0, 1 - order if order < -1 else 2 - order)
        shown = f"{size:.{digits}f}"
        shown = shown.rstrip("0").rstrip(".") if digits else shown
    else:
        mantissa, power = f"{size:.1e}".split("e")
        shown = f"{mantissa}e{int(power)}".replace("-", "−")
    return ("−" if v < 0 and size else "") + shown


def grid(symbol, words, array, marked=(), first=(0, 0)):
    """One array as a table with a caption.

    Parameters
    ----------
    symbol, words : str
        The array's letter, and what it is; HTML.
    array : array (H, W)
    marked : collection of (row, column)
        Cells that are framed.
    first : (row, column)
        The numbers of the first row and column.
    """
    h, w = array.shape
    heads = "".join(f"<th>{number(first[1] + j) if w > 1 else ''}</th>" for j in range(w))
    rows = [f"<tr><th></th>{heads}</tr>"]
    for i in range(h):
        cells = "".join(_cell(array[i, j], _frame(i, j, marked)) for j in range(w))
        rows.append(f"<tr><th>{number(first[0] + i) if h > 1 else ''}</th>{cells}</tr>")
    chars = max(3, max(len(number(v)) for v in array.flat))
    return (f'<figure class="panel" style="--columns: {w}; --chars: {chars}">'
            f"<figcaption><b><i>{symbol}</i></b> <span>{words}</span></figcaption><table>"
            + "\n".join(rows) + "</table></figure>")


def row(*pieces):
    """Tables side by side; a short text between them is a sign, as → or ×."""
    return '<div class="row">' + "".join(
        piece if piece.startswith("<") else f'<span class="sign">{piece}</span>'
        for piece in pieces) + "</div>"


SIDES = {(-1, 0): "0 3px", (1, 0): "0 -3px", (0, -1): "3px 0", (0, 1): "-3px 0"}


def _frame(i, j, marked):
    """The sides of a marked cell that lie at the border of what is marked, as lines of CSS."""
    if (i, j) not in marked:
        return ""
    return ", ".join(f"inset {side} 0 #111" for (di, dj), side in SIDES.items()
                     if (i + di, j + dj) not in marked)


def _cell(value, frame):
    style = f' style="--edges: {frame}"' if frame else ""
    return f'<td data-v="{float(value)!r}"{style}>{number(value)}</td>'


def size(array):
    """An array's height and width in words."""
    return "\u00a0×\u00a0".join(map(str, np.shape(array)[:2]))
