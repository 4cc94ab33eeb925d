"""The recipe for minivgg.h5: train, fold the batch normalisations, measure, save.

    python weights/train_minivgg.py DATA.h5 [--out weights/minivgg.h5] [--epochs 10]

DATA.h5 holds, under `train` and `val`: `bytes` (concatenated image files), `offsets` (image i is
bytes[offsets[i]:offsets[i+1]]) and `labels`; and `classes`, the class names. The data used: 100
classes of Tiny-ImageNet, 64x64, 500 training and 50 validation images each. After every epoch a
checkpoint is written next to the output; the same command continues from it.

The shipped file got its probe later, from ``minicnn convert weights/minivgg.h5 --dtype float16``.
"""

import argparse
import io
import sys
import time
from pathlib import Path

import h5py
import numpy as np
from PIL import Image
from tqdm import tqdm

from minicnn import models
from minicnn.ascent.optimizers import SGD
from minicnn.files import hdf5, probe
from minicnn.images import atomic
from minicnn.train import augment, batch_norm, loop

PEAK, MOMENTUM, DECAY, BATCH, SEED = 0.02, 0.9, 5e-4, 64, 0


def read(file, split):
    """(images uint8 (N, 64, 64, 3), labels (N,)) of one split."""
    data, offsets = file[split]["bytes"][()], file[split]["offsets"][()]
    images = [Image.open(io.BytesIO(data[a:b].tobytes())).convert("RGB")
              for a, b in zip(offsets, offsets[1:], strict=False)]
    return np.stack([np.asarray(image) for image in images]), file[split]["labels"][()].astype(int)


def save_checkpoint(path, epoch, network, optimizer):
    arrays = {f"param|{name}|{key}": value for name in network.param_shapes
              for key, value in network.params[name].items()}
    arrays |= {f"velocity|{name}|{key}": v for (name, key), v in optimizer.velocity.items()}
    with atomic(path) as temporary, temporary.open("wb") as file:
        np.savez(file, epoch=epoch, **arrays)


def load_checkpoint(path, network, optimizer):
    with np.load(path) as arrays:
        for entry in arrays.files:
            kind, *where = entry.split("|")
            if kind == "param":
                network.params[where[0]][where[1]] = arrays[entry]
            elif kind == "velocity":
                optimizer.velocity[tuple(where)] = arrays[entry]
        return int(arrays["epoch"])


def vary(images, rng):
    return augment.flip(augment.shift(images, rng), rng)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data")
    parser.add_argument("--out", default="weights/minivgg.h5")
    parser.add_argument("--epochs", type=int, default=10)
    options = parser.parse_args()
    checkpoint = Path(options.out).with_suffix(".checkpoint.npz")

    with h5py.File(options.data) as file:
        classes = [name.decode() for name in file["classes"][()]]
        (images, labels), (val_images, val_labels) = read(file, "train"), read(file, "val")
    network = batch_norm.add(models.minivgg()).initialize(SEED)
    optimizer = SGD(PEAK, MOMENTUM, DECAY)
    start = 0
    if checkpoint.exists():
        start = load_checkpoint(checkpoint, network, optimizer) + 1
    began = time.perf_counter()
    for epoch in loop.epochs(network, images, labels, optimizer, options.epochs,
                             loop.one_cycle(PEAK), vary, BATCH, SEED, start,
                             lambda batches: tqdm(batches, disable=None, leave=False)):
        save_checkpoint(checkpoint, epoch.index, network, optimizer)
        top1 = loop.accuracy(network, val_images, val_labels)
        print(f"epoch {epoch.index + 1}/{options.epochs}  loss {epoch.loss:.3f}  "
              f"train {epoch.accuracy:.1%}  val {top1:.1%}  "
              f"{(time.perf_counter() - began) / 60:.0f} min", flush=True)

    plain = batch_norm.fold(network, models.minivgg())
    plain.labels = classes
    hdf5.save(plain, options.out, "float16")
    shipped = hdf5.load(options.out)  # measure the stored network: folded, half precision
    shipped.about = {
        "trained_on": "100 classes of Tiny-ImageNet at 64x64, 500 images a class",
        "recipe": "weights/train_minivgg.py", "epochs": options.epochs, "licence": "MIT",
        "validation_top1": loop.accuracy(shipped, val_images, val_labels),
        "validation_top5": loop.accuracy(shipped, val_images, val_labels, top=5),
        "validation_images": len(val_images),
    }
    shipped.probe = probe.make(shipped)
    hdf5.save(shipped, options.out, "float16")
    checkpoint.unlink()
    print(shipped.about, file=sys.stderr)


if __name__ == "__main__":
    main()
