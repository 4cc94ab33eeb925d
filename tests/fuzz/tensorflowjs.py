"""Fuzz the reader of TensorFlow.js models: python tests/fuzz/tensorflowjs.py --count 20000 --seed 0

A model is two files; here they are spoiled as one, with a line between them.
"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # tests/

import keras_files
from fuzz import runner
from keras_files import conv, dense, layer, sequential

from minicnn.foreign import tensorflowjs

LINE, SHARD = b"\n---\n", "shard.bin"
MODEL = sequential(conv("c1", 4), layer("BatchNormalization", "b1"), layer("Flatten", "f"),
                   dense("d", 5))


def read(path):
    """Part the two files, look whether it is a model, and read it all the same."""
    text, _, numbers = path.read_bytes().partition(LINE)
    path.write_bytes(text)
    path.with_name(SHARD).write_bytes(numbers)
    tensorflowjs.recognises(path)
    return tensorflowjs.read(path)


def seeds(gadget):
    """float32, and one byte a number; nothing in this format could run anything."""
    arrays = keras_files.drawn(MODEL)
    return [model(arrays, "<f4", {}),
            model(arrays, "u1", {"quantization": {"dtype": "uint8", "scale": 0.1, "min": -2.0}})]


def model(arrays, kind, more):
    """Both files as one."""
    entries = [{"name": name, "shape": list(array.shape), "dtype": "float32"} | more
               for name, array in arrays.items()]
    text = json.dumps({"modelTopology": {"model_config": MODEL}, "weightsManifest": [
        {"paths": [SHARD], "weights": entries}]})
    return text.encode() + LINE + b"".join(abs(array).astype(kind).tobytes()
                                           for array in arrays.values())


if __name__ == "__main__":
    runner.main(read, seeds, __doc__.splitlines()[0])
