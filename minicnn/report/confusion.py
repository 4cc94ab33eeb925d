"""A confusion matrix as a picture: which classes a network takes for which."""

import numpy as np

from minicnn import images

DPI = 100
MOST_NUMBERS = 20  # classes up to which each field holds its number
MOST_NAMES = 60  # classes up to which all names fit beside the fields


def plot(path, evaluation, title=""):
    """Draw the confusion matrix of an evaluation and save it as a PNG or JPEG file."""
    images.save(path, draw(evaluation, title))


def draw(evaluation, title=""):
    """The confusion matrix as a picture (H, W, 3) uint8.

    A row is a true class, a column the class that the network gave; the colour is the share of the
    row's images. A perfect network has a dark diagonal and nothing else.

    Parameters
    ----------
    evaluation : train.Evaluation
    title : str
        By default the numbers of the evaluation.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    counts, names = evaluation.confusion, evaluation.classes
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    side = 3.2 + min(0.42 * len(counts), 9)
    figure = Figure((side + 0.8, side), DPI, layout="constrained")
    canvas, axes = FigureCanvasAgg(figure), figure.subplots()
    shown = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    figure.colorbar(shown, ax=axes, shrink=0.7, label="share of the true class")
    if len(counts) <= MOST_NAMES:
        ticks = range(len(counts))
        axes.set_xticks(ticks, names, rotation=90)
        axes.set_yticks(ticks, names)
    if len(counts) <= MOST_NUMBERS:
        for (row, column), count in np.ndenumerate(counts):
            if count:
                axes.text(column, row, str(count), ha="center", va="center", fontsize="small",
                          color="white" if shares[row, column] > 0.5 else "black")
    axes.set_xlabel("class given")
    axes.set_ylabel("true class")
    axes.set_title(title or str(evaluation).splitlines()[0], fontsize="medium")
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()
