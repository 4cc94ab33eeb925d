"""Fuzz the reader of .keras files: python tests/fuzz/keras_archive.py --count 20000 --seed 0"""

import io
import json
import sys
import zipfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # tests/

import keras_files
import weight_bytes
from fuzz import runner
from keras_files import conv, dense, layer, sequential

from minicnn.foreign import keras_archive

MODEL = sequential(conv("c1", 4), layer("Flatten", "f"), dense("d", 5))


def read(path):
    """Look whether it is one, then read it all the same."""
    keras_archive.recognises(path)
    return keras_archive.read(path)


def seeds(gadget):
    """Good files, stored and deflated, with and without checksums; the JSON is where most of a
    spoiled file's damage falls."""
    arrays, path = keras_files.drawn(MODEL), gadget.with_name("seed.h5")
    layers = {"conv2d": [arrays["c1/kernel"], arrays["c1/bias"]], "dense": [arrays["d/kernel"]]}
    members = {"config.json": json.dumps(MODEL).encode(), "model.weights.h5":
               keras_files.version_3_file(path, layers, {"conv2d": "c1"}).read_bytes()}
    path.unlink()
    packed = [zipped(members, how) for how in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)]
    return packed + [weight_bytes.without_checksums(data) for data in packed]


def zipped(members, how):
    """The bytes of a ZIP file."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", how) as file:
        for name, data in members.items():
            file.writestr(name, data)
    return out.getvalue()


if __name__ == "__main__":
    runner.main(read, seeds, __doc__)
