"""Pictures at their own size, in a folder beside the file that shows them.

A command that shows pictures on a sheet NAME.png, or a small picture enlarged, also saves every
picture pixel by pixel, as it was made: in the folder NAME, as PNG files. There is no such folder
where NAME.png is the picture itself.
"""

import re
from pathlib import Path

from minicnn import images
from minicnn.images.pictures import ENLARGED

MOST = 100  # characters of a file's name


def folder(path):
    """The folder of the pictures that a file shows: its path without the suffix."""
    return Path(path).with_suffix("")


def check(path):
    """Raise ValueError if the folder cannot be made: before the work, not after it."""
    made = folder(path)
    if made.exists() and not made.is_dir():
        raise ValueError(f"{made}: pictures at their own size go into a folder of this name, but "
                         "there is a file; move it away, or give another --out")


def save(path, pictures):
    """Write pictures into the folder of a file.

    Parameters
    ----------
    path : str or path
        Of the file, for example the sheet.
    pictures : dict of str to (H, W, 3) uint8
        By the names of their files, without suffix; what a file's name cannot have becomes "_".

    Returns
    -------
    Path
        The folder. Files of the same names are replaced; others are left alone.
    """
    made = folder(path)
    made.mkdir(exist_ok=True)
    for name, picture in pictures.items():
        images.save(made / f"{file_name(name)}.png", picture)
    return made


def show(path, picture):
    """Write one picture for viewing; if it is small, enlarge it, and save it itself in the folder.

    Parameters
    ----------
    path : str or path
    picture : (H, W, 3) uint8

    Returns
    -------
    Path or None
        The file of the picture itself, where `path` is enlarged.
    """
    large = images.enlarged(picture)
    if large is picture:
        images.save(path, picture)
        return None
    itself = folder(path) / f"{file_name(folder(path).name)}.png"
    height, width = picture.shape[:2]
    images.save(path, large, comment=f"{ENLARGED}, from {width}x{height} pixels; the picture "
                                     "itself is in the folder of this name.")
    save(path, {folder(path).name: picture})
    return itself


def unit(network, layer, channel):
    """The name of the picture of a channel: "conv3_1_5", for a class "fc8_1_goldfish"."""
    is_class = layer == network.logits and network.labels
    return f"{layer}_{channel}" + (f"_{network.label(channel).split(',')[0]}" if is_class else "")


def file_name(text):
    """The text with "_" for all but letters, digits, dot and hyphen, which all systems can have."""
    return re.sub(r"[^\w.-]+", "_", text).strip("._")[:MOST] or "picture"
