"""Figures: the scaling curves, and the times of networks on a GPU against the batch."""

from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator
from tables import NAMES, counted

from minicnn.images import atomic

COLOURS = ("tab:blue", "tab:orange")
LIBRARY_COLOURS = {"channels_last": "tab:green", "torch": "tab:orange"}  # others are minicnn's
WORDS = {"side": "image side, pixels (batch 1)",
         "batch": "batch (images of {side} x {side} pixels)"}


def scaling(section, path):
    """Draw time and memory against the image's side and the batch.

    Parameters
    ----------
    section : dict
        The section `scaling` of the results, with `about` and `rows`.
    path : str or path
        The PNG file to write.
    """
    figure = Figure(figsize=(11, 8), layout="constrained")
    for column, (axis, words) in enumerate(WORDS.items(), start=1):
        rows = [row for row in section["rows"] if row["curve"] == axis]
        if not rows:  # the run ended before this curve
            continue
        time, memory = (figure.add_subplot(2, 2, column + below) for below in (0, 2))
        _times(time, rows, axis)
        _memory(memory, rows, axis)
        for axes in (time, memory):
            _dress(axes, words.format(side=rows[0]["side"]), sorted({row[axis] for row in rows}))
            if axes.lines:
                axes.legend()
    figure.suptitle(title(section["about"]))
    with atomic(path) as temporary:
        figure.savefig(temporary, dpi=100)


def batches(section, path):
    """Draw each network's time per image, and the roofline's, against the batch on a GPU.

    Parameters
    ----------
    section : dict
        The section `networks` of a GPU's results.
    path : str or path
        The PNG file to write.
    """
    rows = [row for row in section["rows"] if "seconds" in row]
    names, passes = (list(dict.fromkeys(row[key] for row in rows)) for key in ("network", "what"))
    if not rows:
        return
    figure = Figure(figsize=(4 * len(names), 7), layout="constrained")
    all_axes = figure.subplots(len(passes), len(names), squeeze=False)
    for what, line_of_axes in zip(passes, all_axes, strict=True):
        for name, axes in zip(names, line_of_axes, strict=True):
            _an_image(axes, [row for row in rows if (row["network"], row["what"]) == (name, what)])
            axes.set_title(f"{name}, {what}", fontsize="medium")
    figure.legend(*all_axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    figure.suptitle(gpu_title(section["about"]))
    with atomic(path) as temporary:
        figure.savefig(temporary, dpi=100)


def _an_image(axes, rows):
    """Draw the milliseconds per image of each library, and the roofline's least."""
    for name in rows[0]["seconds"] if rows else ():
        points = lines(rows, "batch", lambda row, name=name: 1e3 * row["seconds"][name]
                       / row["batch"])
        axes.plot(*points, marker="o", color=LIBRARY_COLOURS.get(name, "tab:blue"),
                  label=NAMES[name])
    if rows:
        axes.plot(*lines(rows, "batch", lambda row: 1e3 * row["least_seconds"] / row["batch"]),
                  "--", color="grey", label="roofline")
    axes.set_ylabel("milliseconds per image")
    _dress(axes, "batch", sorted({row["batch"] for row in rows}))


def gpu_title(about):
    """The card and the date."""
    said = next((lib for lib in about["libraries"].values() if "card" in lib), {})
    return f"{said.get('card', 'GPU')}, float32 without TF32, {about['date'][:10]}"


def title(about):
    """The network of the curves, the machine and the date."""
    return ("VGG-16's convolutions, forward + gradient at the image, float32\n"
            f"{about['processor']}, {counted(about['cores'], 'core')}"
            f"{', held to AVX2' if about['avx2'] else ''}, {about['date'][:10]}")


def lines(rows, axis, value):
    """[(x, ...), (y, ...)] of the rows, sorted along the axis."""
    return list(zip(*sorted((row[axis], value(row)) for row in rows), strict=True))


def _times(axes, rows, axis):
    counts = sorted({row["threads"] for row in rows if "seconds" in row}, reverse=True)
    for threads, style in zip(counts, ("-", "--"), strict=False):
        of_these = [row for row in rows if "seconds" in row and row["threads"] == threads]
        for name, colour in zip(of_these[0]["seconds"], COLOURS, strict=True):
            points = lines(of_these, axis, lambda row, name=name: row["seconds"][name])
            axes.plot(*points, style, color=colour, marker="o",
                      label=f"{NAMES[name]}, {counted(threads, 'thread')}")
    axes.set_ylabel("seconds, on this machine")


def _memory(axes, rows, axis):
    measured = [row for row in rows if "memory_mb" in row]
    for name, colour in zip(measured[0]["memory_mb"], COLOURS, strict=True):
        points = lines(measured, axis, lambda row, name=name: row["memory_mb"][name]["peak"])
        axes.plot(*points, color=colour, marker="o", label=NAMES[name])
    axes.set_ylabel("peak memory of the process, MB")


def _dress(axes, words, ticks):
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_xticks(ticks, [str(tick) for tick in ticks])
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter("")
    axes.set_xlabel(words)
    axes.grid(which="both", alpha=0.25)

