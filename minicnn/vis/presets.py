"""Ways to maximise, each under the name of where it was published: for `minicnn.vis.maximize`.

A preset gives several arguments at once. What the sources leave open is said here, beside the
number that was chosen. Two things differ from all of them: an image is kept between black and
white, so that what is saved is what the network saw, and lengths are in grey levels of 0..255
whatever a network's own numbers are.

==============  ===================================================================================
(none)          `maximize`'s own: the gradient over its mean magnitude, jitter, diffusion, and for
                a class its log-probability
filters         the same for a sheet of filters: fewer steps, from noise, sum of squares
wolfram         the gradient and nothing else, by Adam (NetTrain's way where none is named), 2000
                steps from zeros. The rate is not in the source
simonyan        score - l2 |I|^2 from zeros (Simonyan et al. 2014, section 2). The paper gives no
                numbers: rate, l2 and steps are those of CS231n's assignment on it, which counts in
                standard deviations (58 grey levels) and divides by the gradient's length
yosinski        decay, blur and two kinds of clipping (Yosinski et al. 2015, table 1): yosinski-1 to
                yosinski-4 are its four settings, and 3 is meant where none is named
keras-lecture   noise around grey 128, 40 steps of 1 grey level along the gradient over its root
                mean square (Chollet 2017, section 5.4.2, generate_pattern)
lucid           the image as a spectrum of colours that vary independently, seen moved, scaled and
                turned, by Adam (Olah et al. 2017; render_vis). At the network's own size; theirs is
                128 where nothing is said
==============  ===================================================================================
"""

from functools import partial

from minicnn.ascent import optimizers, parametrize, regularizers, transforms
from minicnn.ascent.objectives.units import MEASURES
from minicnn.vis.arguments import check_choice

NONE = "none"
CHOICES = {
    "measure": tuple(MEASURES),
    "optimizer": ("sgd", "adam"),
    "normalize": (NONE, *optimizers.NORMALIZERS, "progress"),
    "basis": ("pixels", "fourier", "laplacian"),
    "transforms": (NONE, "lucid"),
    "moves": (NONE, *[f"yosinski-{k}" for k in regularizers.SETTINGS]),
}

DEVIATION = 255 * 0.226  # grey levels that CS231n's preprocessing divides by
CS231N_LENGTH = 25 / (224 * 224 * 3) ** 0.5  # of its steps, root mean square over the image
PROGRESS = 2.0  # what a step should raise the objective by, in both settings that say so
EPSILON = 1e-5  # the lecture's, added to the root mean square of a gradient by grey levels

PLAIN = {
    "start": "zeros", "momentum": 0.0, "jitter": 0, "diffuse": 0.0, "settle": 0.0,
    "measure": "mean", "sure": 0.0, "l2": 0.0, "optimizer": "sgd", "normalize": NONE,
    "basis": "pixels", "transforms": NONE, "moves": NONE,
}
OWN = PLAIN | {"steps": 100, "rate": 2.0, "momentum": 0.5, "jitter": None, "diffuse": 0.1,
               "settle": 0.1, "sure": 300.0, "normalize": "mean_abs"}


def _yosinski(setting):
    published = regularizers.SETTINGS[setting]
    return PLAIN | {"steps": published.steps, "start": "noise", "rate": published.rate,
                    "normalize": "progress" if published.progress else NONE,
                    "moves": f"yosinski-{setting}"}


PRESETS = {
    "filters": OWN | {"steps": 60, "start": "noise", "measure": "squares"},
    "wolfram": PLAIN | {"steps": 2000, "rate": 1.0, "optimizer": "adam", "measure": "squares"},
    "simonyan": PLAIN | {"steps": 100, "rate": CS231N_LENGTH * DEVIATION, "normalize": "rms",
                         "l2": 1e-3 / DEVIATION**2},
    "yosinski": _yosinski(3),
    **{f"yosinski-{k}": _yosinski(k) for k in regularizers.SETTINGS},
    "keras-lecture": PLAIN | {"steps": 40, "start": "grey-noise", "rate": 1.0, "normalize": "rms"},
    "lucid": PLAIN | {"steps": 512, "start": "noise", "rate": 0.05, "optimizer": "adam",
                      "basis": "fourier", "transforms": "lucid"},
}


def chosen(preset, given):
    """The arguments that a preset and what was given besides it come to.

    Parameters
    ----------
    preset : str or None
        A key of `PRESETS`; None for `maximize`'s own way.
    given : dict
        Arguments by name; where one is None the preset's is taken.

    Returns
    -------
    dict
        Of the same names. `jitter` may be None still: a 14th of the image.

    Raises
    ------
    ValueError
        Naming the argument: no such choice, out of range, or two that do not go together.
    """
    if preset is not None:
        check_choice("maximize", "preset", preset, PRESETS)
    start = OWN if preset is None else PRESETS[preset]
    settings = {name: start[name] if value is None else value for name, value in given.items()}
    _check(settings)
    return settings


def _check(settings):
    for name, choices in CHOICES.items():
        check_choice("maximize", name, settings[name], choices)
    for name, least, most in (("steps", 1, None), ("rate", 0, None), ("momentum", 0, 1),
                              ("settle", 0, 1), ("sure", 0, None), ("l2", 0, None)):
        value = settings[name]
        if not (least <= value < float("inf") and (most is None or value <= most)):
            words = f"at least {least}" if most is None else f"in {least}..{most}"
            raise ValueError(f"maximize: {name} must be {words}, got {value}")
    if settings["basis"] != "pixels" and (settings["diffuse"] or settings["moves"] != NONE):
        raise ValueError(f"maximize: diffuse and moves change pixels, and with basis "
                         f"{settings['basis']} the image is made from other numbers; leave them "
                         "out, or use basis pixels")
    if settings["optimizer"] == "adam" and (settings["momentum"]
                                            or settings["normalize"] == "progress"):
        raise ValueError("maximize: Adam has its own momentum and its own length of steps; leave "
                         "momentum and normalize progress out, or use optimizer sgd")


# ---- the pieces that the settings name

def optimizer(settings, grey_level):
    """What takes the steps.

    Parameters
    ----------
    settings : mapping
        optimizer, normalize, rate, momentum, basis.
    grey_level : float
        `Network.grey_level`. A gradient at pixels is divided by it to be one by grey levels, and a
        step of grey levels multiplied. Other bases have numbers of their own.
    """
    unit = grey_level if settings["basis"] == "pixels" else 1.0
    by, rate = settings["normalize"], settings["rate"]
    if by == "progress":
        return optimizers.SGD(1.0, settings["momentum"],
                              normalize=optimizers.progress(PROGRESS, rate * unit**2))
    normalize = {NONE: None, "rms": partial(optimizers.rms, epsilon=EPSILON / unit)}.get(by, by)
    if settings["optimizer"] == "adam":
        return optimizers.Adam(rate * unit, normalize=normalize)
    return optimizers.SGD(rate * (unit**2 if by == NONE else unit), settings["momentum"],
                          normalize=normalize)


def after_a_step(settings):
    """What is done to the image after each step, a list."""
    chosen = [regularizers.diffuse(settings["diffuse"])] * (settings["diffuse"] != 0)
    if settings["moves"] != NONE:
        chosen = regularizers.yosinski(int(settings["moves"][-1])) + chosen
    return chosen


def before_a_look(settings, size):
    """What is done to the image before each look, a list; `size` (H, W) is the image's.

    Lucid's transforms change the size. The middle is taken of what comes out, or zeros put around
    it, so that dense layers find what they need.
    """
    rolled = [transforms.jitter(settings["jitter"])] * (settings["jitter"] != 0)
    lucid = [*transforms.lucid(), transforms.fit(*size)] * (settings["transforms"] == "lucid")
    return rolled + lucid


def parametrization(settings, network, size):
    """What the image is a function of."""
    if settings["basis"] == "pixels":
        return parametrize.ITSELF
    return getattr(parametrize, settings["basis"])(network, size)
