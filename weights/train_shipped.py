"""The recipe for minivgg.h5 and minialex.h5: train, fold the batch normalisations, measure, save.

    python weights/train_shipped.py minivgg DATA.h5 [--hours 1.4 | --epochs 20]
    python weights/train_shipped.py minialex DATA.h5 [--hours 1.4 | --epochs 24]

DATA.h5 is a pack with the splits `train` and `val`, see `minicnn.files.photos`. The data used: 100
classes of Tiny-ImageNet, 64x64, 500 training and 50 validation images each.

Small images first: at half the size an epoch takes a quarter of the time. The early epochs use
images of 32 and 48 pixels. The last pooling is adapted so that its output stays 4 x 4, and all
weights fit all sizes. With --hours the number of epochs is planned again after each epoch, from
the time that the epochs took.

After every epoch a checkpoint is written next to the output; the same command continues from it,
to the same bytes if the plan is the same (with --hours the plan depends on the machine's speed).
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np

from minicnn import models, train
from minicnn.files import hdf5, probe
from minicnn.network import Network
from minicnn.network.layers import MaxPool
from minicnn.train import augment, batch_norm, checkpoint, data

PEAK, MOMENTUM, DECAY, SMOOTHING, BATCH, SEED = 0.05, 0.9, 5e-4, 0.1, 64, 0
LAST = {"minivgg": "pool4", "minialex": "pool5"}
SMALLER = {32: MaxPool(1), 48: MaxPool(3, 1)}  # what makes 4 x 4 in place of the last pooling
UNTIL = {32: 0.3, 48: 0.55, 64: 1.0}  # the share of all epochs at which each size ends
GUESS = 2e-6  # seconds for one image, by pixel, before the first epoch has been measured


def sized(network, size):
    """The same network, with the same arrays, for images of another size."""
    last = LAST[network.name]
    rows = [(name, SMALLER.get(size, layer) if name == last else layer, inputs)
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


def one_epoch(network, images, optimizer, epoch, begin, end):
    """Train on all images once, while the share of training goes from begin to end."""
    size, rate = size_at(begin), train.one_cycle(PEAK)
    vary = augment.chain(lambda pixels, rng: augment.crop(pixels, rng, 0.5, size), augment.flip,
                         augment.colour)
    (told,) = train.fit(
        sized(network, size), images, epoch + 1, optimizer, start=epoch, batch=BATCH, seed=SEED,
        rate=lambda done: rate(begin + (end - begin) * (done * (epoch + 1) - epoch)),
        augment=vary, smoothing=SMOOTHING)
    return size, told


def run(network, images, validation, path, epochs, hours):
    """Train to the end of the plan; returns the number of epochs."""
    at = {"epoch": 0, "share": 0.0, "seconds": 0.0, "speed": GUESS * len(images)}
    optimizer, settings = train.SGD(PEAK, MOMENTUM, DECAY), {"images": len(images)}
    if path.exists():
        at = checkpoint.load(path, network, optimizer, settings)
    while at["share"] < 1:
        began, epoch, share = time.perf_counter(), at["epoch"], at["share"]
        left = (planned(share, 3600 * hours - at["seconds"], at["speed"]) if hours
                else epochs - epoch)
        end = 1.0 if left == 1 else share + (1 - share) / left
        size, told = one_epoch(network, images, optimizer, epoch, share, end)
        speed = (time.perf_counter() - began) / size**2
        measured = train.evaluate(sized(network, size), data.fitted(validation, (size, size, 3)))
        seconds = at["seconds"] + time.perf_counter() - began
        at = {"epoch": epoch + 1, "share": end, "seconds": seconds, "speed": speed}
        checkpoint.save(path, network, optimizer, settings, at)
        print(f"epoch {epoch + 1}/{epoch + left}  {size} px  loss {told.loss:.3f}  "
              f"train {told.accuracy:.1%}  val {measured.top1:.1%} {measured.top5:.1%}  "
              f"{seconds / 60:.1f} min", flush=True)
    return at["epoch"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("network", choices=LAST)
    parser.add_argument("data")
    parser.add_argument("--out", help="by default weights/NETWORK.h5")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--hours", type=float, help="as many epochs as take about this long")
    options = parser.parse_args()
    out = Path(options.out or f"weights/{options.network}.h5")
    path, model = out.with_suffix(".checkpoint.npz"), getattr(models, options.network)

    images, validation = (data.pack(options.data, split).in_memory() for split in ("train", "val"))
    network = batch_norm.add(model()).initialize(SEED)
    epochs = run(network, images, validation, path, options.epochs, options.hours)

    plain = batch_norm.fold(network, model())
    plain.labels = images.classes
    hdf5.save(plain, out, "float16")
    shipped = hdf5.load(out)  # measure the stored network: folded, half precision
    measured = train.evaluate(shipped, validation)
    shipped.about = {
        "trained_on": "100 classes of Tiny-ImageNet at 64x64, 500 images a class",
        "recipe": "weights/train_shipped.py", "epochs": epochs, "licence": "MIT",
        "validation_top1": measured.top1, "validation_top5": measured.top5,
        "validation_images": measured.images,
    }
    shipped.probe = probe.make(shipped)
    hdf5.save(shipped, out, "float16")
    checkpoint.remove(path)
    print(shipped.about, file=sys.stderr)


if __name__ == "__main__":
    main()
