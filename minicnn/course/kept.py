"""What is kept of a reader between two runs: a table in a JSON file of the cache folder."""

import json

from minicnn import images


def read(path):
    """The table, a dict; {} if there is none, or none that can be read."""
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return kept if isinstance(kept, dict) else {}


def write(path, kept):
    """Write the table.

    Raises
    ------
    ValueError, OSError
        The file cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    images.write(path, json.dumps(kept, indent=1) + "\n")
