"""How fast: minicnn against PyTorch, and against what a student would otherwise use.

    minicnn bench speed, in a checkout, or
    python benchmarks/speed.py [--device cpu|gpu] [--what networks layers ...]
                               [--networks vgg16 ...] [--batches 1 8] [--threads 2] [--avx2]
                               [--plain] [--against torch] [--rounds 7] [--sides 64 128 ...]
                               [--counts 1 2 ...] [--out benchmarks/results/speed] [--quick]

    networks   whole networks: forward, and forward + gradient at the image
    layers     every convolution of VGG-16, AlexNet and GoogLeNet, alone: forward and both gradients
    ops        pooling, LRN, ReLU and dense layers of the same networks, alone
    training   the loss and all gradients, and the same with the optimiser's step
    memory     the peak of each task of `networks` and `training`, each in a fresh process
    student    some convolutions by the two usual ways of im2col (benchmarks/student.py)
    scaling    time and memory against the image's side and the batch, with 1 thread and with all
    gram       on a GPU: steps of an image towards a texture by Gram matrices (VGG-19 to conv4_1)

Needs PyTorch (pip install torch); --against fresh or plain compares minicnn with itself, without a
workspace or by the pages (minicnn/ops). Each library lives in a process of its own, so that the
idle threads of one do not slow the other; they are asked in turn, so that a machine that slows down
slows both; what is reported is the ratio of each pair of turns, as median and quartiles. Seconds
are written down too, but they are this machine's. The variables that hold OpenBLAS to an older
processor are removed, and the kernels in use are recorded; --avx2 holds both libraries to AVX2.
Short tasks run many times a turn, so their arrays are in the cache; minicnn's loops own a workspace
(minicnn/fast/workspace.py).

--device gpu needs CuPy, PyTorch's build for CUDA, and a card. Both libraries compute in float32
without TF32; cuDNN chooses its kernels by trial, and PyTorch's channels last is measured as well.
Times are those of CUDA events (benchmarks/meters.py), memory is what is used of each library's
pool, and every row says what share of it the roofline would take: operations and bytes by formula
(benchmarks/counting.py) over what a large matrix product and a copy reach on the same card in the
same run. What finds no room on the card is named and left out.

Results are gathered in OUT.json, section by section: a section measured again replaces its older
figures and leaves the others. OUT.md is the same as tables, OUT.png shows the section `scaling`,
on a GPU the section `networks`. Everything takes most of an hour on two cores; --quick looks at
very little and is for trying out.
"""

import argparse
import importlib.util
import json
import sys
from pathlib import Path

import machine
import program
import tables
from bench import Bench
from plan import PLANS
from sections import SECTIONS
from tasks import NETWORKS
from workers import LIBRARIES, OURS

from minicnn.images import atomic

RESULTS = Path(__file__).parent / "results"
AGAINST = ("torch", "channels_last", "plain", "fresh")
OF_THE_CPU = ("threads", "counts", "avx2")  # options


def main(arguments=None):
    """Measure what was asked for, as a program of its own; returns the exit status."""
    return program.main("speed", read, run, arguments)


def run(options):
    """Measure what was asked for.

    Raises
    ------
    ValueError, OSError
        What is missing: a library, a GPU, a folder; known before anything is written.
    """
    plan, out = plan_of(options), out_of(options)
    check(plan)
    sections = load(out)
    write_json(sections, out)  # what cannot be written should be known before, not after
    for name in options.what:
        measure(name, plan, sections, out)
    print(tables.markdown({name: sections[name] for name in options.what}))


def check(plan):
    """Raise unless what the plan needs is here."""
    if plan.against not in OURS and importlib.util.find_spec("torch") is None:
        raise ValueError("PyTorch is not installed (pip install torch); --against plain compares "
                         "with minicnn's own pages")
    if plan.device == "gpu":
        with Bench(plan).workers((plan.ours, plan.against)):
            pass  # each says for itself whether it finds the card


def measure(name, plan, sections, out):
    """Measure one section into ``sections[name]``; JSON after every row, the rest at the end."""
    bench = Bench(plan)
    measured = {"complete": False, "about": machine.about(), "rows": []}
    try:
        for row in SECTIONS[plan.device][name](bench):
            print(f"{name}: {tables.line(row)}", file=sys.stderr, flush=True)
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
        path.write_text(tables.markdown(sections) + "\n", encoding="utf-8")
    drawn = "networks" if tables.of_gpu(sections) else "scaling"
    if drawn in sections:
        import plot

        draw = {"networks": plot.batches, "scaling": plot.scaling}[drawn]
        draw(sections[drawn], out.with_suffix(".png"))


def plan_of(options):
    """The plan that the options ask for: the full or the quick one, with what was given instead."""
    given = {name: getattr(options, name) for name in (
        "networks", "batches", "threads", "rounds", "sides", "counts")}
    given = {name: tuple(value) if isinstance(value, list) else value
             for name, value in given.items() if value is not None}
    plan = PLANS[options.device, options.quick]._replace(
        ours="plain" if options.plain else "ours", against=options.against, avx2=options.avx2,
        **given)
    return plan._replace(beside=plan.beside if plan.against == "torch" else (),
                         alone=() if options.batches else plan.alone)


def out_of(options):
    """Where results go, without suffix; None where a quick look is not to be kept."""
    if options.out or options.quick:
        return Path(options.out) if options.out else None
    marks = [("gpu", options.device == "gpu"), ("plain", options.plain), ("avx2", options.avx2),
             (options.against, options.against != "torch")]
    return RESULTS / "_".join(["speed", *(mark for mark, is_set in marks if is_set)])


def read(arguments=None, prog=None):
    """The options; sections and options of the other device are wrong usage, too."""
    parser = _parser(prog)
    options = parser.parse_args(arguments)
    known = SECTIONS[options.device]
    options.what = options.what or list(known)
    strange = [name for name in options.what if name not in known]
    strange += [f"--{name}" for name in OF_THE_CPU
                if options.device == "gpu" and getattr(options, name)]
    if strange:
        parser.error(f"not with --device {options.device}: {', '.join(strange)}")
    return options


def _parser(prog):
    parser = argparse.ArgumentParser(prog=prog, description=__doc__.splitlines()[0])
    add, sections = parser.add_argument, SECTIONS["cpu"] | SECTIONS["gpu"]
    add("--device", choices=list(SECTIONS), default="cpu",
        help="what to measure on (default: %(default)s); gpu needs CuPy and PyTorch's CUDA build")
    add("--what", nargs="+", choices=list(sections), metavar="SECTION",
        help="sections to measure (default: all of the device): "
             + "; ".join(f"on the {device} {', '.join(SECTIONS[device])}" for device in SECTIONS))
    add("--networks", nargs="+", choices=list(NETWORKS), metavar="NETWORK",
        help="networks of the sections networks and memory")
    for name, words in {
            "batches": "batch sizes", "sides": "image sides of the sections scaling and gram",
            "counts": "batches of the section scaling"}.items():
        add(f"--{name}", nargs="+", type=_count, metavar="N", help=_with_defaults(words, name))
    add("--threads", type=_count, metavar="N", help="threads of each library (default: all cores)")
    add("--rounds", type=_count, metavar="N",
        help=_with_defaults("pairs of turns a task", "rounds"))
    add("--plain", action="store_true", help="compute every op as its page has it")
    add("--avx2", action="store_true", help="hold both libraries to AVX2")
    add("--against", choices=AGAINST, default="torch",
        help="whom to compare with: " + "; ".join(f"{k} = {LIBRARIES[k]}" for k in AGAINST)
             + " (default: %(default)s)")
    add("--out", help="where results go, without suffix (default: benchmarks/results/speed, or "
                      "speed_gpu and the like; with --quick nowhere)")
    add("--quick", action="store_true", help="very small tasks, one pair each, to try it out")
    return parser


def _with_defaults(words, name):
    """The words, with what each device's full plan has."""
    values = {device: getattr(PLANS[device, False], name) for device in SECTIONS}
    told = {device: " ".join(map(str, value)) if isinstance(value, tuple) else value
            for device, value in values.items()}
    both = told["cpu"] == told["gpu"]
    return (f"{words} (default: {told['cpu']})" if both else
            f"{words} (default: {told['cpu']}; on the gpu {told['gpu']})")


def _count(text):
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 1, got {text!r}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
