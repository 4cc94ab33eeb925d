"""AlexNet's first layer and Zeiler & Fergus' in the same network, trained alike.

    minicnn bench first-layer, in a checkout, or
    python benchmarks/first_layer.py [--data tiny100.h5] [--kernels 7 11] [--epochs 64]
                                     [--images 500] [--networks FOLDER] [--measure]
                                     [--out benchmarks/results/first_layer]

`models.minialex` with 7x7 kernels at stride 2, and with 11x11 at stride 4: the same images in the
same order, the same seed, rate and number of steps. Zeiler & Fergus (2014, section 4.1) saw dead
filters in the second form, and aliasing in the layer above it. What these are is measured as
`minicnn compare` does, and how features grow as `minicnn evolution` does, both on the validation
images. The data are a pack with the splits `train` and `val`, see `minicnn.files.photos`.

The rate is constant for 60 % of training, then a tenth, and a hundredth from 85 % on. There is no
batch normalisation: it would give each filter's response the same strength, and so hide the faint
and the silent ones. conv1 begins with weights of standard deviation 0.01, as in AlexNet and in
Zeiler & Fergus' network, so that what a filter has learnt is not hidden by where it began; all
other layers begin as in He et al. (2015).

FOLDER gets the checkpoints, so that the same command goes on where it was stopped, and the
snapshots. With ``--kernels 7`` only that network is trained, and nothing is written but these. With
``--measure`` nothing is trained, and both networks are measured as far as they have come.
"""

import argparse
import json
import sys
from pathlib import Path

import machine
import numpy as np
import program

from minicnn import images, models, train, vis
from minicnn.report import evolution as sheets
from minicnn.report.contact_sheet import caption, contact_sheet
from minicnn.train import augment, data, schedules, snapshots

OUT = Path(__file__).parent / "results" / "first_layer"
STRIDES = {7: 2, 11: 4}  # of the first layer, by the side of its kernels
CLASSES = ("goldfish", "king penguin", "golden retriever", "ladybug", "monarch",
           "computer keyboard", "school bus", "spider web", "pizza", "alp")
RATE, MOMENTUM, DECAY, BATCH, SEED = 0.01, 0.9, 5e-4, 64, 0
SMALL = 0.01  # standard deviation of conv1's first weights
AT = (0, 1, 2, 3, 5, 7, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55, 60)  # snapshots, and the last
SECOND, COLUMNS = range(24), 6  # channels of the second layer that are shown
QUALITY = 85  # of the JPEG files


def main(arguments=None):
    """Run as a separate program; returns the exit status."""
    return program.main("first-layer", read, run, arguments)


def run(options):
    """Train what is not trained, measure, write OUT.json, OUT.md and the pictures."""
    out, folder = Path(options.out), Path(options.networks)
    images.check_destination(out.with_suffix(".md"), {".md": "markdown"})
    training, validation = (chosen(options.data, split, options.images)
                            for split in ("train", "val"))
    places = {kernel: folder / f"{kernel}x{kernel}" for kernel in STRIDES}
    for kernel in () if options.measure else options.kernels:
        training_of(kernel, training, validation, options.epochs, places[kernel])
    if len(options.kernels) < len(STRIDES):
        return
    at = set.intersection(*(set(snapshots.there(place)) for place in places.values()))
    if not at:
        raise ValueError(f"{folder}: there are no snapshots of both networks after the same epoch")
    networks = {kernel: snapshots.load(place, at) for kernel, place in places.items()}
    photos = list(validation.images)
    compared = vis.compare(*(last(each) for each in networks.values()), photos, progress=True)
    followed = {kernel: vis.evolution(each, photos, progress=True)
                for kernel, each in networks.items()}
    rows = [row(kernel, each, followed[kernel], layer, validation) for (kernel, each), layer in
            zip(networks.items(), (compared.first, compared.second), strict=True)]
    about = machine.about() | {"training": len(training), "validation": len(validation),
                               "classes": CLASSES, "epochs": max(at), "planned": options.epochs}
    result = {"about": about, "rows": rows}
    page = f"{markdown(result)}\n\n{shown(out.name, networks)}"
    for suffix, text in ((".json", json.dumps(result, indent=1)), (".md", page)):
        with images.atomic(out.with_suffix(suffix)) as temporary:
            temporary.write_text(text + "\n", encoding="utf-8")
    save_pictures(out, networks, compared, followed, photos)
    print(markdown(result))


def shown_of(epochs):
    """Those of the epochs that are in the tables and figures."""
    return [epoch for epoch in epochs if epoch in (*snapshots.EPOCHS, max(epochs))]


def last(networks):
    """The network of the last epoch."""
    return networks[max(networks)]


# ---- training

def chosen(path, split, count):
    """`count` images of each class, the first ones of a split, as Data."""
    pack = data.pack(path, split)
    missing = [name for name in CLASSES if name not in pack.classes]
    if missing:
        raise ValueError(f"{path}: there is no class {missing[0]!r}")
    numbers = [np.flatnonzero(pack.labels == pack.classes.index(name))[:count]
               for name in CLASSES]
    labels = np.repeat(np.arange(len(CLASSES)), [len(part) for part in numbers])
    return train.Data(pack.images[np.concatenate(numbers)], labels, list(CLASSES))


def training_of(kernel, training, validation, epochs, folder):
    """Train one form, or go on from its checkpoint; keeps snapshots."""
    folder.mkdir(parents=True, exist_ok=True)
    network = models.minialex(len(CLASSES), kernel, STRIDES[kernel]).initialize(SEED)
    network.labels, first = list(CLASSES), network.params["conv1"]
    first["w"] = first["w"] * np.float32(SMALL / first["w"].std())
    optimizer = train.SGD(RATE, MOMENTUM, DECAY)
    for epoch in train.fit(
            network, training, epochs, optimizer, batch=BATCH, seed=SEED, validation=validation,
            rate=schedules.steps(RATE, at=(0.6, 0.85)),
            augment=augment.chain(augment.crop, augment.flip),
            checkpoint=folder / "checkpoint.npz",
            after=snapshots.Keeper(folder, network, (*AT, epochs))):
        print(f"{kernel}x{kernel}  {epoch}", flush=True)


# ---- what the two are like

def row(kernel, networks, found, layer, validation):
    """The measurements of one form, as JSON takes them."""
    measured = [train.evaluate(network, validation) for network in networks.values()]
    curves = {name: {at: numbers(values) for at, values in getattr(found, name).items()}
              for name in ("responses", "weights", "jumps", "silent")}
    return {"kernel": kernel, "stride": STRIDES[kernel], "filters": layer.w.shape[-1],
            "accuracy": numbers(each.top1 for each in measured),
            "loss": numbers(each.loss for each in measured),
            "faint": layer.faint, "dead": layer.dead, "silent_filters": layer.silent,
            "norms": numbers(layer.norms), "filter_aliasing": numbers(layer.filter_aliasing),
            "response_aliasing": numbers(layer.response_aliasing), "epochs": found.epochs,
            **curves}


def numbers(values):
    """A list of rounded numbers; None for NaN, which JSON has not."""
    return [None if np.isnan(value) else round(float(value), 4) for value in values]


def mean(shares, without=()):
    """The mean in per cent, leaving out some indices and None."""
    kept = [share for k, share in enumerate(shares) if k not in without and share is not None]
    return f"{100 * np.mean(kept):.1f} %" if kept else ""


def markdown(result):
    """The result as text."""
    about, rows = result["about"], result["rows"]

    def line(words, cell):
        return f"| {words} | {' | '.join(cell(each) for each in rows)} |"

    layers = list(rows[0]["responses"])
    at = shown_of(rows[0]["epochs"])
    parts = [f"""# AlexNet's first layer and Zeiler & Fergus', trained alike

Made by `minicnn bench first-layer`: two forms of minialex, {about["training"]:,} images of
{len(about["classes"])} classes ({", ".join(about["classes"])}), {about["epochs"]} of
{about["planned"]} epochs; measured on {about["validation"]:,} other images. {about["date"]},
{about["processor"]}.
""", line("", lambda each: f"{each['kernel']}x{each['kernel']}, stride {each['stride']}"),
             "| --- | --- | --- |",
             line("accuracy", lambda each: f"{each['accuracy'][-1]:.1%}"),
             line(f"accuracy after {', '.join(map(str, at[1:]))} epochs", lambda each: ", ".join(
                 f"{each['accuracy'][each['epochs'].index(epoch)]:.1%}" for epoch in at[1:])),
             line("loss", lambda each: f"{each['loss'][-1]:.3f}"),
             line("faint filters: norm at most a tenth of the mean norm",
                  lambda each: f"{len(each['faint'])} of {each['filters']}"),
             line("silent filters: no response above zero",
                  lambda each: f"{len(each['silent_filters'])} of {each['filters']}"),
             line("smallest norm, of the mean norm", lambda each: mean(
                 [min(each["norms"]) / np.mean(each["norms"])])),
             line("aliasing of the filters that are not dead",
                  lambda each: mean(each["filter_aliasing"], each["dead"])),
             line("aliasing of their responses",
                  lambda each: mean(each["response_aliasing"], each["dead"]))]
    for name, words in (("responses", "Correlation of each layer's responses with the last ones"),
                        ("weights", "How much of their way each layer's weights still have to go"),
                        ("jumps", "Channels whose strongest photo is another one than at the "
                                  "snapshot before (of all snapshots, not only those shown)")):
        parts += ["", f"{words}, after so many epochs:", "",
                  f"| layer | form | {' | '.join(map(str, at))} |", "| --- | --- |" + " --- |" *
                  len(at)]
        for layer in layers:
            for each in rows:
                values = [each[name][layer][each["epochs"].index(epoch)] for epoch in at]
                cells = " | ".join("" if value is None else f"{value:.2f}" for value in values)
                parts.append(f"| {layer} | {each['kernel']}x{each['kernel']} | {cells} |")
    return "\n".join(parts)


def shown(name, networks):
    """What `save_pictures` writes, as pictures of a page."""
    words = {".jpg": "Both first layers, and what the strongest units above them respond to"}
    for kernel in networks:
        words[f"_{kernel}x{kernel}_evolution.jpg"] = (
            f"Features of the form with {kernel}x{kernel} as they grow, a row for each channel")
        words[f"_{kernel}x{kernel}_curves.png"] = (
            f"How the layers of the form with {kernel}x{kernel} come to rest")
    return "\n\n".join(f"{text}:\n\n![{text}]({name}{end})" for end, text in words.items())


def save_pictures(out, networks, compared, followed, photos):
    """Write OUT.jpg, both networks' first and second layers, and of each its evolution: no photos
    in them, only kernels, projections and curves."""
    columns = []
    for layer, each in zip((compared.first, compared.second), networks.values(), strict=True):
        second = vis.evolution({max(each): last(each)}, photos, ["relu2"], SECOND)
        features = second.features["relu2"].values()
        columns += [
            caption(contact_sheet(layer.pictures, 8, tile=56, blocks=True),
                    f"conv1, {layer.w.shape[0]}x{layer.w.shape[1]} at stride {layer.stride[0]}: "
                    "all filters on one scale"),
            caption(contact_sheet([sheets.tile_of(one, False, 74) for (one,) in features], COLUMNS),
                    f"above it: the strongest units of {len(SECOND)} channels of relu2, projected "
                    "down to their pixels")]
    images.save(out.with_suffix(".jpg"), contact_sheet(
        [columns[0], columns[2], columns[1], columns[3]], 2, gap=8), QUALITY)
    for kernel, found in followed.items():
        name = f"{out.name}_{kernel}x{kernel}"
        images.save(out.with_name(f"{name}_evolution.jpg"), sheets.figure(
            found, patches=False, at=shown_of(found.epochs)), QUALITY)
        sheets.plot(out.with_name(f"{name}_curves.png"), found)


def read(arguments=None, prog=None):
    """Parse the options."""
    parser = argparse.ArgumentParser(prog=prog, description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--data", default="tiny100.h5", metavar="FILE",
        help="a pack with these classes of Tiny-ImageNet (default: tiny100.h5)")
    add("--kernels", nargs="+", type=int, default=[*STRIDES], choices=STRIDES, metavar="N",
        help="which form to train: 7, 11, or both and the results (default: 7 11)")
    add("--epochs", type=int, default=64, metavar="N", help="(default: 64)")
    add("--images", type=int, default=500, metavar="N",
        help="training images of each class (default: 500)")
    add("--measure", action="store_true", help="train nothing; measure what there is")
    add("--networks", default="first-layer", metavar="FOLDER",
        help="where checkpoints and snapshots are kept (default: first-layer)")
    add("--out", default=str(OUT), help="path of the results, without suffix (default: "
                                        "benchmarks/results/first_layer)")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
