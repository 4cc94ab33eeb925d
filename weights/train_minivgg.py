"""The recipe for minivgg.h5: train, fold the batch normalisations, measure, save.

    python weights/train_minivgg.py DATA.h5 [--out weights/minivgg.h5] [--hours 1.2 | --epochs 16]

DATA.h5 holds, under `train` and `val`: `bytes` (concatenated image files), `offsets` (image i is
bytes[offsets[i]:offsets[i+1]]) and `labels`; and `classes`, the class names. The data used: 100
classes of Tiny-ImageNet, 64x64, 500 training and 50 validation images each.

Small images first: at half the size an epoch takes a quarter of the time. The early epochs use
images of 32 and 48 pixels. The last pooling is adapted so that its output stays 4 x 4, and all
weights fit all sizes. With --hours the number of epochs is planned again after each epoch, from
the time that the epochs took.

After every epoch a checkpoint is written next to the output; the same command continues from it,
to the same bytes if the plan is the same (with --hours the plan depends on the machine's speed).
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
from minicnn.fast.workspace import Workspace
from minicnn.files import hdf5, probe
from minicnn.images import atomic, normalize
from minicnn.network import Network
from minicnn.network.layers import MaxPool
from minicnn.train import augment, batch_norm, loop

PEAK, MOMENTUM, DECAY, SMOOTHING, BATCH, SEED = 0.05, 0.9, 5e-4, 0.1, 64, 0
SIZES = {32: MaxPool(1), 48: MaxPool(3, 1), 64: MaxPool(2)}  # the last pooling, to 4 x 4
UNTIL = {32: 0.3, 48: 0.55, 64: 1.0}  # the share of all epochs at which each size ends
GUESS = 2e-6  # seconds for one image, by pixel, before the first epoch has been measured


def read(file, split):
    """(images uint8 (N, 64, 64, 3), labels (N,)) of one split."""
    data, offsets = file[split]["bytes"][()], file[split]["offsets"][()]
    images = [Image.open(io.BytesIO(data[a:b].tobytes())).convert("RGB")
              for a, b in zip(offsets, offsets[1:], strict=False)]
    return np.stack([np.asarray(image) for image in images]), file[split]["labels"][()].astype(int)


def sized(network, size):
    """The same network, with the same arrays, for images of another size."""
    rows = [(name, SIZES[size] if name == "pool4" else layer, inputs)
            for name, layer, inputs in network.rows]
    other = Network(network.name, rows, (size, size, 3), network.preprocessing)
    other.params = network.params
    return other


def size_at(share):
    """The size of image when `share` of training (0..1) is done."""
    return next(size for size, until in UNTIL.items() if share < until or size == 64)


def planned(share, seconds, speed):
    """How many epochs, from `share` of training to its end, take about `seconds`."""
    shares = np.linspace(share, 1, 100, endpoint=False)
    epoch = speed * np.mean([size_at(s) ** 2 for s in shares])
    return max(1, round(seconds / epoch))


def one_epoch(network, images, labels, optimizer, epoch, begin, end):
    """Train on all images once, while the share of training goes from begin to end."""
    rng, rate, size = np.random.default_rng((SEED, epoch)), loop.one_cycle(PEAK), size_at(begin)
    learner, workspace, steps = sized(network, size), Workspace(), len(images) // BATCH
    order = rng.permutation(len(images))[: steps * BATCH].reshape(steps, BATCH)
    loss, right = 0.0, 0
    for step, chosen in enumerate(tqdm(order, disable=None, leave=False)):
        optimizer.rate = rate(begin + (end - begin) * step / steps)
        pixels = augment.flip(augment.crop(images[chosen], rng, 0.5, size), rng)
        x = normalize(augment.colour(pixels, rng), network.preprocessing)
        with workspace:
            one, hits = loop.train_step(learner, x, labels[chosen], optimizer, rng, SMOOTHING)
        if not np.isfinite(one):
            raise SystemExit(f"the loss is {one} at step {step} of epoch {epoch + 1}")
        loss, right = loss + one / steps, right + hits
    return size, loss, right / order.size


def save_checkpoint(path, network, optimizer, **progress):
    arrays = {f"param|{name}|{key}": value for name in network.param_shapes
              for key, value in network.params[name].items()}
    arrays |= {f"velocity|{name}|{key}": v for (name, key), v in optimizer.velocity.items()}
    with atomic(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **progress, **arrays)


def load_checkpoint(path, network, optimizer):
    """Set the arrays of both; returns (epochs done, share done, seconds used, speed)."""
    with np.load(path) as arrays:
        for entry in arrays.files:
            kind, *where = entry.split("|")
            if kind == "param":
                network.params[where[0]][where[1]] = arrays[entry]
            elif kind == "velocity":
                optimizer.velocity[tuple(where)] = arrays[entry]
        return (int(arrays["epoch"]), *(float(arrays[k]) for k in ("share", "seconds", "speed")))


def train(network, data, validation, optimizer, checkpoint, epochs, hours):
    """Train to the end of the plan; returns the number of epochs."""
    epoch, share, used, speed = 0, 0.0, 0.0, GUESS * len(data[0])
    if checkpoint.exists():
        epoch, share, used, speed = load_checkpoint(checkpoint, network, optimizer)
    while share < 1:
        began = time.perf_counter()
        left = planned(share, 3600 * hours - used, speed) if hours else epochs - epoch
        end = 1.0 if left == 1 else share + (1 - share) / left
        size, loss, right = one_epoch(network, *data, optimizer, epoch, share, end)
        speed = (time.perf_counter() - began) / size**2
        top1 = loop.accuracy(sized(network, size), small(validation[0], size), validation[1])
        used += time.perf_counter() - began
        epoch, share = epoch + 1, end
        save_checkpoint(checkpoint, network, optimizer, epoch=epoch, share=share, seconds=used,
                        speed=speed)
        print(f"epoch {epoch}/{epoch + left - 1}  {size} px  loss {loss:.3f}  train {right:.1%}  "
              f"val {top1:.1%}  {used / 60:.1f} min", flush=True)
    return epoch


def small(images, size):
    """The images in another size."""
    return np.stack([np.asarray(Image.fromarray(image).resize((size, size), Image.BILINEAR))
                     for image in images])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data")
    parser.add_argument("--out", default="weights/minivgg.h5")
    parser.add_argument("--epochs", type=int, default=16)
    parser.add_argument("--hours", type=float, help="as many epochs as take about this long")
    options = parser.parse_args()
    checkpoint = Path(options.out).with_suffix(".checkpoint.npz")

    with h5py.File(options.data) as file:
        classes = [name.decode() for name in file["classes"][()]]
        data, validation = read(file, "train"), read(file, "val")
    network = batch_norm.add(models.minivgg()).initialize(SEED)
    epochs = train(network, data, validation, SGD(PEAK, MOMENTUM, DECAY), checkpoint,
                   options.epochs, options.hours)

    plain = batch_norm.fold(network, models.minivgg())
    plain.labels = classes
    hdf5.save(plain, options.out, "float16")
    shipped = hdf5.load(options.out)  # measure the stored network: folded, half precision
    shipped.about = {
        "trained_on": "100 classes of Tiny-ImageNet at 64x64, 500 images a class",
        "recipe": "weights/train_minivgg.py", "epochs": epochs, "licence": "MIT",
        "validation_top1": loop.accuracy(shipped, *validation),
        "validation_top5": loop.accuracy(shipped, *validation, top=5),
        "validation_images": len(validation[0]),
    }
    shipped.probe = probe.make(shipped)
    hdf5.save(shipped, options.out, "float16")
    checkpoint.unlink()
    print(shipped.about, file=sys.stderr)


if __name__ == "__main__":
    main()
