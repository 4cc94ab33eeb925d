"""``minicnn convert``: see `minicnn.foreign.convert`."""

import os
from pathlib import Path

from minicnn import images
from minicnn.cli.document import about, document
from minicnn.cli.options import option
from minicnn.files import hdf5, stored_probe
from minicnn.foreign.convert import PROBES, convert, is_ours
from minicnn.terminal import tell

FORMATS = {".h5": "HDF5", ".hdf5": "HDF5"}


def add(parser):
    """The options of the command."""
    parser.add_argument("file", help="weight file of Keras, PyTorch, safetensors, Caffe, "
                                     "MatConvNet or NumPy, recognised by its contents")
    parser.add_argument("--to", "--out", required=True, metavar="OUT.h5",
                        help="the file to write, in minicnn's own format; replaces what is there")
    parser.set_defaults(in_place="file")  # what is in minicnn's own format may be replaced
    parser.add_argument("--json", action="store_true", help=about("convert"))
    parser.add_argument("--model", metavar="NAME",
                        help="network of minicnn.models with this architecture (default: as the "
                             "file says)")
    parser.add_argument("--labels", metavar="FILE",
                        help="class names, one per line (default: those in the file, or in a "
                             "synset_words.txt next to it)")
    parser.add_argument("--architecture", metavar="FILE.prototxt",
                        help="architecture of a .caffemodel, instead of the one in it")
    parser.add_argument("--mean", metavar="FILE.binaryproto",
                        help="mean image of a .caffemodel")
    option(parser, convert, "probe", choices=PROBES,
           help="what computes the probe by which the file can be verified: PyTorch, minicnn's "
                "plain operations, or PyTorch if it is installed")
    option(parser, hdf5.save, "dtype", choices=("float16", "float32", "float64"),
           help="type of the stored numbers; float16 rounds them, and if that changes any, the "
                "probe is dropped")


def run(options):
    """Convert and save the network, and print a table of what was done to each array."""
    images.check_destination(options.to, FORMATS)
    there = os.path.exists(options.file) and os.path.exists(options.to)
    if there and os.path.samefile(options.file, options.to) and not is_ours(Path(options.file)):
        raise ValueError(f"{options.to}: is the file to convert and would be overwritten; give "
                         "another name to --to")
    network, table = convert(options.file, options.model, options.labels, options.architecture,
                             options.mean, options.probe)
    hdf5.save(network, options.to, options.dtype)
    if network.probe is not None and not stored_probe.still_of(network.probe, network,
                                                               options.dtype):
        table.notes.append(f"The file has no probe: {options.dtype} rounds its numbers.")
    classes = len(network.labels or [])
    if options.json:
        tell(*document(options.command, out=options.to, network=network.name,
                       parameters=network.count(), class_names=classes,
                       notes=table.notes).split("\n"))
        return
    tell(*str(table).split("\n"), "", f"{options.to}: {network.name}, {network.count():,} "
         f"parameters, {classes} class names")
