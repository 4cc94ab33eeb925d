"""AlexNet's first layer and Zeiler & Fergus' in the same network, trained alike.

    minicnn bench first-layer DATA.h5, in a checkout, or
    python benchmarks/first_layer.py DATA.h5 [--kernels 7 11] [--epochs 64] [--images 500]
                                     [--networks FOLDER] [--out benchmarks/results/first_layer]

`models.minialex` with 7x7 kernels at stride 2, and with 11x11 at stride 4: the same images in the
same order, the same seed, rate and number of steps. Zeiler & Fergus (2014, section 4.1) saw dead
filters behind the second form, and aliasing in the layer above it. DATA.h5 is a pack with the
splits `train` and `val`, see `minicnn.files.photos`.

The rate is constant for 60 % of training, then a tenth, and a hundredth from 85 % on. There is no
batch normalisation: it would give each filter's response the same strength, and so hide the faint
and the silent ones. conv1 begins with weights of standard deviation 0.01, as in AlexNet and in
Zeiler & Fergus' network, so that what a filter has learnt is not hidden by where it began; all other
layers begin as in He et al. (2015).

FOLDER gets the checkpoints, so that the same command goes on where it was stopped, and snapshots of
both networks, which `minicnn evolution` shows. With ``--kernels 7`` only that network is trained;
the results are written when both are there.
"""

import sys
from pathlib import Path

import numpy as np
import program

from minicnn import models, train
from minicnn.train import augment, data, schedules, snapshots

OUT = Path(__file__).parent / "results" / "first_layer"
STRIDES = {7: 2, 11: 4}  # of the first layer, by the side of its kernels
CLASSES = ("goldfish", "king penguin", "golden retriever", "ladybug", "monarch",
           "computer keyboard", "school bus", "spider web", "pizza", "alp")
RATE, MOMENTUM, DECAY, BATCH, SEED = 0.01, 0.9, 5e-4, 64, 0
SMALL = 0.01  # standard deviation of conv1's first weights
AT = (0, 1, 2, 3, 5, 7, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55, 60)  # snapshots, and the last


def chosen(path, split, images):
    """`images` of each class, the first ones of a split, as Data."""
    pack = data.pack(path, split)
    missing = [name for name in CLASSES if name not in pack.classes]
    if missing:
        raise ValueError(f"{path}: there is no class {missing[0]!r}")
    numbers = [np.flatnonzero(pack.labels == pack.classes.index(name))[:images]
               for name in CLASSES]
    labels = np.repeat(np.arange(len(CLASSES)), [len(part) for part in numbers])
    return train.Data(pack.images[np.concatenate(numbers)], labels, list(CLASSES))


def trained(kernel, training, validation, epochs, folder):
    """(network, list of train.Epoch) of one form, trained or taken up from its checkpoint."""
    folder.mkdir(parents=True, exist_ok=True)
    network = models.minialex(len(CLASSES), kernel, STRIDES[kernel]).initialize(SEED)
    network.labels, history, first = list(CLASSES), [], network.params["conv1"]
    first["w"] = first["w"] * np.float32(SMALL / first["w"].std())
    optimizer = train.SGD(RATE, MOMENTUM, DECAY)
    for epoch in train.fit(
            network, training, epochs, optimizer, batch=BATCH, seed=SEED, validation=validation,
            rate=schedules.steps(RATE, at=(0.6, 0.85)),
            augment=augment.chain(augment.crop, augment.flip),
            checkpoint=folder / "checkpoint.npz",
            after=snapshots.Keeper(folder, network, (*AT, epochs))):
        history.append(epoch)
        print(f"{kernel}x{kernel}  {epoch}", flush=True)
    return network, history
