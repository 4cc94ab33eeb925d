"""Fuzz the reader of Keras' HDF5 files: python tests/fuzz/keras_hdf5.py --count 20000 --seed 0

HDF5 is read by a library in C, which a spoiled file may bring down or hold for ever: the files are
read in batches by a process of their own, and one that ends it is listed and left behind.
"""

import argparse
import faulthandler
import json
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # tests/

import h5py
import keras_files
from fuzz import runner
from keras_files import conv, dense, grouped, layer, sequential

from minicnn.foreign import keras_hdf5

BATCH = 500
MODEL = sequential(conv("c1", 4, padding="same", strides=[2, 2]),
                   layer("BatchNormalization", "b1", scale=False), layer("ReLU", "r1"),
                   sequential(conv("c2", 4), name="base"), layer("Flatten", "f"), dense("d", 5))


def read(path):
    """Look whether it is one, then read it all the same."""
    keras_hdf5.recognises(path)
    return keras_hdf5.read(path)


def seeds(gadget):
    """Good files of every version; nothing in this format could run anything."""
    arrays, path = keras_files.drawn(MODEL), gadget.with_name("seed.h5")
    groups = grouped({place: a for place, a in arrays.items() if not place.startswith("c2")}) | {
        "base": {f"{place}:0": arrays[place] for place in ("c2/kernel", "c2/bias")}, "f": {}}
    old = {name: {f"{name}_W:0": keras_files.normal(3, 3, 4, 4)} for name in ("c1", "c2")}
    new = {"conv2d": [arrays["c1/kernel"], arrays["c1/bias"]], "dense": [arrays["d/kernel"]],
           "batch_normalization": [arrays["b1/beta"]] * 3}
    files = [keras_files.weights_file(path, old, version="").read_bytes(),
             keras_files.weights_file(path, groups).read_bytes(),
             keras_files.model_file(path, groups, MODEL).read_bytes(),
             keras_files.version_3_file(path, new, {"conv2d": "c1"}).read_bytes()]
    with h5py.File(path, "w", libver="latest") as file:  # what HDF5 can do besides
        keras_files.write_groups(file, groups)
        del file["d/d/kernel:0"]
        file["d"].create_dataset("d/kernel:0", data=arrays["d/kernel"], chunks=(8, 5), shuffle=True,
                                 compression="gzip", fletcher32=True, maxshape=(None, 5))
        file.attrs["model_config"] = json.dumps(MODEL)
    files.append(path.read_bytes())
    path.unlink()
    return files


def main():
    """Read files in batches, each by a process; exit status 1 where one broke a rule."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=20000, help="files (default %(default)s)")
    parser.add_argument("--first", type=int, default=0, help="begin with this one (default 0)")
    parser.add_argument("--seed", type=int, default=0, help="(default 0)")
    parser.add_argument("--batch", action="store_true", help="be the process that reads them")
    options = parser.parse_args()
    if options.batch:
        return batch(options.seed, options.first, options.count)
    at, end, outcome, broken = options.first, options.first + options.count, Counter(), []
    while at < end:
        words = in_a_process(options.seed, at, min(BATCH, end - at))
        outcome += Counter(word for word in words if word in ("read", "refused"))
        if words[-1] not in ("read", "refused"):
            broken.append(f"case {at + len(words) - 1}: {words[-1]}")
            print(broken[-1], flush=True)
        at += len(words)
    print(f"{options.count} files, from {options.first} on, seed {options.seed}: "
          f"{len(broken)} broke a rule; {dict(outcome)}")
    return 1 if broken else 0


def in_a_process(seed, first, count):
    """What became of each file up to the first that broke a rule: "read", "refused", why not."""
    with tempfile.TemporaryFile("w+") as said, tempfile.TemporaryFile("w+") as complaint:
        ended = subprocess.run(
            [sys.executable, __file__, "--batch", "--seed", str(seed), "--first", str(first),
             "--count", str(count)], stdout=said, stderr=complaint).returncode
        said.seek(0)
        complaint.seek(0)
        words, why = said.read().split(), complaint.read().strip().splitlines() or [""]
    if ended == 0:
        return words
    slow = [line for line in why if line.startswith("Timeout")]
    return [*words, f"exit status {ended}, {(slow or why)[-1]}"]


def batch(seed, first, count):
    """Read some files, and say of each what became of it."""
    with tempfile.TemporaryDirectory() as folder:
        gadget = Path(folder) / "ran"
        good = seeds(gadget)
        for k in range(first, first + count):
            faulthandler.dump_traceback_later(2 * runner.TIME, exit=True)
            print(runner.case(read, good, seed, k, Path(folder), gadget), flush=True)
    faulthandler.cancel_dump_traceback_later()
    return 0


if __name__ == "__main__":
    sys.exit(main())
