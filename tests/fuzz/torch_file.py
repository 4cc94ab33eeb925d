"""Fuzz the reader of PyTorch files: python tests/fuzz/torch_file.py --count 20000 --seed 0

The good files are small ones of all three containers; of the zip also one without checksums, since
a spoiled one is otherwise refused before its pickle is looked at. Some hold a gadget that makes a
file if it is ever run.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # tests/

import weight_bytes as wb
from fuzz import runner

from minicnn.foreign import torch_file


def seeds(gadget):
    """Good files, and ones with a gadget that would make the file `gadget`."""
    arrays = wb.small()
    program = wb.call(wb.name("posix", "system"), f"touch {gadget}")
    mixed = {"state_dict": {"module.w": wb.tensor("0", arrays["conv.weight"])}, "epoch": 3,
             "lr": 0.1, "x": (1, [2.5, None, True])}
    bad = {"w": wb.tensor("0", arrays["conv.weight"]), "x": program}
    return [wb.without_checksums(wb.torch_zip()), wb.torch_row(), wb.torch_tar(), wb.torch_zip(),
            wb.without_checksums(wb.torch_zip(value=mixed)),
            wb.without_checksums(wb.torch_zip(value=bad)),
            wb.torch_row({"w": arrays["conv.weight"]}, value=bad), wb.torch_tar(value=bad)]


if __name__ == "__main__":
    runner.main(torch_file.read, seeds, __doc__.splitlines()[0])
