"""Read class names from a text file, one per line.

In Caffe's synset_words.txt each line begins with a WordNet id ("n01440764 tench, Tinca tinca"),
which is removed.
"""

import re
from collections.abc import Callable
from pathlib import Path

from minicnn.files import mapped
from minicnn.foreign.settings import require
from minicnn.network import Network

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


def name_classes(network: Network, label_file: str | Path,
                 names_of: Callable[[str | Path], list[str]] = read) -> None:
    """Give a network the class names in a file; ValueError unless each output has one."""
    names = names_of(label_file)
    classes = network.shapes[network.logits][-1]
    require(len(names) == classes, "{}: expected {} class names, one for each output of {}, got {}",
            label_file, classes, network.logits, len(names))
    network.labels = names
