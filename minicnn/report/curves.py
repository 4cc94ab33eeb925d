"""The course of training as a plot: loss and accuracy after each epoch."""

import numpy as np

from minicnn import images

SIZE, DPI = (9.0, 3.8), 100  # inches; dots an inch
WORDS = {"training": "mean over an epoch's batches, while the network still learns, with "
                     "augmentation and dropout if any",
         "validation": "all validation images, after the epoch, with neither"}


def plot(path, history, title=""):
    """Draw the epochs of a training and save the plot as a PNG or JPEG file.

    Parameters
    ----------
    path : str or path
    history : list of train.Epoch, or dict of str to such lists
        What `train.fit` yields; or several trainings to compare, by name, each in its own colour.
    title : str
    """
    images.save(path, draw(history, title))


def draw(history, title=""):
    """The same plot as a picture (H, W, 3) uint8.

    Solid lines are means over the batches of an epoch, in which the network still changes, with
    augmentation and dropout; dashed ones are of the validation images, after it. So validation can
    look better than training. The words below the plot say so.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    histories = history if isinstance(history, dict) else {"": history}
    if not histories or not all(map(len, histories.values())):
        raise ValueError("curves: there are no epochs; pass list(train.fit(...))")
    figure = Figure(SIZE, DPI, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    for axes, name in zip(figure.subplots(1, 2), ("loss", "accuracy"), strict=True):
        scale = 100 if name == "accuracy" else 1
        for k, (whose, epochs) in enumerate(histories.items()):
            count = [epoch.index + 1 for epoch in epochs]
            for colour, kind, style, words in ((k, "", "-", "training"),
                                               (k + (not whose), "val_", "--", "validation")):
                values = [getattr(epoch, kind + name) for epoch in epochs]
                if values[-1] is not None:
                    axes.plot(count, np.array(values, float) * scale, style, marker=".",
                              color=f"C{colour}", label=f"{words} {whose}".strip())
        axes.set_xlabel("epoch")
        axes.set_ylabel("accuracy, %" if scale == 100 else name)
        axes.grid(alpha=0.3)
        axes.legend()
        axes.xaxis.get_major_locator().set_params(integer=True)
    figure.suptitle(title, fontsize="medium", wrap=True)
    labels = " ".join(line.get_label() for line in axes.lines)
    figure.supxlabel("\n".join(f"{kind}: {words}" for kind, words in WORDS.items()
                               if kind in labels), fontsize="small")
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()
