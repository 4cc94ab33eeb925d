"""Fuzz the reader of .caffemodel: python tests/fuzz/caffe.py --count 20000 --seed 0"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # tests/

from caffe_files import encode, legacy_blob, small, v0, v1, without_norm
from fuzz import runner

from minicnn.foreign import caffe


def read(path):
    """Look whether it is one, then read it all the same."""
    caffe.recognises(path)
    return caffe.read(path)


def seeds(gadget):
    """Every form of a model; nothing in this format could run anything."""
    old = without_norm(small(legacy_blob))
    models = [small(), v1(old), v0(old)]
    return [encode(model, packed=packed) for model in models for packed in (True, False)]


if __name__ == "__main__":
    runner.main(read, seeds, __doc__)
