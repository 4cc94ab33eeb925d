"""Fuzz the reader of safetensors: python tests/fuzz/safetensors_file.py --count 20000 --seed 0"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # tests/

import weight_bytes as wb
from fuzz import runner

from minicnn.foreign import safetensors_file


def seeds(gadget):
    """Good files; nothing in this format could run anything."""
    return [wb.safetensors(), wb.safetensors(metadata={"format": "pt"}),
            wb.safetensors(kinds={"conv.bias": "BF16"})]


if __name__ == "__main__":
    runner.main(safetensors_file.read, seeds, __doc__)
