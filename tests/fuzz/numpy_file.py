"""Fuzz the reader of .npy and .npz: python tests/fuzz/numpy_file.py --count 20000 --seed 0"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # tests/

import numpy as np
import weight_bytes as wb
from fuzz import runner

from minicnn.foreign import numpy_file


class Gadget:
    """An object whose pickle makes a file."""

    def __init__(self, path):
        self.path = Path(path)

    def __reduce__(self):
        return Path.touch, (self.path,)


def seeds(gadget):
    """Good files, and arrays of objects that would make the file `gadget`."""
    array = wb.small()["conv.weight"]
    bad = wb.npy(np.array([Gadget(gadget)], object))
    return [wb.npz(), wb.without_checksums(wb.npz()), wb.npz(compressed=True),
            wb.without_checksums(wb.npz(compressed=True)), wb.npy(array), wb.npy(array.T), bad,
            wb.without_checksums(wb.zipped({"w.npy": wb.npy(array), "x.npy": bad}))]


if __name__ == "__main__":
    runner.main(numpy_file.read, seeds, __doc__)
