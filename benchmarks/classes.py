"""Pictures of classes, judged by a second network that had no part in them.

    minicnn bench classes, in a checkout, or
    python benchmarks/classes.py [--network googlenet.h5] [--judge squeezenet.h5] [--presets ...]
                                 [--classes ...] [--seeds 0 1 2] [--pictures FOLDER]
                                 [--out benchmarks/results/classes]

Each picture is saved, and read again, with what both networks see in it: the network that it was
made from, and one that never saw it. A person cannot be replaced by the second, but a picture made
of one network's noise means nothing to another. Pictures that are in FOLDER are kept, so that the
same command goes on where it was stopped.
"""

import argparse
import json
import sys
import time
from itertools import product
from pathlib import Path
from statistics import mean, median

import machine
import program

import minicnn
from minicnn import images
from minicnn.progress import bar
from minicnn.vis import presets

OUT = Path(__file__).parent / "results" / "classes"
CLASSES = ("goldfish", "flamingo", "pelican", "golden retriever", "monarch", "giant panda",
           "computer keyboard", "dumbbell", "soccer ball", "lemon", "banana", "espresso", "cock",
           "sports car", "strawberry", "teapot", "peacock", "acoustic guitar", "school bus",
           "volcano")
SHORT = {  # presets that take minutes a picture as they stand, and how they are shortened here
    "lucid": {"steps": 96},
    "zoom-crops": {"steps": 40, "size": 384, "zoom": (0.5, 0.6), "looks": 3},
    "maco": {"steps": 40, "size": 384, "zoom": (0.5, 0.6), "looks": 3},
    "yosinski": {"steps": 100},
}
PRESETS = ("object", "none", "lucid", "zoom-crops", "maco", "simonyan", "yosinski",
           "keras-lecture")


def main(arguments=None):
    """Run as a separate program; returns the exit status."""
    return program.main("classes", read, run, arguments)


def run(options):
    """Make what is missing, judge, write OUT.json and OUT.md."""
    out, folder = Path(options.out), Path(options.pictures)
    images.check_destination(out.with_suffix(".md"), {".md": "markdown"})
    folder.mkdir(parents=True, exist_ok=True)
    network, judge = minicnn.load(options.network), minicnn.load(options.judge)
    wanted = [*product(options.seeds, options.presets, options.classes)]
    rows = [made(network, judge, *one, folder) for one in bar(wanted, "pictures")]
    result = {"about": machine.about() | {"network": Path(options.network).name,
                                          "judge": Path(options.judge).name, "short": SHORT},
              "rows": rows}
    lines = ",\n  ".join(map(json.dumps, rows))
    about = json.dumps(result["about"], indent=1)
    for suffix, text in ((".json", f'{{"about": {about},\n "rows": [\n  {lines}\n]}}'),
                         (".md", markdown(result))):
        with images.atomic(out.with_suffix(suffix)) as temporary:
            temporary.write_text(text + "\n", encoding="utf-8")
    print(markdown(result))


def made(network, judge, seed, preset, name, folder):
    """The row of a picture, which is made and saved unless it is there."""
    stem = folder / f"{preset} {name} {seed}".replace(" ", "_")
    if not stem.with_suffix(".json").exists():
        began = time.process_time()
        record = minicnn.vis.maximize(network, channel=name, preset=preset, seed=seed,
                                      **SHORT.get(preset, {}))
        if record.interrupted:  # a picture that is not finished
            raise KeyboardInterrupt
        seconds = round(time.process_time() - began, 1)
        images.save(stem.with_suffix(".png"), record.image)
        row = {"class": name, "preset": preset, "seed": seed, "seconds": seconds,
               "own": seen(network, stem.with_suffix(".png"), name),
               "other": seen(judge, stem.with_suffix(".png"), name)}
        with images.atomic(stem.with_suffix(".json")) as temporary:
            temporary.write_text(json.dumps(row), encoding="utf-8")
    return json.loads(stem.with_suffix(".json").read_text(encoding="utf-8"))


def seen(network, picture, name):
    """[probability of a class, its rank from 1] in a whole picture, brought to a network's size."""
    pixels = images.resize(images.load(picture), network.input_shape[:2])
    p = network.probabilities(network.prepare(pixels, "keep"))[0]
    at = network.find_class(name)
    return [round(float(p[at]), 4), int((p > p[at]).sum()) + 1]


# ---- the table

def markdown(result):
    """The result as text."""
    about, rows = result["about"], result["rows"]
    names = list(dict.fromkeys(row["class"] for row in rows))
    found = list(dict.fromkeys(row["preset"] for row in rows))
    seeds = ", ".join(map(str, sorted({row["seed"] for row in rows})))
    parts = [f"""# Pictures of classes, judged by another network

Made by `minicnn bench classes`: pictures of {len(names)} classes from {about["network"]} (seeds:
{seeds}), shown whole, as they were saved, to {about["judge"]}, which had no part in them. Seconds
are of the processor, a picture. {about["date"]}, {about["processor"]}.

| preset | pictures | its mean probability | median | named first | by the own network | seconds |
| --- | --- | --- | --- | --- | --- | --- |"""]
    for preset in found:
        those = [row for row in rows if row["preset"] == preset]
        other = [row["other"][0] for row in those]
        first = sum(row["other"][1] == 1 for row in those)
        parts.append(f"| {preset} | {len(those)} | {mean(other):.2f} | {median(other):.2f} | "
                     f"{first} of {len(those)} | {mean(row['own'][0] for row in those):.2f} | "
                     f"{median(row['seconds'] for row in those):.0f} |")
    short = [f"{preset} {json.dumps(about['short'][preset])}" for preset in found
             if preset in about["short"]]
    parts += ["", *[f"Shortened, since they take minutes: {'; '.join(short)}.", ""] * bool(short),
              "Its probability of each class, the mean over seeds:", "",
              f"| class | {' | '.join(found)} |", "| --- |" + " --- |" * len(found)]
    for name in names:
        cells = []
        for preset in found:
            other = [row["other"][0] for row in rows
                     if (row["class"], row["preset"]) == (name, preset)]
            cells.append(f"{mean(other):.2f}" if other else "")
        parts.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(parts)


def read(arguments=None, prog=None):
    """Parse the options."""
    parser = argparse.ArgumentParser(prog=prog, description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--network", default="googlenet.h5", metavar="FILE",
        help="a network with the classes of ImageNet (default: googlenet.h5)")
    add("--judge", default="squeezenet.h5", metavar="FILE",
        help="another with the same classes (default: squeezenet.h5)")
    add("--presets", nargs="+", default=PRESETS, choices=presets.PRESETS, metavar="NAME",
        help=f"(default: {' '.join(PRESETS)})")
    add("--classes", nargs="+", default=CLASSES, metavar="NAME", help="(default: 20 of them)")
    add("--seeds", nargs="+", type=int, default=[0, 1, 2], metavar="N", help="(default: 0 1 2)")
    add("--pictures", default="class-pictures", metavar="FOLDER",
        help="where the pictures are kept (default: class-pictures)")
    add("--out", default=str(OUT),
        help="path of the results, without suffix (default: benchmarks/results/classes)")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
