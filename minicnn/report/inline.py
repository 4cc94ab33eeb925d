"""Pictures among the text of a terminal, by the protocol that the terminal understands.

=======  =========================================================================================
iterm    iTerm2's, of iTerm2, WezTerm and mintty: the file itself, in base64
kitty    kitty's, of kitty and Ghostty: a PNG in base64, in chunks
sixel    DEC's of 1987, of foot, mlterm, contour and others: at most 256 colours, six rows at a time
=======  =========================================================================================
"""

import base64
import io
from itertools import groupby

import numpy as np

KITTY_CHUNK = 4096  # bytes that the kitty protocol takes at once
SIXEL_COLUMN = 10  # pixels that a column of the terminal is taken to be wide


def protocol(environment):
    """How a terminal shows pictures, by what it says of itself; None if it does not say.

    Parameters
    ----------
    environment : mapping
        TERM, TERM_PROGRAM, LC_TERMINAL (which ssh passes on) and KITTY_WINDOW_ID.

    Returns
    -------
    {"iterm", "kitty", "sixel"} or None
    """
    term, program = (environment.get(name, "") for name in ("TERM", "TERM_PROGRAM"))
    if term.startswith(("screen", "tmux")):  # which passes none of this on
        return None
    if program in ("iTerm.app", "WezTerm", "mintty") or environment.get("LC_TERMINAL") == "iTerm2":
        return "iterm"
    if (term in ("xterm-kitty", "xterm-ghostty") or program == "ghostty"
            or environment.get("KITTY_WINDOW_ID")):
        return "kitty"
    sixel = term.startswith(("foot", "mlterm", "contour")) or "sixel" in term
    return "sixel" if sixel else None


def escape(png, inline, columns):
    """The characters that make a terminal show a picture, `columns` wide.

    Parameters
    ----------
    png : bytes
        A PNG file; for iterm it may be any picture's file.
    inline : {"iterm", "kitty", "sixel"}
    columns : int

    Returns
    -------
    str
    """
    if inline == "sixel":
        return _sixel(png, columns * SIXEL_COLUMN)
    data = base64.b64encode(png).decode()
    if inline == "iterm":
        return f"\033]1337;File=inline=1;size={len(png)};width={columns}:{data}\a"
    chunks = [data[k:k + KITTY_CHUNK] for k in range(0, len(data), KITTY_CHUNK)]
    first = f"a=T,f=100,q=2,c={columns},"  # show it, a PNG, and do not answer
    return "".join(f"\033_G{'' if k else first}m={int(k < len(chunks) - 1)};{chunk}\033\\"
                   for k, chunk in enumerate(chunks))


def _sixel(png, width):
    """A PNG file in sixels, at most `width` pixels wide: each letter is six pixels, bottom bit up.
    """
    from PIL import Image

    picture = Image.open(io.BytesIO(png)).convert("RGB")
    if picture.width > width:
        picture = picture.resize((width, max(1, round(picture.height * width / picture.width))))
    picture = picture.quantize(256)
    palette = np.array(picture.getpalette(), int).reshape(-1, 3) * 100 // 255  # percent
    colours = "".join("#{};2;{};{};{}".format(k, *each) for k, each in enumerate(palette.tolist()))
    bands = [_band(band) for band in np.split(np.asarray(picture), range(6, picture.height, 6))]
    return (f'\033P0;1;q"1;1;{picture.width};{picture.height}{colours}{"-".join(bands)}\033\\')


def _band(band):
    """Up to six rows of colour numbers (6, W): the pixels of one colour after those of another."""
    bits = 1 << np.arange(len(band))
    return "$".join(f"#{colour}{_runs(bits @ (band == colour) + 63)}"  # 6, 6,W -> W
                    for colour in np.unique(band).tolist())


def _runs(letters):
    """Letters with their repetitions counted: "aaaaa" is "!5a"."""
    runs = [(chr(letter), len([*run])) for letter, run in groupby(letters.tolist())]
    return "".join(f"!{count}{letter}" if count > 3 else letter * count for letter, count in runs)
