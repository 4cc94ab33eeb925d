"""Fuzz the reader of MatConvNet's .mat: python tests/fuzz/matconvnet.py --count 20000 --seed 0"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # tests/

from fuzz import runner
from mat_files import file, small

from minicnn.foreign import matconvnet


def read(path):
    """Look whether it is one, then read it all the same."""
    matconvnet.recognises(path)
    return matconvnet.read(path)


def seeds(gadget):
    """Packed, not packed, and the other way round; no function or object is ever made."""
    return [file(small()), file(small()), file(small(), compressed=True),
            file(small(), order=">")]


if __name__ == "__main__":
    runner.main(read, seeds, __doc__)
