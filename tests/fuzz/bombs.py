"""Small files made to take much memory or time, one by one: python tests/fuzz/bombs.py

Each is read by a process of its own, whose peak memory and time are printed; exit status 1 where
one takes more than the rules of `runner` allow. For Linux, whose /proc tells the peak.
"""

import json
import subprocess
import sys
import tempfile
import zipfile
import zlib
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # tests/

import caffe_files as cf
import h5py
import keras_files
import mat_files
import numpy as np
import weight_bytes as wb
from fuzz import runner

PROGRAM = """
import sys, time
import h5py
import numpy as np
from minicnn.foreign.convert import WeightsError, read

def peak():  # of this program alone; resource.getrusage counts what its parent had, too
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM"))

before, began = peak(), time.perf_counter()
try:
    for array in read(sys.argv[1]).arrays.values():
        np.array(array)
    outcome = "read"
except WeightsError as error:
    outcome = "refused: " + str(error).partition(": ")[2][:90]
print((peak() - before) * 1024, time.perf_counter() - began, outcome)
"""
MODEL = keras_files.sequential(keras_files.layer("Flatten", "f"), keras_files.dense("d", 5))
MB = 2**20


def kernel(file, shape=(4, 4), **how):
    """A dense layer of zeros in an open HDF5 file."""
    return file.create_dataset("layers/dense/vars/0", data=np.zeros(shape, "f4"), **how)


def hdf5(folder, build):
    """The bytes of a file that `build` fills."""
    with h5py.File(folder / "made.h5", "w") as file:
        build(file)
    return (folder / "made.h5").read_bytes()


def swelling(file):
    """One chunk of 4 KB that unpacks to 500 MB."""
    stored = kernel(file, (256, 4), chunks=(256, 4), compression="gzip")
    stored.id.write_direct_chunk((0, 0), zlib.compress(bytes(500 * MB), 9))


def deflated(members):
    with tempfile.TemporaryFile() as out:
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
            for name, data in members.items():
                file.writestr(name, data)
        out.seek(0)
        return out.read()


def archive(config, weights):
    return deflated({"config.json": config, "model.weights.h5": weights})


def caffe_layer(*fields):
    return cf.sized(100, cf.sized(1, b"c") + cf.sized(2, b"Convolution") + b"".join(fields))


BOMBS = {
    "zeros.keras": lambda f: archive(json.dumps(MODEL),
                                     hdf5(f, lambda file: kernel(file, (30 * MB, 1)))),
    "half.keras": lambda f: archive(json.dumps(MODEL),
                                    hdf5(f, lambda file: kernel(file, (7 * MB, 1)))),
    "config.keras": lambda f: archive(b'{"config":[' + b"[]," * 1_330_000 + b"[]]}",
                                      hdf5(f, kernel)),
    "gzip.h5": lambda f: hdf5(f, lambda file: kernel(file, (30 * MB, 1), compression="gzip")),
    "half-gzip.h5": lambda f: hdf5(f, lambda file: kernel(file, (15 * MB, 1), compression="gzip")),
    "swelling chunk.h5": lambda f: hdf5(f, swelling),
    "config.h5": lambda f: hdf5(f, lambda file: (kernel(file), file.attrs.update(
        model_config="[" * 60_000_000))),
    "zeros.npz": lambda f: wb.npz({"a": np.zeros((15 * MB, 1), "f4")}, compressed=True),
    "one number.pth": lambda f: wb.torch_zip(value={f"{k}.weight": wb.tensor(
        "0", np.zeros((2, 2), "f4"), shape=(1024, 1024), strides=(0, 0)) for k in range(15)},
        **{"data/0": bytes(16)}),
    "lists.pth": lambda f: wb.zipped({"a/data.pkl": b"\x80\x02" + b"]" * 499_000 + b"."}),
    "dicts.safetensors": lambda f: wb.with_header(b'{"a":[' + b'{"":1},' * 570_000 + b"[]]}"),
    "bfloat16.safetensors": lambda f: wb.with_header(
        {"a": {"dtype": "BF16", "shape": [25 * MB], "data_offsets": [0, 50 * MB]}}, bytes(50 * MB)),
    "layers.caffemodel": lambda f: cf.sized(100, b"") * 190_000,
    "dimensions.caffemodel": lambda f: cf.sized(1, b"n") + caffe_layer(cf.sized(7, cf.sized(
        7, cf.sized(1, b"\xff\xff\xff\xff\x7f" * 190_000)))),
    "braces.prototxt": lambda f: b"layer{" + b"a{}" * 1_330_000 + b"}",
    "zeros.mat": lambda f: mat_files.file({"layers": np.zeros((15 * MB, 1))}, compressed=True),
    "structures.mat": lambda f: mat_files.file(
        {"layers": [{"a": "x", "b": "y"} for _ in range(60_000)]}, compressed=True),
}


def main():
    """Make and read them all."""
    worst = 0
    with tempfile.TemporaryDirectory() as folder:
        for name, make in BOMBS.items():
            path = Path(folder) / name
            path.write_bytes(make(Path(folder)))
            said = subprocess.run([sys.executable, "-c", PROGRAM, str(path)], capture_output=True,
                                  text=True, check=True).stdout.split(maxsplit=2)
            size, grown, spent = path.stat().st_size, int(said[0]), float(said[1])
            wrong = grown > 4 * size + runner.MEMORY or spent > runner.TIME
            worst |= wrong
            print(f"{'WRONG ' if wrong else ''}{name}: {size / 1e6:.2f} MB, takes "
                  f"{grown / 1e6:.0f} MB and {spent:.1f} s, {said[2].strip()}", flush=True)
            path.unlink()
    return worst


if __name__ == "__main__":
    sys.exit(main())
