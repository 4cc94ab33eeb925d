"""Speed: minicnn compared with PyTorch, and with convolutions as students usually write them.

    minicnn bench speed, in a checkout, or
    python benchmarks/speed.py [--device cpu|gpu] [--what networks layers ...]
                               [--networks vgg16 ...] [--batches 1 8] [--threads 2] [--avx2]
                               [--plain] [--against torch] [--rounds 7] [--sides 64 128 ...]
                               [--counts 1 2 ...] [--out benchmarks/results/speed] [--quick]

    networks   whole networks: forward, and forward + gradient at the image
    layers     every single convolution of VGG-16, AlexNet and GoogLeNet: forward and both
               gradients, by the fast twin, by the page and by PyTorch
    ops        single pooling, LRN, ReLU and dense layers of the same networks, by all three
    training   the loss and all gradients, with and without the optimiser's step: VGG-16's
               convolutions, and minivgg without and with the batch norms it is trained with
    memory     peak memory of each task of `networks` and `training`, each in a new process
    student    some convolutions by the two usual ways of im2col (benchmarks/student.py)
    scaling    time and memory against the image's side and the batch, with 1 thread and with all
    gram       on a GPU: steps that move an image towards a texture (VGG-19 up to conv4_1)

This needs PyTorch (pip install torch); --against fresh or plain compares minicnn with itself,
without a workspace or by the pages (minicnn/ops). Each library runs in its own process, so the idle
threads of one do not slow the other. The libraries take turns, so a machine that slows down slows
both, and the report shows the ratio of each pair of turns, as median and quartiles. Seconds are
recorded as well, but they are specific to this machine. Variables that restrict OpenBLAS to an
older processor are removed, and the kernels in use are recorded; --avx2 restricts both libraries to
AVX2. Short tasks run many times per turn, so their arrays are in the cache; minicnn's loops own a
workspace (minicnn/fast/workspace.py).

--device gpu needs CuPy, PyTorch's build for CUDA, and a GPU. Both libraries compute in float32
without TF32; cuDNN chooses its kernels by trial, and PyTorch is also measured with channels last.
Times come from CUDA events (benchmarks/meters.py), and memory is the used part of each library's
pool. Every row shows the roofline's share of the time: operations and bytes by formula
(benchmarks/counting.py), divided by the rates that a large matrix product and a copy reach on the
same GPU in the same run. Tasks that do not fit on the GPU are named and left out.

Results are collected in OUT.json by section: a section that is measured again replaces its older
figures, and the other sections remain. OUT.md shows the same as tables; OUT.png shows the section
`scaling`, on a GPU the section `networks`. A full run takes most of an hour on two cores; --quick
is a short trial run.
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

from minicnn.cli.kinds import whole
from minicnn.images import write

RESULTS = Path(__file__).parent / "results"
AGAINST = ("torch", "channels_last", "plain", "fresh")
OF_THE_CPU = ("threads", "counts", "avx2")  # options for the CPU only


def main(arguments=None):
    """Run as a separate program; returns the exit status."""
    return program.main("speed", read, run, arguments)


def run(options):
    """Measure the requested sections.

    Raises
    ------
    ValueError, OSError
        A library, a GPU or a folder is missing; this is checked before anything is measured.
    """
    plan, out = plan_of(options), out_of(options)
    check(plan)
    sections = load(out)
    write_json(sections, out)  # an error in writing should come before the measurement
    for name in options.what:
        measure(name, plan, sections, out)
    print(tables.markdown({name: sections[name] for name in options.what}))


def check(plan):
    """Raise if a library or a GPU that the plan needs is missing."""
    if plan.against not in OURS and importlib.util.find_spec("torch") is None:
        raise ValueError("PyTorch is not installed (pip install torch); --against plain compares "
                         "with minicnn's own pages")
    if plan.device == "gpu":
        with Bench(plan).workers((plan.ours, plan.against)):
            pass  # each worker raises if it finds no GPU


def measure(name, plan, sections, out):
    """Measure one section into ``sections[name]``; write JSON after each row, tables at the end."""
    bench = Bench(plan)
    measured = {"complete": False, "about": machine.about(), "rows": []}
    try:
        for row in SECTIONS[plan.device][name](bench):
            print(f"{name}: {tables.line(row)}", file=sys.stderr, flush=True)
            measured["rows"].append(row)
            measured["about"] |= bench.about()
            sections[name] = measured  # the older figures remain until the first row
            write_json(sections, out)
        measured["complete"] = True
    finally:
        write_json(sections, out)
        write_tables(sections, out)


def load(out):
    """The sections that OUT.json already holds; none if there is no such file."""
    path = out and out.with_suffix(".json")
    if not path or not path.exists():
        return {}
    return json.loads(path.read_text(encoding="utf-8")).get("sections", {})


def write_json(sections, out):
    """Write OUT.json, completely or not at all."""
    if out:
        write(out.with_suffix(".json"), json.dumps({"sections": sections}, indent=1) + "\n")


def write_tables(sections, out):
    """Write OUT.md, and OUT.png if there are curves to show."""
    if not out or not sections:
        return
    drawn = "networks" if tables.of_gpu(sections) else "scaling"
    shown = f"\n![Time and memory, minicnn's and PyTorch's]({out.name}.png)\n"
    curves = shown if drawn in sections else ""
    write(out.with_suffix(".md"), f"{tables.markdown(sections)}\n{curves}")
    if drawn in sections:
        import plot

        draw = {"networks": plot.batches, "scaling": plot.scaling}[drawn]
        draw(sections[drawn], out.with_suffix(".png"))


def plan_of(options):
    """The full or the quick plan, with the values that were given as options."""
    given = {name: getattr(options, name) for name in (
        "networks", "batches", "threads", "rounds", "sides", "counts")}
    given = {name: tuple(value) if isinstance(value, list) else value
             for name, value in given.items() if value is not None}
    plan = PLANS[options.device, options.quick]._replace(
        ours="plain" if options.plain else "ours", against=options.against, avx2=options.avx2,
        **given)
    usual = plan.ours == "ours" and plan.against == "torch"
    return plan._replace(beside=plan.beside if plan.against == "torch" else (),
                         beside_layers=plan.beside_layers if usual else (),
                         alone=() if options.batches else plan.alone)


def out_of(options):
    """The path of the results, without suffix; None if a quick run is not to be saved."""
    if options.out or options.quick:
        return Path(options.out) if options.out else None
    marks = [("gpu", options.device == "gpu"), ("plain", options.plain), ("avx2", options.avx2),
             (options.against, options.against != "torch")]
    return RESULTS / "_".join(["speed", *(mark for mark, is_set in marks if is_set)])


def read(arguments=None, prog=None):
    """Parse the options; sections and options of the other device are wrong usage."""
    parser = _parser(prog)
    options = parser.parse_args(arguments)
    known = SECTIONS[options.device]
    options.what = options.what or list(known)
    strange = [name for name in options.what if name not in known]
    strange += [f"--{name}" for name in OF_THE_CPU
                if options.device == "gpu" and getattr(options, name)]
    if strange:
        parser.error(f"not possible with --device {options.device}: {', '.join(strange)}")
    return options


def _parser(prog):
    parser = argparse.ArgumentParser(prog=prog, description=__doc__.splitlines()[0])
    add, sections = parser.add_argument, SECTIONS["cpu"] | SECTIONS["gpu"]
    add("--device", choices=list(SECTIONS), default="cpu",
        help="device to measure (default: %(default)s); gpu needs CuPy and PyTorch's CUDA build")
    add("--what", nargs="+", choices=list(sections), metavar="SECTION",
        help="sections to measure (default: all of the device): "
             + "; ".join(f"on the {device} {', '.join(SECTIONS[device])}" for device in SECTIONS))
    add("--networks", nargs="+", choices=list(NETWORKS), metavar="NETWORK",
        help="networks of the sections networks and memory")
    for name, words in {
            "batches": "batch sizes", "sides": "image sides of the sections scaling and gram",
            "counts": "batches of the section scaling"}.items():
        add(f"--{name}", nargs="+", type=whole(1), metavar="N", help=_with_defaults(words, name))
    add("--threads", type=whole(1), metavar="N",
        help="threads of each library (default: all cores)")
    add("--rounds", type=whole(1), metavar="N",
        help=_with_defaults("pairs of turns per task", "rounds"))
    add("--plain", action="store_true", help="compute every op by its plain implementation (page)")
    add("--avx2", action="store_true", help="restrict both libraries to AVX2")
    add("--against", choices=AGAINST, default="torch",
        help="library to compare with: " + "; ".join(f"{k} = {LIBRARIES[k]}" for k in AGAINST)
             + " (default: %(default)s)")
    add("--out", help="path of the results, without suffix (default: benchmarks/results/speed, or "
                      "speed_gpu and the like; with --quick none are saved)")
    add("--quick", action="store_true", help="a trial run: very small tasks, one pair each")
    return parser


def _with_defaults(words, name):
    """The words with the values of each device's full plan."""
    values = {device: getattr(PLANS[device, False], name) for device in SECTIONS}
    told = {device: " ".join(map(str, value)) if isinstance(value, tuple) else value
            for device, value in values.items()}
    both = told["cpu"] == told["gpu"]
    return (f"{words} (default: {told['cpu']})" if both else
            f"{words} (default: {told['cpu']}; on the gpu {told['gpu']})")


if __name__ == "__main__":
    sys.exit(main())
