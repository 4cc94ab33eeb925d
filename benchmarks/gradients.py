"""Accuracy: errors of every op's gradients, and of a few networks' gradients.

    minicnn bench gradients, in a checkout, or
    python benchmarks/gradients.py [--student FILE] [--ops conv pool ...] [--networks minivgg ...]
                                   [--out benchmarks/results/gradients]

Ops. Each op is run at all configurations of its tests (tests/ops), on a few normal random numbers.
Its output and gradients are compared with the nested loops of minicnn/naive.py in float64:
minicnn's in float64 and in float32, and PyTorch's if it is installed. The loops share no line with
the code they judge, but they could be wrong as well. So minicnn's gradients are also compared with
central differences and, if the op is smooth, with the complex step (minicnn.gradcheck).

Networks. The gradients of whole networks are taken at the image. There are no loops for them: the
reference is minicnn in float64, which central differences and the complex step check if the network
is small enough. Float32 gradients of networks with ReLUs and poolings differ where rounding
switches one of these.

An error is the largest difference divided by the largest expected number; the table shows the
worst of all configurations and of y, dx, dw and all other gradients. At a kink of the slope (a tie
of a maximum) there is no central difference.

--student FILE judges your own ops instead, as `minicnn check FILE` does, which is the way to do it
from any installation; of --ops, only those that are named.

The exit status is 1 if a gradient is wrong.
"""

import argparse
import importlib.util
import json
import sys
from pathlib import Path

import gradient_cases
import machine
import numpy as np
import program
from gradient_cases import NETWORKS, OPS

from minicnn import gradcheck, images
from minicnn.cli import main as minicnn
from minicnn.gradcheck.gradients.compare import worst

OUT = Path(__file__).parent / "results" / "gradients"
OURS, OURS_32 = "minicnn float64", "minicnn float32"
TORCH, TORCH_32 = "PyTorch float64", "PyTorch float32"
CENTRAL, COMPLEX = "central differences", "complex step"
COLUMNS = (OURS, OURS_32, TORCH, TORCH_32, CENTRAL, COMPLEX)
# the reasons are in minicnn.gradcheck.gradients.kinds; float32 errors of networks are shown, but
# not judged
ALLOWED = {OURS: 1e-10, OURS_32: 1e-5, CENTRAL: 1e-7, COMPLEX: 1e-10}
MOST = 5  # lines about the errors of one op


def main(arguments=None):
    """Run as a separate program; returns the exit status."""
    return program.main("gradients", read, run, arguments)


def run(options):
    """Compare, write the tables and print them; returns 1 if something is wrong."""
    if options.student is not None:
        named = [] if options.ops == list(OPS) else options.ops
        return minicnn(["check", options.student, *(f"--op={op}" for op in named)])
    torch = importlib.util.find_spec("torch") is not None
    out = Path(options.out)
    images.check_destination(out.with_suffix(".md"), {".md": "markdown"})  # before the work
    rows = [op_row(name, OPS[name], torch) for name in options.ops]
    rows += [network_row(name, torch) for name in options.networks]
    result = {"about": machine.about() | versions(torch), "rows": rows}
    write(out, result)
    print(markdown(result))
    return int(any(row["wrong"] for row in rows))


def op_row(name, cases, torch):
    """A row: an op's worst errors over its cases, by column, and a description of the errors."""
    errors, wrong = {}, []
    for case in cases():
        found = case_errors(case, torch)
        wrong += [f"{case.name}: {column}, {error:.1e}" for column, error in found.items()
                  if error > ALLOWED.get(column, np.inf)]
        errors = {key: max(errors.get(key, 0.0), found.get(key, 0.0)) for key in errors | found}
    return {"name": name, "cases": len(cases()), "errors": errors, "wrong": wrong}


def case_errors(case, torch):
    """{column: error} of minicnn's and PyTorch's passes for one configuration."""
    inputs, dy = case.inputs, case.dy()
    expected = [case.twin(*inputs.values()), *case.twin_gradient(dy, *inputs.values())]
    found = {}
    for dtype in case.dtypes:
        ours, torchs = (OURS, TORCH) if dtype == np.float64 else (OURS_32, TORCH_32)
        found[ours] = worst_error(case.ours(dy.astype(dtype), dtype), expected)
        if torch and case.torch is not None:
            found[torchs] = worst_error(case.torchs(dy.astype(dtype), dtype), expected)
    if np.float64 not in case.dtypes:
        return found
    kinds = (CENTRAL, COMPLEX)
    report = gradcheck.check(case.forward, case.backward, inputs, smooth=case.smooth, only=kinds)
    return found | {kind: report[kind].error for kind in kinds if report[kind].error is not None}


def worst_error(got, expected):
    """The largest difference over the largest expected number, for the worst array."""
    return max(float(worst("", one, other, "", 1.0).error)
               for one, other in zip(got, expected, strict=True)
               if one is not None and other is not None)


def network_row(name, torch):
    """A row: errors of a network's gradient at the image, compared with minicnn in float64."""
    make, kinds = NETWORKS[name]
    network, x = make()
    expected = gradient_cases.image_gradient(network.astype(np.float64), x.astype(np.float64))
    errors = {}
    if kinds:
        forward, backward = gradient_cases.passes(network)
        report = gradcheck.check(forward, backward, {"x": x.astype(np.float64)}, only=kinds,
                                 smooth=COMPLEX in kinds)
        errors = {kind: report[kind].error for kind in kinds if report[kind].error is not None}
    if torch and not kinds:
        for column, dtype in ((TORCH, np.float64), (TORCH_32, np.float32)):
            got = gradient_cases.torchs_image_gradient(network.astype(dtype), x.astype(dtype))
            errors[column] = worst_error([got], [expected])
    got = gradient_cases.image_gradient(network.astype(np.float32), x.astype(np.float32))
    errors[OURS_32] = worst_error([got], [expected])
    wrong = [f"{column}, {value:.1e}" for column, value in errors.items()
             if column in kinds and value > ALLOWED[column]]
    return {"name": name, "cases": 1, "errors": errors, "wrong": wrong}


# ---- the table

HEAD = """# Gradients

Made by `minicnn bench gradients`. An error is the largest difference divided by the largest
expected number; the table shows the worst of all configurations, outputs and gradients. The
reference for ops is the scalar loops of minicnn/naive.py in float64, for networks minicnn in
float64. Central differences and the complex step check minicnn's float64 gradients by the forward
pass only; their errors are relative to each number itself, down to a thousandth of the largest."""


def markdown(result):
    """The result as markdown text."""
    rows = result["rows"]
    columns = [column for column in COLUMNS if any(column in row["errors"] for row in rows)]
    lines = [["", "configurations", *columns], ["---"] * (len(columns) + 2)]
    lines += [[row["name"], row["cases"], *(cell(row, column) for column in columns)]
              for row in rows]
    wrong = [line for row in rows for line in wrong_lines(row)]
    table = "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)
    verdict = "\n".join(["Wrong:", "", *wrong]) if wrong else "Nothing is wrong."
    return "\n\n".join([HEAD, about_line(result["about"]), table, verdict])


def wrong_lines(row):
    """A line for each of an op's errors, at most MOST, and the number of the others."""
    rest = len(row["wrong"]) - MOST
    return ([f"- {row['name']}: {words}" for words in row["wrong"][:MOST]]
            + ([f"- {row['name']}: and {rest} more"] if rest > 0 else []))


def cell(row, column):
    """An error with two digits."""
    value = row["errors"].get(column)
    return "" if value is None else "0" if value == 0 else f"{value:.1e}"


def about_line(about):
    """Date, machine and versions."""
    made = ", ".join(f"{key} {about[key]}" for key in ("minicnn", "numpy", "torch") if key in about)
    return f"{about['date']}, {about['processor']}, Python {about['python']}, {made}."


def versions(torch):
    """The versions of the libraries."""
    from minicnn import __version__

    found = {"minicnn": __version__, "numpy": np.__version__}
    return found | ({"torch": importlib.import_module("torch").__version__} if torch else {})


def write(out, result):
    """Write OUT.json and OUT.md, each completely or not at all."""
    for suffix, text in ((".json", json.dumps(result, indent=1)), (".md", markdown(result))):
        images.write(out.with_suffix(suffix), text + "\n")


def read(arguments=None, prog=None):
    """Parse the options."""
    parser = argparse.ArgumentParser(prog=prog, description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--student", metavar="FILE", help="judge your own ops, as `minicnn check FILE` does")
    add("--ops", nargs="*", choices=list(OPS), default=list(OPS), metavar="OP",
        help=f"(default: all: {', '.join(OPS)})")
    add("--networks", nargs="*", choices=list(NETWORKS), default=list(NETWORKS),
        metavar="NETWORK", help=f"(default: all: {', '.join(NETWORKS)})")
    add("--out", default=str(OUT), help="path of the results, without suffix (default: "
                                        "benchmarks/results/gradients)")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
