"""How fast: minicnn against PyTorch's CPU code, and against what a student would otherwise use.

    python benchmarks/speed.py [--what networks layers ...] [--networks vgg16 ...] [--batches 1 8]
                               [--threads 2] [--avx2] [--plain] [--against torch]
                               [--rounds 7] [--out benchmarks/results/speed] [--quick]

    networks   whole networks: forward, and forward + gradient at the image
    layers     every convolution of VGG-16, AlexNet and GoogLeNet, alone: forward and both gradients
    ops        pooling, LRN, ReLU and dense layers of the same networks, alone
    training   the loss and all gradients, and the same with the optimiser's step
    memory     the peak of each task of `networks` and `training`, each in a fresh process
    student    some convolutions by the two usual ways of im2col (benchmarks/student.py)
    scaling    time and memory against the image's side and the batch, with 1 thread and with all

Needs PyTorch (pip install torch); --against fresh or plain compares minicnn with itself, without a
workspace or by the plain op. Each library lives in a process of its own, so that the idle
threads of one do not slow the other; they are asked in turn, so that a machine that slows down
slows both; what is reported is the ratio of each pair of turns, as median and quartiles. Seconds
are written down too, but they are this machine's. The variables that hold OpenBLAS to an older
processor are removed, and the kernels in use are recorded; --avx2 holds both libraries to AVX2.
Short tasks run many times a turn, so their arrays are in the cache; minicnn's loops own a workspace
(minicnn/workspace.py).

Results are gathered in OUT.json, section by section: a section measured again replaces its older
figures and leaves the others. OUT.md is the same as tables, OUT.png shows the section `scaling`.
Everything takes most of an hour on two cores; --quick looks at very little and is for trying out.
"""

import argparse
import importlib.util
import json
import sys
from pathlib import Path

import machine
import text
from sections import FULL, QUICK, SECTIONS, Bench
from tasks import NETWORKS
from workers import LIBRARIES, WorkerError

from minicnn.images import atomic

RESULTS = Path(__file__).parent / "results"
OF_OURS = ("plain", "fresh")
AGAINST = ("torch", "channels_last", *OF_OURS)
INTERRUPTED = 130


def main(arguments=None):
    """Measure what was asked for; returns the exit status."""
    options = _parser().parse_args(arguments)
    plan, out = _plan(options), _out(options)
    if plan.against not in OF_OURS and importlib.util.find_spec("torch") is None:
        print("speed: PyTorch is not installed (pip install torch); --against plain compares with "
              "minicnn's own plain op", file=sys.stderr)
        return 1
    try:
        sections = load(out)
        write_json(sections, out)  # what cannot be written should be known before, not after
        for name in options.what:
            measure(name, plan, sections, out)
    except KeyboardInterrupt:
        print("speed: interrupted", file=sys.stderr)
        return INTERRUPTED
    except (WorkerError, OSError, ValueError) as error:
        print(f"speed: {error}", file=sys.stderr)
        return 1
    print(text.markdown({name: sections[name] for name in options.what}))
    return 0


def measure(name, plan, sections, out):
    """Measure one section into ``sections[name]``; JSON after every row, the rest at the end."""
    bench = Bench(plan)
    measured = {"complete": False, "about": machine.about(), "rows": []}
    try:
        for row in SECTIONS[name](bench):
            print(f"{name}: {text.line(row)}", file=sys.stderr, flush=True)
            measured["rows"].append(row)
            measured["about"] |= bench.about()
            sections[name] = measured  # from its first row on; until then the older figures stay
            write_json(sections, out)
        measured["complete"] = True
    finally:
        write_json(sections, out)
        write_tables(sections, out)


def load(out):
    """The sections that OUT.json holds already, where it is there and of this kind."""
    path = out and out.with_suffix(".json")
    if not path or not path.exists():
        return {}
    return json.loads(path.read_text(encoding="utf-8")).get("sections", {})


def write_json(sections, out):
    """OUT.json, whole or not at all."""
    if out:
        with atomic(out.with_suffix(".json")) as path:
            path.write_text(json.dumps({"sections": sections}, indent=1) + "\n", encoding="utf-8")


def write_tables(sections, out):
    """OUT.md, and OUT.png where there are curves to show."""
    if not out or not sections:
        return
    with atomic(out.with_suffix(".md")) as path:
        path.write_text(text.markdown(sections) + "\n", encoding="utf-8")
    if "scaling" in sections:
        import plot

        plot.scaling(sections["scaling"], out.with_suffix(".png"))


def _plan(options):
    """The plan that the options ask for: the full or the quick one, with what was given instead."""
    given = {name: getattr(options, name) for name in (
        "networks", "batches", "threads", "rounds", "sides", "counts")}
    given = {name: tuple(value) if isinstance(value, list) else value
             for name, value in given.items() if value is not None}
    return (QUICK if options.quick else FULL)._replace(
        ours="plain" if options.plain else "ours", against=options.against, avx2=options.avx2,
        **given)


def _out(options):
    """Where results go, without suffix; None where a quick look is not to be kept."""
    if options.out or options.quick:
        return Path(options.out) if options.out else None
    marks = [("plain", options.plain), ("avx2", options.avx2),
             (options.against, options.against != "torch")]
    return RESULTS / "_".join(["speed", *(mark for mark, is_set in marks if is_set)])


def _parser():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--what", nargs="+", choices=list(SECTIONS), default=list(SECTIONS), metavar="SECTION",
        help=f"sections to measure (default: all): {', '.join(SECTIONS)}")
    add("--networks", nargs="+", choices=list(NETWORKS), metavar="NETWORK",
        help="networks of the sections networks and memory")
    add("--batches", nargs="+", type=_count, help="batch sizes (default: 1 8)")
    add("--threads", type=_count, help="threads of each library (default: all cores)")
    add("--rounds", type=_count, help=f"pairs of turns a task (default: {FULL.rounds})")
    add("--sides", nargs="+", type=_count, help="of the section scaling (default: "
                                                f"{' '.join(map(str, FULL.sides))})")
    add("--counts", nargs="+", type=_count, help="batches of the section scaling (default: "
                                                 f"{' '.join(map(str, FULL.counts))})")
    add("--plain", action="store_true", help="hold every convolution to the plain op")
    add("--avx2", action="store_true", help="hold both libraries to AVX2")
    add("--against", choices=AGAINST, default="torch",
        help="whom to compare with: " + "; ".join(f"{k} = {LIBRARIES[k]}" for k in AGAINST))
    add("--out", help="where results go, without suffix (default: benchmarks/results/speed; "
                      "with --quick nowhere)")
    add("--quick", action="store_true", help="very small tasks, one pair each, to try it out")
    return parser


def _count(text):
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 1, got {text!r}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
