"""What is kept of a reader between two runs: a table in a JSON file of the cache folder."""

import json
import os
import warnings
from contextlib import suppress

from minicnn import images


def read(path):
    """The table, a dict; {} if there is none. A damaged one is set aside, with a warning."""
    if not path.is_file():
        return {}
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
    except OSError:
        return {}
    except ValueError:
        kept = None
    if isinstance(kept, dict):
        return kept
    aside = path.with_name(f"{path.name}.broken")
    with suppress(OSError):
        os.replace(path, aside)
        warnings.warn(f"{path}: damaged, as by a power cut; it is set aside as {aside.name}, and a "
                      "new one is begun", stacklevel=3)
    return {}


def write(path, kept):
    """Write the table.

    Raises
    ------
    ValueError, OSError
        The file cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    images.write(path, json.dumps(kept, indent=1) + "\n")
