"""Fuzz the reader of .binaryproto: python tests/fuzz/caffe_mean.py --count 20000 --seed 0"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # tests/

from caffe_files import blob, encode, legacy_blob, normal
from fuzz import runner

from minicnn.foreign import caffe
from minicnn.foreign.caffe_schema import BLOB
from minicnn.foreign.contents import Foreign


def read(path):
    """The mean image as the one array of a file."""
    return Foreign("mean", {"mean": caffe.read_mean(path)[0]}, "OIHW")


def seeds(gadget):
    """Both forms; nothing in this format could run anything."""
    image = normal(3, 6, 5)
    return [encode(form(image), BLOB, packed) for form in (blob, legacy_blob)
            for packed in (True, False)]


if __name__ == "__main__":
    runner.main(read, seeds, __doc__)
