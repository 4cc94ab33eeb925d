"""A plot of an ascent: the objective's value and each term's share of it, step by step."""

import numpy as np

from minicnn import images

WIDE, HIGH = 7.0, 1.8  # inches: the plot's width, and the height of each panel
DPI = 100


def plot(path, records):
    """Draw the traces of records and save them as a PNG or JPEG file.

    Parameters
    ----------
    path : str or path
    records : list of vis.Record
        The records of one ascent, or of several alike. Each image is a line. If the objective has
        several terms, the share of each that all records have has its own panel, with its own
        scale, below the objective's. A shorter trace ends earlier.

    Raises
    ------
    ImageError
        Another suffix.
    ValueError
        A trace of another shape, or without steps; a folder that does not exist.
    """
    shared = [name for name in records[0].by_term or ()
              if all(name in record.by_term for record in records)]
    trace = _joined([record.trace for record in records])
    by_term = {name: _joined([record.by_term[name] for record in records]) for name in shared}
    images.save(path, draw(trace, by_term, "\n".join(record.caption for record in records)))


def draw(trace, by_term=None, title=""):
    """Draw a trace (steps + 1, N) and each term's share; returns a picture (H, W, 3) uint8."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    panels = {"value": _checked("trace", trace)}
    if by_term is not None and len(by_term) > 1:
        panels |= {name: _checked(name, share) for name, share in by_term.items()}
    figure = Figure((WIDE, HIGH * len(panels) + 0.6), DPI, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    columns = figure.subplots(len(panels), sharex=True, squeeze=False)[:, 0]
    for axes, (name, values) in zip(columns, panels.items(), strict=True):
        axes.plot(values, marker="." if len(values) < 3 else None)
        axes.set_ylabel(name)
        axes.grid(alpha=0.3)
    columns[-1].set_xlabel("step")
    columns[-1].xaxis.get_major_locator().set_params(integer=True)
    figure.suptitle(title, fontsize="medium", wrap=True)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


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
