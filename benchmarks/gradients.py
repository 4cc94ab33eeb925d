"""How right: every op's gradients, and a few networks', against what they should be.

    minicnn bench gradients, in a checkout, or
    python benchmarks/gradients.py [--student FILE] [--ops conv pool ...] [--networks minivgg ...]
                                   [--out benchmarks/results/gradients]

Ops. Each is run at all the configurations of its tests (tests/ops), on a few numbers of normal
size, and its output and gradients are compared with the scalar loops of minicnn/naive.py in
float64: minicnn's in float64 and in float32, PyTorch's where it is installed. The loops do not
share a line with what they judge, but they could be wrong: so minicnn's gradients are compared with
central differences and, where the op is smooth, with the complex step (minicnn.gradcheck).

Networks. Whole ones, at the image. There are no loops of them: the reference is minicnn in float64,
and central differences and the complex step judge that, where the network is small enough.
Float32 gradients of networks with ReLUs and poolings differ where one of them switches over.

An error is the largest difference over the largest number that should be there; the table has the
worst of all configurations, of y, dx, dw and whatever else there is. Places where a slope has a
kink (ties of a maximum) have no central difference.

--student FILE adds a column: FILE is a Python file of yours, IT IS RUN, with functions named as in
minicnn/naive.py, conv_forward and conv_backward, dense_..., pool_... and so on, for the ops that it
has. They take minicnn's arrays (images N,H,W,C, kernels KH,KW,C,O) and those settings by name that
are not the op's defaults. In either style: forward gives (y, cache) and backward takes (dy, cache),
or forward gives y and backward takes (dy, x, w, ...) and the settings. Configurations for which
they lack an argument are counted and left out. Below the table is what is wrong, in words.

The exit status is 1 where a gradient of minicnn's or of the student's is wrong.
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

from minicnn import gradcheck
from minicnn.gradcheck.compare import worst
from minicnn.images import atomic, check_destination

OUT = Path(__file__).parent / "results" / "gradients"
OURS, OURS_32 = "minicnn float64", "minicnn float32"
TORCH, TORCH_32 = "PyTorch float64", "PyTorch float32"
CENTRAL, COMPLEX, STUDENT = "central differences", "complex step", "student"
COLUMNS = (OURS, OURS_32, TORCH, TORCH_32, CENTRAL, COMPLEX)
# the reasons are in minicnn.gradcheck.kinds; what networks do in float32 is told and not judged
ALLOWED = {OURS: 1e-10, OURS_32: 1e-5, CENTRAL: 1e-7, COMPLEX: 1e-10}
MOST = 5  # lines of an op on what is wrong


def main(arguments=None):
    """Compare, as a program of its own; returns the exit status."""
    return program.main("gradients", read, run, arguments)


def run(options):
    """Compare, write the tables, print them; 1 where something is wrong."""
    student = load(options.student) if options.student else None
    torch = importlib.util.find_spec("torch") is not None
    out = Path(options.out)
    check_destination(out.with_suffix(".md"), {".md": "markdown"})  # before the work, not after it
    rows = [op_row(name, OPS[name], torch, student) for name in options.ops]
    rows += [network_row(name, torch) for name in options.networks]
    result = {"about": machine.about() | versions(torch), "rows": rows}
    write(out, result)
    print(markdown(result))
    return int(any(row["wrong"] for row in rows))


def op_row(name, cases, torch, student):
    """An op's worst errors over its cases, by column, and what is wrong in words."""
    errors, wrong, students = {}, [], []
    for case in cases():
        found = case_errors(case, torch)
        wrong += [f"{case.name}: {column}, {error:.1e}" for column, error in found.items()
                  if error > ALLOWED.get(column, np.inf)]
        errors = {key: max(errors.get(key, 0.0), found.get(key, 0.0)) for key in errors | found}
        if student is not None and hasattr(student, f"{name}_forward"):
            error, words = student_error(name, case, student)
            students.append(words)
            wrong += [f"student, {case.name}: {words}"] * bool(words)
            if error is not None:
                errors[STUDENT] = max(errors.get(STUDENT, 0.0), error)
    return {"name": name, "cases": len(cases()), "errors": errors, "wrong": wrong,
            "student": counts(students)}


def counts(students):
    """How often a student's functions were right, by the words; None where there are none."""
    cannot = students.count(None)
    told = f"right in {students.count('')} of {len(students) - cannot}"
    return (told + (f", cannot do {cannot}" if cannot else "")) if students else None


def case_errors(case, torch):
    """{column: error} of minicnn's and PyTorch's passes at one configuration."""
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
    """The largest difference over the largest number expected, of the worst array."""
    return max(float(worst("", one, other, "", 1.0).error)
               for one, other in zip(got, expected, strict=True)
               if one is not None and other is not None)


def student_error(name, case, student):
    """(error, words) of the student's functions at one configuration: "" where they are right, None
    where they have not the settings for it."""
    forward, backward = (getattr(student, f"{name}_{way}") for way in ("forward", "backward"))
    report = gradcheck.check(*case.bound(forward, backward), case.inputs, twin=case.twin,
                             twin_gradient=case.twin_gradient, smooth=False,
                             only=("naive twin", "arguments untouched"))
    refused = [f for f in report.failed if isinstance(f.cause, TypeError) and "argument" in f.words]
    if refused:
        return None, None
    found = next((f.error for f in report.findings if f.kind == "naive twin"), None)
    return found, "; ".join(finding.words for finding in report.failed)


def network_row(name, torch):
    """The errors of a network's gradient at the image, against minicnn in float64."""
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
    return {"name": name, "cases": 1, "errors": errors, "wrong": wrong, "student": None}


def load(path):
    """A student's file as a module: it is run.

    Raises
    ------
    ValueError
        Where it cannot be run, or has none of the functions.
    """
    if not Path(path).is_file():
        raise ValueError(f"--student: there is no file {path}")
    spec = importlib.util.spec_from_file_location("student_file", path)
    if spec is None:
        raise ValueError(f"--student: expected a Python file, got {path}")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # it is the student's own code: say where it fails, in a line
        raise ValueError(f"--student: {path} raises {type(error).__name__}: {error}") from None
    has = [name for name in OPS if hasattr(module, f"{name}_forward")]
    lacks = [name for name in has if not hasattr(module, f"{name}_backward")]
    if not has or lacks:
        raise ValueError(f"--student: {path} has no {lacks[0] if lacks else 'conv'}_"
                         f"{'backward' if lacks else 'forward'}; its functions are to be named as "
                         "in minicnn/naive.py")
    return module


# ---- the table

HEAD = """# Gradients

Made by `minicnn bench gradients`. Errors are the largest difference over the largest number that
should be there, the worst of all configurations, outputs and gradients: of ops against the scalar
loops of minicnn/naive.py in float64, of networks against minicnn in float64. Central differences
and the complex step judge minicnn's float64 gradients by the forward pass alone: relative to each
number itself, down to a thousandth of the largest."""


def markdown(result):
    """The result as text."""
    rows = result["rows"]
    columns = [column for column in (*COLUMNS, STUDENT)
               if any(column in row["errors"] for row in rows)]
    lines = [["", "configurations", *columns], ["---"] * (len(columns) + 2)]
    lines += [[row["name"], row["cases"], *(cell(row, column) for column in columns)]
              for row in rows]
    wrong = [line for row in rows for line in wrong_lines(row)]
    table = "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)
    verdict = "\n".join(["Wrong:", "", *wrong]) if wrong else "Nothing is wrong."
    return "\n\n".join([HEAD, about_line(result["about"]), table, verdict])


def wrong_lines(row):
    """What is wrong with an op, a line each, the first few."""
    rest = len(row["wrong"]) - MOST
    return ([f"- {row['name']}: {words}" for words in row["wrong"][:MOST]]
            + ([f"- {row['name']}: and {rest} more"] if rest > 0 else []))


def cell(row, column):
    """An error in two digits; of a student's also in how many configurations it is right."""
    value = row["errors"].get(column)
    words = "" if value is None else "0" if value == 0 else f"{value:.1e}"
    return f"{words}, {row['student']}" if column == STUDENT and row["student"] else words


def about_line(about):
    """What it was made with."""
    made = ", ".join(f"{key} {about[key]}" for key in ("minicnn", "numpy", "torch") if key in about)
    return f"{about['date']}, {about['processor']}, Python {about['python']}, {made}."


def versions(torch):
    """Of what computed."""
    import minicnn

    found = {"minicnn": minicnn.__version__, "numpy": np.__version__}
    return found | ({"torch": importlib.import_module("torch").__version__} if torch else {})


def write(out, result):
    """OUT.json and OUT.md, each whole or not at all."""
    for suffix, text in ((".json", json.dumps(result, indent=1)), (".md", markdown(result))):
        with atomic(out.with_suffix(suffix)) as path:
            path.write_text(text + "\n", encoding="utf-8")


def read(arguments=None, prog=None):
    """The options."""
    parser = argparse.ArgumentParser(prog=prog, description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--student", metavar="FILE",
        help="a Python file of yours, which is run, with functions named as in minicnn/naive.py")
    add("--ops", nargs="*", choices=list(OPS), default=list(OPS), metavar="OP",
        help=f"(default: all: {', '.join(OPS)})")
    add("--networks", nargs="*", choices=list(NETWORKS), default=list(NETWORKS),
        metavar="NETWORK", help=f"(default: all: {', '.join(NETWORKS)})")
    add("--out", help="where results go, without suffix (default: benchmarks/results/gradients; "
                      "with --student gradients_student in the folder you are in)")
    options = parser.parse_args(arguments)
    if options.out is None:
        options.out = "gradients_student" if options.student else str(OUT)
    return options


if __name__ == "__main__":
    sys.exit(main())
