"""``minicnn convert``: see `minicnn.foreign.convert`."""

import os
from pathlib import Path

from minicnn import images
from minicnn.cli.options import option
from minicnn.files import hdf5, stored_probe
from minicnn.foreign.convert import PROBES, convert, is_ours

FORMATS = {".h5": "HDF5", ".hdf5": "HDF5"}


def add(parser):
    """The options of the command."""
    parser.add_argument("file", help="of Keras, PyTorch, safetensors, Caffe, MatConvNet or NumPy; "
                                     "which, its contents say")
    parser.add_argument("--to", "--out", required=True, metavar="OUT.h5",
                        help="the file to write, in minicnn's own form")
    parser.add_argument("--model", metavar="NAME",
                        help="the network of minicnn.models it fits (default: what the file says)")
    parser.add_argument("--labels", metavar="FILE", help="class names, one a line (default: those "
                        "in the file, or in a synset_words.txt beside it)")
    parser.add_argument("--architecture", metavar="FILE.prototxt",
                        help="of a .caffemodel, in place of the one in it")
    parser.add_argument("--mean", metavar="FILE.binaryproto",
                        help="the mean image of a .caffemodel")
    option(parser, convert, "probe", choices=PROBES,
           help="who computes what the file verifies itself by: PyTorch, minicnn's plain "
                "operations, or PyTorch where it is installed")
    option(parser, hdf5.save, "dtype", choices=("float16", "float32", "float64"),
           help="how the numbers are stored; float16 rounds them, and drops the probe if that "
                "changes any")


def run(options):
    """Convert, write, and print what was done to each array."""
    images.check_destination(options.to, FORMATS)
    there = os.path.exists(options.file) and os.path.exists(options.to)
    if there and os.path.samefile(options.file, options.to) and not is_ours(Path(options.file)):
        raise ValueError(f"{options.to}: is the file to convert, which would be lost; give another "
                         "name")
    network, table = convert(options.file, options.model, options.labels, options.architecture,
                             options.mean, options.probe)
    hdf5.save(network, options.to, options.dtype)
    if network.probe is not None and not stored_probe.still_of(network.probe, network,
                                                               options.dtype):
        table.notes.append(f"As {options.dtype} its numbers are rounded: the file has no probe.")
    print(f"{table}\n\n{options.to}: {network.name}, {network.count():,} parameters, "
          f"{len(network.labels or [])} class names")
