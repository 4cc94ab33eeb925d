"""The features of settings, in words: what a layer may be said not to support (``--without``).

Each case of `cases` carries the features that it has; a verdict says with them
where a layer is wrong.
"""

from minicnn.gradcheck.gradients import conduct
from minicnn.gradcheck.judge.conduct_of import KINDS

FEATURES = {
    "padding": "with padding",
    "stride": "with a stride above 1",
    "pairs": "with different numbers for height and width, such as stride (2, 1)",
    "groups": "with more than one group",
    "dilation": "with a dilation above 1",
    "no bias": "without a bias",
    "ceil": "with the number of windows rounded up",
    "overlap": "where windows overlap",
    "gaps": "where pixels lie between windows",
    "not tiling": "where the windows leave a rest at the border",
    "oblong": "with images that are not square",
    "oblong window": "with windows that are not square",
    "identity": "where the op changes nothing (a 1x1 window, a rate of 0)",
    "batch": "with more than one image or row",
    "square": "with as many channels out as in",
    "images": "with images (four axes)",
    "training": "with training on",
    "paper": "with the LRN of the paper, alpha not divided by the size",
    "ties": "with equal maxima or exact zeros",
    "values": "with numbers of unusual size",
    "numbers of 100": "with numbers of about +-100",
    "numbers of 1000": "with numbers of about +-1000",
    "1000 and noise": "with numbers of 1000 plus noise",
    "numbers of 1e-4": "with numbers of about 1e-4",
    "large": "with a large array (a side above 64)",
    "page": "that only ops in the page's form must refuse",
    "float32": "in float32",
    "float64": "in float64",
    "refusals": "that must be refused, such as channels that do not fit",
}
VAGUE = ("batch", "square", "oblong", "values", "overlap", "not tiling")  # taken if no other fits


def conduct_kinds():
    """The kinds of conduct that are checked; each may be left out by its name."""
    return [*conduct.FIRST, *conduct.CHECKS, "same object twice",
            "some gradients only", *KINDS]


def left_out(text):
    """Features and kinds of conduct separated by commas, as a tuple; ValueError for others."""
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    known = [*FEATURES, *conduct_kinds()]
    for name in names:
        if name not in known:
            raise ValueError(f"unknown feature {name!r}; there are {', '.join(known)}")
    return names
