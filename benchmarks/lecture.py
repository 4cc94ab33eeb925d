"""The Keras lecture's comparison: few photos, and a network that others trained (Chollet 2017, 5).

    minicnn bench lecture, in a checkout, or
    python benchmarks/lecture.py [--data tiny100.h5] [--weights vgg16] [--photos 250] [--copies 4]
                                 [--classes "Egyptian cat" "Persian cat"] [--epochs 6 30 5]
                                 [--seeds 0 1 2] [--cache FOLDER] [--out benchmarks/results/lecture]

Two classes that look alike are told apart in three ways, each without and with augmentation:

    from scratch   `models.lecture_catsdogs`, all of it learns
    frozen         VGG-16's convolutions as they are; only a new head learns
    fine-tuned     from there on, VGG-16's block 5 learns too, in small steps

The data are a pack (`train.data.pack`). The first photos of each class in its part `train` are for
training; the others, and those of its part `val`, are for the test, and no choice depends on them:
rates and optimiser are the lecture's, and the accuracy is that after the last epoch.

What stays as it is, is computed once: blocks 1 to 4 of VGG-16 turn each photo into features, and
training goes on from there (`Network.until`, `Network.after`), which gives the same as training the
whole network with those blocks frozen. So each photo has a few augmented copies, made beforehand,
of which an epoch sees one, drawn anew; from scratch every variation is new.

All that is computed stays in the folder of --cache: features, and each training's checkpoint. The
same command goes on where it was stopped.
"""

import argparse
import json
import sys
import time
from itertools import chain, pairwise, product
from pathlib import Path
from statistics import mean, stdev

import machine
import numpy as np
import program

import minicnn
from minicnn import images, models, train
from minicnn.cli.kinds import whole
from minicnn.images import write
from minicnn.progress import bar
from minicnn.report import curves
from minicnn.train import Epoch, augment, data
from minicnn.train.evaluation import scored
from minicnn.train.losses import predicted

OUT = Path(__file__).parent / "results" / "lecture"
PAIR = ("Egyptian cat", "Persian cat")  # chosen by their names, before anything was measured
SCRATCH, FROZEN, TUNED = "from scratch", "frozen VGG-16, new head", "block 5 fine-tuned"
WAYS = (SCRATCH, FROZEN, TUNED)
RATES = {SCRATCH: 1e-4, FROZEN: 2e-5, TUNED: 1e-5}  # the lecture's, for RMSprop
EPOCHS = {SCRATCH: 6, FROZEN: 30, TUNED: 5}
BATCH = 20
PLAIN, VARIED = "without", "with"
ORDER = ((SCRATCH, PLAIN), (SCRATCH, VARIED), (FROZEN, PLAIN), (FROZEN, VARIED), (TUNED, VARIED))


def main(arguments=None):
    """Run as a separate program; returns the exit status."""
    return program.main("lecture", read, run, arguments)


def run(options):
    """Train what is missing; write OUT.json, OUT.md and OUT.png, at Ctrl-C of what there is."""
    out, folder = Path(options.out), Path(options.cache)
    images.check_destination(out.with_suffix(".md"), {".md": "markdown"})
    about, rows = settings(options), []
    prepare(folder, about)
    about |= {"epochs": dict(zip(WAYS, options.epochs, strict=True)), "rates": RATES,
              "batch": BATCH}
    vgg, (training, test) = minicnn.load(options.weights), photos(options)
    try:
        for row in chain(transferred(vgg, training, test, options, folder),
                         from_scratch(training, test, options, folder)):
            rows.append(row)
    finally:
        if rows:
            complete = len(rows) == len(WAYS) * len((PLAIN, VARIED)) * len(options.seeds)
            sizes = {"complete": complete, "training": len(training), "test": len(test)}
            record(machine.about() | about | sizes | {"parameters": parameters()}, rows, out)


def parameters():
    """How many parameters learn in each way, and how many the whole VGG-16 with a head has."""
    net = models.lecture_vgg16()
    return {SCRATCH: models.lecture_catsdogs().count(), FROZEN: net.after("pool5").count(),
            TUNED: net.after("pool4").count(), "whole": net.count()}


def record(about, rows, out):
    """Write the results, and print the table."""
    lines, text = ",\n  ".join(map(json.dumps, rows)), markdown(about, rows)
    write(out.with_suffix(".json"),
          f'{{"about": {json.dumps(about, indent=1)},\n "rows": [\n  {lines}\n]}}\n')
    picture = f"![Accuracy of each way, a dot a seed]({out.name}.png)"
    write(out.with_suffix(".md"), f"{text}\n\n{picture}\n")
    images.save(out.with_suffix(".png"), drawn(rows))
    print(text)


def settings(options):
    """What the features depend on."""
    return {"data": Path(options.data).name, "weights": Path(options.weights).name,
            "classes": list(options.classes), "photos": options.photos, "copies": options.copies}


def prepare(folder, about):
    """The cache's folder, which holds the features of these settings alone."""
    folder.mkdir(parents=True, exist_ok=True)
    noted = folder / "settings.json"
    if noted.exists() and json.loads(noted.read_text(encoding="utf-8")) != about:
        raise ValueError(f"{folder}: holds features of other settings, see {noted}; name another "
                         "folder by --cache")
    write(noted, json.dumps(about))


# ---- the photos, and what VGG-16 makes of them

def photos(options):
    """(training, test): the photos of two classes, enlarged to 150 x 150."""
    one, other = (_of_two(options, split) for split in ("train", "val"))
    first = np.concatenate([np.flatnonzero(one.labels == k)[: options.photos] for k in (0, 1)])
    left = np.setdiff1d(np.arange(len(one)), first)
    if len(first) < 2 * options.photos or not len(left):
        raise ValueError(f"{options.data}: expected more than {options.photos} photos of each of "
                         f"{' and '.join(options.classes)}, got {np.bincount(one.labels).tolist()}")
    test = data.arrays(np.concatenate([one.images[left], other.images]),
                       np.concatenate([one.labels[left], other.labels]), options.classes)
    return one.take(first), test


def _of_two(options, split):
    size = models.lecture_vgg16().input_shape[:2]
    pack = data.pack(options.data, split, size, "squash")
    for name in options.classes:
        if name not in pack.classes:
            raise ValueError(f"{options.data}: there is no class {name!r}; there are "
                             f"{', '.join(pack.classes)}")
    labels = [pack.classes.index(name) for name in options.classes]
    some = pack.take(np.flatnonzero(np.isin(pack.labels, labels)))
    return data.arrays(some.images, (some.labels == labels[1]).astype(int), options.classes)


def seen(network, x, path):
    """What a network makes of each of x, float32: computed once, then read from a file."""
    if not path.exists():
        parts = [network.forward(x[first : first + BATCH], keep=(), caches=False).output
                 for first in bar(range(0, len(x), BATCH), path.stem)]
        with images.atomic(path) as temporary, temporary.open("wb") as file:
            np.save(file, np.concatenate(parts))
    return np.load(path)


class Features:
    """The outputs of one layer of VGG-16 for all photos.

    `plain` and `test` are (N, H, W, C); `varied`, of augmented copies, (N, copies, H, W, C).
    """

    def __init__(self, plain, varied, test):
        self.plain, self.varied, self.test = plain, varied, test


def features(vgg, training, test, copies, folder):
    """{"pool4": Features, "pool5": Features} of the photos."""
    net = models.lecture_vgg16().initialize(trained=vgg)
    below, block5 = net.until("pool4"), net.until("pool5").after("pool4")
    vary = augment.affine()  # the lecture's
    sets = {"plain": lambda: training.images, "test": lambda: test.images} | {
        f"copy{k}": lambda k=k: vary(training.images, np.random.default_rng(k))
        for k in range(copies)}
    found = {"pool4": {}, "pool5": {}}
    for name, pixels in sets.items():
        path = folder / f"pool4 {name}.npy"
        x = None if path.exists() else images.normalize(pixels(), net.preprocessing)
        found["pool4"][name] = seen(below, x, path)
        found["pool5"][name] = seen(block5, found["pool4"][name], folder / f"pool5 {name}.npy")
    return {layer: Features(of["plain"], np.stack([of[f"copy{k}"] for k in range(copies)], 1),
                            of["test"]) for layer, of in found.items()}


def one_copy(copies, rng):
    """An augmentation: of each photo's copies, (N, copies, H, W, C), one."""
    return copies[np.arange(len(copies)), rng.integers(copies.shape[1], size=len(copies))]


# ---- the three ways

def transferred(vgg, training, test, options, folder):
    """The rows of the frozen and of the fine-tuned VGG-16."""
    of = features(vgg, training, test, options.copies, folder)
    for seed, kind in product(options.seeds, (PLAIN, VARIED)):
        net = models.lecture_vgg16().initialize(seed, trained=vgg)
        for way, layer in ((FROZEN, "pool5"), (TUNED, "pool4")):  # the second goes on from there
            x = of[layer].plain if kind == PLAIN else of[layer].varied
            vary = None if kind == PLAIN else one_copy
            yield trained(net.after(layer), data.arrays(x, training.labels),
                          data.arrays(of[layer].test, test.labels), vary, way, kind, seed, options,
                          folder)


def from_scratch(training, test, options, folder):
    """The rows of the small network."""
    for seed, kind in product(options.seeds, (PLAIN, VARIED)):
        net = models.lecture_catsdogs().initialize(seed)
        vary = None if kind == PLAIN else augment.affine()
        yield trained(net, training, test, vary, SCRATCH, kind, seed, options, folder)


def trained(net, training, test, vary, way, kind, seed, options, folder):
    """Train, or go on; the row of this training."""
    epochs, optimizer = options.epochs[WAYS.index(way)], train.RMSprop(RATES[way])
    path = folder / f"{way} {kind} {seed}, {epochs} epochs.npz"
    noted = path.with_suffix(".json")
    seconds = json.loads(noted.read_text(encoding="utf-8")) if noted.exists() else []
    began, history = time.process_time(), []
    for epoch in train.fit(net, training, epochs, optimizer, batch=BATCH, validation=test,
                           augment=vary, seed=seed, checkpoint=path):
        history.append(epoch)
        if epoch.index >= len(seconds):  # not one that the checkpoint tells of
            seconds.append(round(time.process_time() - began, 2))
            write(noted, json.dumps(seconds))
        began = time.process_time()
    print(f"{way}, {kind} augmentation, seed {seed}: {history[-1]}", file=sys.stderr, flush=True)
    judged = path.with_suffix(".txt")
    if not judged.exists():
        write(judged, told_right(net, test))
    return {"way": way, "augmentation": kind, "seed": seed, "seconds": round(sum(seconds), 1),
            "epochs": [[round(number, 4) for number in epoch] for epoch in history],
            "right": judged.read_text(encoding="utf-8")}


def told_right(net, test):
    """Which images of the test a network tells right, in their order: "1011..."."""
    return "".join(str(int(hit)) for scores, labels in scored(net, test, 250)
                   for hit in predicted(scores) == labels)


# ---- the table and the curves

def chosen(rows, way, kind):
    """The rows of one way, without or with augmentation."""
    return [row for row in rows if (row["way"], row["augmentation"]) == (way, kind)]


def scores(rows):
    """The test accuracy of each training after its last epoch."""
    return [row["epochs"][-1][-1] for row in rows]


def difference(rows, worse, better):
    """(difference of the mean accuracies on the test, its standard error).

    Both saw the same photos, so each photo has a difference: of the shares of seeds that told it
    right. The error has two parts: the spread over photos, and that over the seeds of each.
    """
    found = [np.array([list(row["right"]) for row in chosen(rows, *which)], int)  # seeds, photos
             for which in (worse, better)]
    by_photo = found[1].mean(axis=0) - found[0].mean(axis=0)
    variances = [by_photo.var(ddof=1) / len(by_photo), *(
        each.mean(axis=1).var(ddof=1) / len(each) for each in found if len(each) > 1)]
    return by_photo.mean(), sum(variances) ** 0.5


def markdown(about, rows):
    """The results as text."""
    counts, epochs = about["parameters"], about["epochs"]
    seeds, rates = sorted({row["seed"] for row in rows}), about["rates"].values()
    parts = [f"""# The Keras lecture: a network from scratch, a frozen one, a fine-tuned one

{"" if about["complete"] else "Interrupted: some trainings are missing." + chr(10)}\
Made by `minicnn bench lecture`: {" or ".join(about["classes"])}, two classes of {about["data"]}
{"(chosen by their names, before anything was measured)" * (tuple(about["classes"]) == PAIR)}.
{about["training"]} photos for training, {about["test"]} others for the test, the same for all,
enlarged to 150 x 150. RMSprop with the lecture's rates, {", ".join(f"{rate:g}" for rate in rates)},
in batches of {about["batch"]}. The lecture has 2,000 photos, and 30 to 100 epochs of 100 batches;
here are fewer, for the processor's sake, and what learns from scratch may not have learnt all it
could: compare the accuracy while training.

Accuracy is that after the last epoch, mean and standard deviation over {len(seeds)} seeds
({", ".join(map(str, seeds))}) of first weights and order. VGG-16's convolutions are those of
{about["weights"]}; with the head, it has {counts["whole"]:,} parameters. Its blocks 1 to 4 were
computed once, for each photo and for {about["copies"]} augmented copies of each training photo, of
which an epoch sees one; from scratch, every variation is new. An epoch shows each training photo
once. Fine-tuning goes on from the frozen network's head. Seconds are of the processor, a training,
without those features. {about["date"]}, {about["processor"]}.

| network | augmentation | test accuracy | each seed | while training | parameters that learn \
| epochs | seconds |
| --- | --- | --- | --- | --- | --- | --- | --- |"""]
    for way, kind in product(WAYS, (PLAIN, VARIED)):
        some = chosen(rows, way, kind)
        if some:
            found = scores(some)
            parts.append(f"| {way} | {kind} | {spread(found)} | "
                         f"{', '.join(f'{100 * score:.1f}' for score in found)} | "
                         f"{100 * mean(row['epochs'][-1][2] for row in some):.1f} % | "
                         f"{counts[way]:,} | {epochs[way]} | "
                         f"{mean(row['seconds'] for row in some):.0f} |")
    return "\n".join([*parts, "", *order(rows)])


def spread(found):
    """91.2 ± 0.4 %, or without ± for a single seed."""
    deviation = f" ± {100 * stdev(found):.1f}" if len(found) > 1 else ""
    return f"{100 * mean(found):.1f}{deviation} %"


def order(rows):
    """The lecture's order, step by step: what holds, what does not, what cannot be told."""
    yield ("The lecture's order, worst to best, with the difference in points and its standard "
           "error (of seeds and of the test's photos); two of these are needed to tell:")
    yield ""
    for worse, better in pairwise(ORDER):
        if chosen(rows, *worse) and chosen(rows, *better):
            by, error = difference(rows, worse, better)
            verdict = ("cannot be told" if abs(by) < 2 * error else
                       "holds" if by > 0 else "is contradicted")
            yield (f"- {named(worse)} < {named(better)}: {100 * by:+.1f} ± {100 * error:.1f}, "
                   f"{verdict}")


def named(which):
    """("from scratch", "with") in words."""
    way, kind = which
    return f"{way}{' + augmentation' if kind == VARIED else ''}"


def drawn(rows):
    """The curves of each way, the mean over seeds, one below the other: (H, W, 3) uint8."""
    pictures = []
    for way in WAYS:
        histories = {f"{kind} augmentation": averaged(chosen(rows, way, kind))
                     for kind in (PLAIN, VARIED) if chosen(rows, way, kind)}
        pictures += [curves.draw(histories, way)] if histories else []
    return np.concatenate(pictures)


def averaged(rows):
    """The mean of several trainings, epoch by epoch."""
    return [Epoch(*np.mean(each, axis=0)) for each in zip(*(row["epochs"] for row in rows),
                                                          strict=True)]


def read(arguments=None, prog=None):
    """Parse the options."""
    parser = argparse.ArgumentParser(prog=prog, description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--data", default="tiny100.h5", metavar="FILE.h5",
        help="a pack of photos, with its parts train and val (default: tiny100.h5)")
    add("--weights", default="vgg16", metavar="FILE",
        help="VGG-16, or its convolutions alone (default: vgg16, as `minicnn fetch` brings it)")
    add("--classes", nargs=2, default=PAIR, metavar="NAME",
        help=f"two classes of the pack (default: {', '.join(PAIR)})")
    add("--photos", type=whole(BATCH // 2), default=250, metavar="N",
        help="photos of each class to train with (default: %(default)s)")
    add("--copies", type=whole(1), default=4, metavar="N",
        help="augmented copies of a photo, for VGG-16 (default: %(default)s)")
    add("--epochs", nargs=3, type=whole(1), default=list(EPOCHS.values()), metavar="N",
        help="from scratch, frozen, fine-tuned (default: "
             f"{' '.join(map(str, EPOCHS.values()))})")
    add("--seeds", nargs="+", type=int, default=[0, 1, 2], metavar="N", help="(default: 0 1 2)")
    add("--cache", default="lecture-work", metavar="FOLDER",
        help="where features and checkpoints are kept, 1.5 GB (default: lecture-work)")
    add("--out", default=str(OUT),
        help="path of the results, without suffix (default: benchmarks/results/lecture)")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
