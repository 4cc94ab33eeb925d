"""A plot of an ascent: the objective's value and each term's share of it, step by step.

A method that makes a loss small climbs minus this loss, and that is what its trace holds. Its plot
shows the loss itself and its weighted terms, on a logarithmic scale: they differ by powers of ten.
"""

from textwrap import fill

import numpy as np

from minicnn import images

WIDE, HIGH, LOSS = 7.0, 1.8, 3.0  # inches: the plot's width, and the height of each panel
DPI = 100
LINES = 10  # most images that a legend numbers: there are no more colours
BESIDE = {"loc": "upper left", "bbox_to_anchor": (1.0, 1.0), "fontsize": "small"}


def plot(path, records):
    """Draw the traces of records and save them as a PNG or JPEG file.

    Parameters
    ----------
    path : str or path
    records : list of vis.Record
        The records of one ascent, or of several alike. Each image is a line, numbered if there are
        several. If the objective has several terms, the share of each that all records have has its
        own panel, with its own scale, below the objective's. A shorter trace ends earlier. Records
        of a loss have a panel each, see `losses`.

    Raises
    ------
    ImageError
        Another suffix.
    ValueError
        A trace of another shape, or without steps; a folder that does not exist.
    """
    if records[0].minus_loss:
        return images.save(path, losses(records))
    shared = [name for name in records[0].by_term or ()
              if all(name in record.by_term for record in records)]
    trace = _joined([record.trace for record in records])
    by_term = {name: _joined([record.by_term[name] for record in records]) for name in shared}
    captions = [record.caption for record in records]
    if len(captions) > 1:
        captions = [f"{k}: {caption}" for k, caption in enumerate(captions, 1)]
    images.save(path, draw(trace, by_term, "\n".join(captions)))


def draw(trace, by_term=None, title=""):
    """Draw a trace (steps + 1, N) and each term's share; returns a picture (H, W, 3) uint8."""
    panels = {"objective": _checked("trace", trace)}
    if by_term is not None and len(by_term) > 1:
        panels |= {name: _checked(name, share) for name, share in by_term.items()}
    columns, finished = _panels(len(panels), HIGH)
    for axes, (name, values) in zip(columns, panels.items(), strict=True):
        lines = axes.plot(values, marker="." if len(values) < 3 else None)
        axes.set_ylabel(fill(name, 18))
    if 1 < len(lines) <= LINES:
        columns[0].legend(columns[0].lines, range(1, len(lines) + 1), **BESIDE)
    columns[0].figure.suptitle(title, fontsize="medium", wrap=True)
    return finished()


def losses(records):
    """Draw the loss of each record and its weighted terms; returns a picture (H, W, 3) uint8.

    A zero has no place on a logarithmic scale: a line begins where its term is above 0.
    """
    columns, finished = _panels(len(records), LOSS)
    for axes, record in zip(columns, records, strict=True):
        lines = {"loss": record.trace} | (record.by_term if len(record.by_term) > 1 else {})
        for name, values in lines.items():
            values = 0 - _checked(name, values)  # 0 for 0, not -0
            axes.plot(values, label=name, marker="." if len(values) < 3 else None,
                      **{"color": "black", "linewidth": 2} if name == "loss" else {})
        if (np.asarray(record.trace) < 0).any():
            axes.set_yscale("log", nonpositive="mask")
        axes.set_ylabel("loss")
        axes.set_title(record.caption, fontsize="medium", wrap=True, parse_math=False)
        axes.legend(**BESIDE)
    return finished()


def _panels(count, high):
    """(axes, one below the other; a function that draws them all)."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure((WIDE, high * count + 0.6), DPI, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    columns = figure.subplots(count, sharex=True, squeeze=False)[:, 0]
    for axes in columns:
        axes.grid(alpha=0.3)
    columns[-1].set_xlabel("step")
    columns[-1].xaxis.get_major_locator().set_params(integer=True)

    def finished():
        canvas.draw()
        return np.asarray(canvas.buffer_rgba())[..., :3].copy()
    return columns, finished


def _joined(traces):
    """Traces (steps + 1, N) side by side, those that end earlier filled up with NaN."""
    longest = max(map(len, traces))
    return np.concatenate([np.pad(np.asarray(trace, float), ((0, longest - len(trace)), (0, 0)),
                                  constant_values=np.nan) for trace in traces], axis=1)


def _checked(name, values):
    values = np.asarray(values, np.float64)
    if values.ndim != 2 or not values.size:
        raise ValueError(f"plot: {name}: expected shape (steps + 1, N), a number for each step and "
                         f"image, got {values.shape}")
    return values
