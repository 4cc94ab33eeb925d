"""Results as text: markdown tables, and one line per row during the measurement."""

from itertools import groupby
from statistics import median

HEAD = """# Speed

Made by `python benchmarks/speed.py`. A ratio A / B is the time of A divided by that of B; below 1,
A is faster. It is the median over pairs of runs taken in turn, with quartiles in brackets (at least
three pairs if a task takes over a minute). Milliseconds are specific to this machine; only the
ratios apply to others."""
HEAD_GPU = """# Speed on a GPU

Made by `minicnn bench speed --device gpu`. A ratio A / B is the time of A divided by that of B;
below 1, A is faster. It is the median over pairs of runs taken in turn, with quartiles in brackets.
All libraries use float32 without TF32. The roofline is the least time of a pass on this card: its
operations and bytes by formula, layer by layer, divided by the rates in the section's first lines.
A pass at 100 % takes this time; Winograd's algorithm or fused layers can exceed it. Memory is the
peak used of each library's pool, including weights."""
NAMES = {"ours": "minicnn", "plain": "pages", "fresh": "fresh arrays", "torch": "PyTorch",
         "channels_last": "PyTorch channels last", "loops": "slices and tensordot",
         "fancy": "fancy index and add.at"}
VERSIONS = ("minicnn", "numpy", "cupy", "torch", "cuda", "cudnn")
PLACES = ("network", "layer", "shape", "side", "batch", "threads")
SLOWER = 1.2  # ratios above this are listed
STEPS = 300  # steps for one texture


def markdown(sections):
    """All sections, {"networks": {"about": ..., "rows": [...]}, ...}, as one text."""
    head, tables = (HEAD_GPU, GPU_TABLES) if of_gpu(sections) else (HEAD, TABLES)
    parts = [head]
    for name in [name for name in tables if name in sections]:
        section = sections[name]
        heading = f"## {name}" + ("" if section["complete"] else " (interrupted)")
        parts += [heading, machine_line(section["about"]), tables[name](section["rows"])]
    return "\n\n".join(parts)


def of_gpu(sections):
    """Whether the sections were measured on a GPU."""
    return any(section["about"].get("device") == "gpu" for section in sections.values())


def machine_line(about):
    """The date, machine, settings and libraries of a section."""
    libraries = "; ".join(f"{NAMES[name]}: {_versions(library)}"
                          for name, library in about["libraries"].items())
    return (f"{about['date']}, {about['processor']}, {counted(about['cores'], 'core')}, "
            f"{counted(about['threads'], 'thread')} each"
            f"{', held to AVX2' if about['avx2'] else ''}, Python {about['python']}, "
            f"{counted(about['rounds'], 'pair')}. {libraries}.{_card(about)}")


def _card(about):
    """The GPU, and the rates that it reached."""
    if "reached" not in about:
        return ""
    said = next((lib for lib in about["libraries"].values() if "card" in lib), {})
    named = [said.get("card", "GPU"), f"{said['card_mb']:.0f} MB" if "card_mb" in said else "",
             f"driver {said['driver']}" if said.get("driver") else ""]
    return (f" {', '.join(filter(None, named))}; a matrix product reached "
            f"{about['reached']['flops'] / 1e12:.3g} TFLOP/s, a copy "
            f"{about['reached']['bytes'] / 1e9:.3g} GB/s.")


def counted(number, word):
    """1 core, 2 cores."""
    return f"{number} {word}{'' if number == 1 else 's'}"


def _versions(library):
    parts = [f"{key} {library[key]}" for key in VERSIONS if library.get(key)]
    return ", ".join(parts + library.get("blas", [library.get("capability", "")]))


def line(row):
    """One line for a row, to print during the measurement."""
    place = " ".join(f"{key} {row[key]}" if key in ("batch", "side", "threads") else str(row[key])
                     for key in PLACES if row[key] is not None)
    return f"{place}, {row['what']}: {cell(row)}"


def cell(row):
    """A row's figures: ratios and milliseconds, or memory."""
    if "memory_mb" in row:
        return " / ".join(f"{NAMES[name]} {m['peak']:.0f} MB"
                          for name, m in row["memory_mb"].items())
    if "wanted_mb" in row:
        return f"does not fit: needs about {row['wanted_mb']:.0f} MB, has {row['room_mb']:.0f}"
    if "full" in row:
        return f"does not fit on the card ({NAMES[row['full']]})"
    ratios = ", ".join(quartiles(q) for q in row["ratios"].values())
    return f"{ratios}, {' / '.join(milliseconds(s) for s in row['seconds'].values())} ms"


def quartiles(q):
    """0.47 (0.45 .. 0.50) for the quartiles 0.45, 0.47, 0.50."""
    return f"{q[1]:.2f} ({q[0]:.2f} .. {q[2]:.2f})"


def milliseconds(seconds):
    """Milliseconds with three digits."""
    ms = 1e3 * seconds
    return f"{ms:.0f}" if ms >= 100 else f"{ms:.3g}"


def ratio_table(rows):
    """One line for each layer or network and batch, one column for each pass."""
    places = [key for key in PLACES
              if key in ("network", "batch") or len({row[key] for row in rows}) > 1]
    passes = list(dict.fromkeys(row["what"] for row in rows))
    lines = []
    for place, group in groupby(rows, key=lambda row: [row[key] for key in places]):
        cells = {row["what"]: cell(row) for row in group}
        lines.append([*place, *(cells.get(what, "") for what in passes)])
    ratio = " and ".join(_spelt(name) for name in rows[0]["ratios"])
    return "\n\n".join([f"{ratio}, then milliseconds of each.", _table([*places, *passes], lines),
                        *filter(None, [slower(rows), gains(rows)])])


def gains(rows):
    """How much faster each op's twin is than its page in each pass; "" if no page was measured."""
    found = {}
    for row in rows:
        if {"plain", "ours"} <= row.get("seconds", {}).keys():
            gain = row["seconds"]["plain"] / row["seconds"]["ours"]
            found.setdefault((row["op"], row["what"]), []).append(gain)
    told = [f"{op} {what} {median(all_of):.2f} ({min(all_of):.2f} .. {max(all_of):.2f} of "
            f"{len(all_of)})" for (op, what), all_of in found.items()]
    return f"The twins' gain over their pages: {'; '.join(told)}." if told else ""


def slower(rows):
    """The rows whose first ratio, minicnn's, is above SLOWER, worst first; "" if there are none."""
    found = sorted(((next(iter(row["ratios"].values()))[1], row) for row in rows
                    if "ratios" in row), key=lambda pair: -pair[0])
    found = [f"{ratio:.2f} {row['network']} {row['layer'] or ''} {row['what']}, batch "
             f"{row['batch']}".replace("  ", " ") for ratio, row in found if ratio > SLOWER]
    return f"Above {SLOWER}: {len(found)} of {len(rows)}. {'; '.join(found)}." if found else ""


def memory_table(rows):
    """Peak memory of the whole process, and without the memory that it held before the task."""
    libraries = list(rows[0]["memory_mb"])
    names = " / ".join(NAMES[name] for name in libraries)
    lines = []
    for row in rows:
        peaks = [row["memory_mb"][name]["peak"] for name in libraries]
        own = [m["peak"] - m["base"] for m in (row["memory_mb"][name] for name in libraries)]
        lines.append([row["network"], row["batch"], row["what"], *_compared(peaks),
                      *_compared(own)])
    return _table(["network", "batch", "pass", f"whole process, MB, {names}", "ratio",
                   "without the library itself, MB", "ratio"], lines)


def _compared(both):
    return " / ".join(f"{v:.0f}" for v in both), f"{both[0] / both[1]:.2f}"


def student_table(rows):
    """The times of the student's ways as multiples of minicnn's."""
    ratios = list(rows[0]["ratios"])
    ours = ratios[0].split(" / ")[1]
    lines = [[row["network"], row["layer"], row["shape"], row["what"],
              milliseconds(row["seconds"][ours]), *(quartiles(row["ratios"][r]) for r in ratios)]
             for row in rows]
    return _table(["network", "layer", "shape", "pass", f"{NAMES[ours]}, ms",
                   *map(_spelt, ratios)], lines)


def scaling_table(rows):
    """Time with each number of threads, and memory, along both curves."""
    counts = sorted({row["threads"] for row in rows if "ratios" in row})
    points = {}
    for row in rows:
        point = points.setdefault((row["curve"], row["side"], row["batch"]), {})
        point[row["threads"] if "ratios" in row else "memory"] = cell(row)
    lines = [[*key, *(point.get(k, "") for k in (*counts, "memory"))]
             for key, point in points.items()]
    return _table(["curve", "side", "batch", *(counted(n, "thread") for n in counts),
                   "peak memory"], lines)


def gpu_table(rows):
    """One line per pass: ratios, milliseconds, the roofline's share of the time, and memory."""
    timed = [row for row in rows if "ratios" in row]
    if not timed:
        return "\n\n".join(line(row) for row in rows)
    ratios, libraries = list(timed[0]["ratios"]), list(timed[0]["seconds"])
    places = [key for key in PLACES[:-1]
              if key in ("network", "batch") or len({row[key] for row in rows}) > 1]
    names = " / ".join(NAMES[name] for name in libraries)
    lines = [[*(row[key] for key in places), row["what"], *_gpu_cells(row, ratios, libraries)]
             for row in rows]
    slow = slower(rows)
    table = _table([*places, "pass", *map(_spelt, ratios), f"ms, {names}", "of the roofline",
                    "MB"], lines)
    return "\n\n".join([table, *([slow] if slow else [])])


def _gpu_cells(row, ratios, libraries):
    if "full" in row:
        return [cell(row), *[""] * (len(ratios) + 2)]
    seconds = [row["seconds"][name] for name in libraries]
    return [*(quartiles(row["ratios"][ratio]) for ratio in ratios),
            " / ".join(milliseconds(s) for s in seconds),
            " / ".join(f"{row['least_seconds'] / s:.0%}" for s in seconds),
            " / ".join(f"{row['peak_mb'][name]:.0f}" for name in libraries)]


def gram_table(rows):
    """The `gpu_table`, and the number of steps per second."""
    told = [f"{row['side']} pixels: " + ", ".join(
        f"{NAMES[name]} {1 / s:.3g} steps per second, {STEPS} steps in {STEPS * s:.3g} s"
        for name, s in row["seconds"].items()) + "." for row in rows if "seconds" in row]
    return "\n\n".join([gpu_table(rows), *told])


def _spelt(ratio):
    """Turn "ours / torch" into "minicnn / PyTorch"."""
    return " / ".join(NAMES[name] for name in ratio.split(" / "))


def _table(header, lines):
    rows = [header, ["---"] * len(header), *lines]
    return "\n".join("| " + " | ".join(str(c) for c in row) + " |" for row in rows)


TABLES = {"networks": ratio_table, "layers": ratio_table, "ops": ratio_table,
          "training": ratio_table, "memory": memory_table, "student": student_table,
          "scaling": scaling_table}
GPU_TABLES = {"networks": gpu_table, "layers": gpu_table, "ops": gpu_table,
              "training": gpu_table, "gram": gram_table}
