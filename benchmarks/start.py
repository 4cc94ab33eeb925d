"""How long a program waits for imports: the processor time of a fresh Python, many times over.

    minicnn bench start, in a checkout, or
    python benchmarks/start.py [--runs 20] [--out benchmarks/results/start]

A room of minicnn is imported when it is first used (`minicnn.__getattr__`), and a command imports
its own file alone. That this stays so is tested (`tests/test_conventions.py`); what it is worth is
measured here. To see what takes the time: ``python -X importtime -c "import minicnn.vis"``.
"""

import argparse
import json
import resource
import subprocess
import sys
from pathlib import Path
from statistics import quantiles

import machine
import program

from minicnn import images
from minicnn.cli.kinds import whole
from minicnn.progress import bar

OUT = Path(__file__).parent / "results" / "start"
STARTS = {  # what is told: the arguments of Python
    "Python alone": ["-c", ""],
    "`import numpy`": ["-c", "import numpy"],
    "`import minicnn`": ["-c", "import minicnn"],
    "`minicnn.Network`": ["-c", "import minicnn; minicnn.Network"],
    "`minicnn.load`": ["-c", "import minicnn; minicnn.load"],
    "`minicnn.vis`": ["-c", "import minicnn; minicnn.vis"],
    "`minicnn --help`": ["-m", "minicnn", "--help"],
    "`minicnn classify --help`": ["-m", "minicnn", "classify", "--help"],
    "`minicnn maximize --help`": ["-m", "minicnn", "maximize", "--help"],
}


def main(arguments=None):
    """Run as a separate program; returns the exit status."""
    return program.main("start", read, run, arguments)


def run(options):
    """Measure all starts in turn, write OUT.json and OUT.md."""
    out = Path(options.out)
    images.check_destination(out.with_suffix(".md"), {".md": "markdown"})
    times = {what: [] for what in STARTS}
    for _ in bar(range(options.runs), "starts"):
        for what, arguments in STARTS.items():
            times[what].append(processor_time(arguments))
    result = {"about": machine.about() | {"runs": options.runs},
              "milliseconds": {what: [round(1000 * q, 1) for q in quantiles(seconds, n=4)]
                               for what, seconds in times.items()}}
    for suffix, text in ((".json", json.dumps(result, indent=1)), (".md", markdown(result))):
        with images.atomic(out.with_suffix(suffix)) as temporary:
            temporary.write_text(text + "\n", encoding="utf-8")
    print(markdown(result))


def processor_time(arguments):
    """The seconds of processor time, of all threads, that a Python with these arguments takes."""
    before = _of_children()
    subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL, check=True)
    return _of_children() - before


def _of_children():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def markdown(result):
    """The result as text."""
    about = result["about"]
    rows = [f"| {what} | {middle:.0f} ({low:.0f} .. {high:.0f}) |"
            for what, (low, middle, high) in result["milliseconds"].items()]
    return "\n".join([f"""# Starting

Made by `minicnn bench start`: milliseconds of processor time of a fresh Python, medians of
{about["runs"]} runs in turn, with quartiles. {about["date"]}, {about["processor"]}, Python \
{about["python"]}.

| start | ms |
| --- | --- |""", *rows])


def read(arguments=None, prog=None):
    """Parse the options."""
    parser = argparse.ArgumentParser(prog=prog, description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=whole(2), default=20, metavar="N", help="(default: 20)")
    parser.add_argument("--out", default=str(OUT), help="path of the results, without suffix "
                        "(default: benchmarks/results/start)")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
