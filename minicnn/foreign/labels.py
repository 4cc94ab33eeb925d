"""Read class names from a text file, one per line.

In Caffe's synset_words.txt each line begins with a WordNet id ("n01440764 tench, Tinca tinca"),
which is removed.
"""

import re
from pathlib import Path

from minicnn.files import mapped

WORDNET_ID = re.compile(r"^n\d{8}\s+")
BESIDE = "synset_words.txt"
LARGEST = 10**7  # bytes; ImageNet's 22,000 names are a million


def read(path):
    """The class names in a file, in order."""
    try:
        if not Path(path).is_file():
            raise OSError(mapped.no_file(path))
        if Path(path).stat().st_size > LARGEST:
            raise OSError(f"it has more than {LARGEST:,} bytes")
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: cannot be read as a list of class names, one per line: {error}"
                         ) from None
    return [WORDNET_ID.sub("", line).strip() for line in lines if line.strip()]


def beside(path, count):
    """The names in a synset_words.txt beside the file `path`; None unless there are `count`."""
    candidate = Path(path).with_name(BESIDE)
    names = read(candidate) if candidate.is_file() else []
    return names if len(names) == count else None
