"""Questions of the kind "network": the student's code inside a trained network, and its picture.

The network stays in this process. Their functions stand in its rows, or in the loop around it, and
only arrays cross. The same is computed with the page's own functions; the two results must agree.
"""

import numpy as np
from matplotlib import cbook

from minicnn import images, vis
from minicnn.ascent import loop, objectives
from minicnn.ascent.objectives.term import Objective, Term
from minicnn.ascent.optimizers import Adam
from minicnn.course.grader.handed import Handed, Kept, as_array
from minicnn.course.grader.outcome import Check
from minicnn.course.grader.panels import compared, panels, strongest_map
from minicnn.foreign.load import load
from minicnn.gradcheck.apart.owner import Died
from minicnn.gradcheck.gradients import compare
from minicnn.gradcheck.own.forms import Gradients
from minicnn.gradcheck.own.sources import FormError, OwnError
from minicnn.network import Network
from minicnn.network.layers import LRN

NETWORK, TOP, STEPS, SEED = "minivgg", 5, 60, 0
BLOCKS = 4  # along each side of the photo
KEPT = {}  # {id of a question: what the page's code gives}
AGREE = 8  # steps after which two searches are compared
FAILS = (OwnError, FormError, Died, ValueError, TypeError, LookupError, ArithmeticError,
         AttributeError)  # what their answers may bring about in the network, or in the loop
TOLERANCE = 1e-6  # in float64: 1e-15 a term, through some ten layers or steps that enlarge it


class Stage:
    """A network question: the network, the photo, and the process with the student's code."""

    def __init__(self, question, walled, asked):
        self.question, self.walled, self.asked = question, walled, asked
        self.network = (asked.network or load(NETWORK)).astype("float64")
        photo = asked.photo if asked.photo is not None else cbook.get_sample_data(
            "grace_hopper.jpg", asfileobj=False)
        self.photo = images.load(photo)
        self.x = self.network.prepare(self.photo).astype("float64")

    def form(self, op):
        """Their op, both passes, as a form."""
        return Handed(self.walled, op, f"{op}_", "all", self.asked.file)


def checks(question, walled, asked):
    """The Checks of a question, and why.

    The contract's `task` is one of `TASKS`. As `minicnn.course.grader.by_op.checks`.
    """
    stage = Stage(question, walled, asked)
    try:
        found, picture, words = TASKS[question.contract["task"]](stage)
    except FAILS as error:  # where their results have come to
        found, picture, words = [("the picture", f"cannot be made: {error}")], None, ""
    right = [name for name, wrong in found if not wrong]
    listed = [Check(name, not wrong, wrong) for name, wrong in found]
    first = next((wrong for _, wrong in found if wrong), "")
    return listed, {"share": float(len(right) == len(found)), "words": first or words,
                    "picture": picture}


def agrees(name, theirs, right):
    """Words if two results differ, else ""."""
    try:
        worst = compare.worst(name, as_array(theirs, name), right, "expected", 1.0)
    except OwnError as error:
        return str(error)
    return "" if worst.error <= TOLERANCE else worst.words


# ---- their ops in the rows

def classify(stage):
    """A photo is classified by the network with their ops in its rows."""
    ops, net = stage.question.contract["ops"], with_lrn(stage)
    right, (run, where) = net.forward(stage.x), _forward(stage, net, ops)
    if isinstance(run, Exception):
        return [(f"in {where}", str(run))], None, ""
    wrong = agrees(f"with your {', '.join(ops)} in {where}, the network's output", run.output,
                   right.output)
    best = [int(k) for k in np.argsort(-run.output[0])[:TOP]]
    words = [f"{net.label(k)} {run.output[0, k]:.0%}" for k in best[:3]]
    first = next(name for name, layer, _ in net.rows if layer.op in ops)
    shown = {"the photo": stage.photo, f"{first}, your code": strongest_map(run[first]),
             f"{first}, the page": strongest_map(right[first])}
    return [(f"in {where}", wrong)], panels(shown, {
        net.label(k): (run.output[0, k], right.output[0, k]) for k in best}), (
        f"with your code in {where}, the network sees: {', '.join(words)}")


def with_lrn(stage):
    """The network; for LRN, which it has not, with one after its first ReLU."""
    net = stage.network
    if "lrn" not in stage.question.contract["ops"]:
        return net
    at = next(index for index, (_, layer, _) in enumerate(net.rows) if layer.op == "relu") + 1
    before = net.rows[at - 1][0]
    moved = [(name, layer, tuple("norm1" if one == before else one for one in inputs))
             for name, layer, inputs in net.rows[at:]]
    rows = [*net.rows[:at], ("norm1", LRN(size=5, alpha=1e-3), (before,)), *moved]
    longer = Network(net.name, rows, net.input_shape, net.preprocessing, net.labels, net.about)
    longer.params |= {name: net.params[name] for name in longer.params.keys() & net.params}
    return longer


def _forward(stage, net, ops):
    """(the Run with their ops in all rows, or in the first of each op if that takes too long, or
    the error; where they stand)."""
    forms, first = {op: stage.form(op) for op in ops}, {}
    for op in ops:
        first[next(name for name, layer, _ in net.rows if layer.op == op)] = forms[op]
    try:
        return net.using(**forms).forward(stage.x), "all rows"
    except FAILS as error:
        if "was stopped after" not in str(error):
            return error, "all rows"
    try:
        return net.using(first).forward(stage.x), f"row {', '.join(first)}"
    except FAILS as error:
        return error, f"row {', '.join(first)}"


def project(stage):
    """A unit is projected to the pixels with their ops on the way down."""
    net, layer = stage.network, stage.question.contract["layer"]
    makers = {"pool": lambda stage: stage.form("pool"), "unpool": Unpooled, "relu": Rule,
              "conv": Transposed}
    made = [makers[op](stage) for op in stage.question.contract["ops"]]
    forms = {form.op: form for form in made}
    try:
        right, theirs = (vis.deconvnet(one, one.forward(stage.x, to=layer), layer)
                         for one in (net, net.using(**forms)))
    except FAILS as error:
        return [("the projection", str(error))], None, ""
    return [("the projection", agrees("the projection", theirs.x, right.x))], compared(
        ("the photo", stage.photo), theirs.image, right.image), theirs.caption


class Rule(Handed):
    """Their backward of a ReLU, whose forward is the page's."""

    def __init__(self, stage):
        super().__init__(stage.walled, "relu", "relu_", "all", stage.asked.file)

    def forward(self, arrays, settings, memory="C"):
        """The page's y, and a cache made in their process."""
        y, cache = self.page.forward(arrays["x"])
        return y, Kept([], {}, cache, self.walled.call("ReluCache", *cache, take="handle"))


class Unpooled(Handed):
    """Their unpooling as the way back of the page's pooling."""

    def __init__(self, stage):
        super().__init__(stage.walled, "pool", "pool_", "all", stage.asked.file)

    def forward(self, arrays, settings, memory="C"):
        """The page's y and switches."""
        y, cache = self.page.forward(arrays["x"], **settings)
        return y, Kept([], {}, cache)

    def backward(self, dy, kept, extras=None, memory="C"):
        """dx by their function."""
        return Gradients({"x": self.walled.call("pool_unpool", dy, *kept.cache)})


class Transposed(Handed):
    """Their transposed convolution as the way back of the page's convolution."""

    def __init__(self, stage):
        super().__init__(stage.walled, "conv", "conv_", "all", stage.asked.file)

    def forward(self, arrays, settings, memory="C"):
        """The page's y."""
        given = [arrays[name] for name in self.arrays]
        y, cache = self.page.forward(*given, **settings)
        return y, Kept(given, settings, cache)

    def backward(self, dy, kept, extras=None, memory="C"):
        """dx by their function."""
        cache = kept.cache
        dx = self.walled.call("conv_transpose_forward", dy, cache.w, None, cache.stride, cache.pad,
                              cache.groups, cache.dilation, cache.x_shape[1:3],
                              take=("value", "handle"))[0]
        return Gradients({"x": dx})


# ---- their functions in the loop

class Stepper:
    """Their optimiser, as the loop of gradient ascent calls it."""

    def __init__(self, process, name, **settings):
        self.process, self.made = process, process.call(name, take="handle", **settings)

    def step(self, value, gradient, key=None):
        """One step."""
        return _like(value, self.process.call((self.made, "step"), value, gradient))


def _like(image, found):
    """What their function made of an image: an image of the same shape."""
    found = as_array(found, "the image")
    if found.shape != image.shape:
        raise OwnError(f"the image has shape {found.shape}, expected {image.shape}")
    return found


def ascend(stage):
    """A class is maximised with their optimiser, normaliser and regularisers."""
    net = stage.network
    objective = objectives.channel(net.logits, stage.question.contract["channel"])

    def steps(process, start):
        stepper = Stepper(process, "SGD", rate=6 * net.grey_level, momentum=0.5, normalize="rms")
        made = [process.call(name, strength, take="handle")
                for name, strength in (("decay", 0.01), ("diffuse", 0.2))]
        regularizers = [lambda image, gradient, index, act=act: _like(
            image, process.call((act,), image, gradient, index)) for act in made]
        return loop.steps(net, objective, start, stepper, STEPS, regularizers=regularizers)

    label = net.label(stage.question.contract["channel"])
    return _climbed(stage, steps, f"the score of {label}")


def texture(stage):
    """A texture is made with their Gram matrices."""
    net, layers = stage.network, stage.question.contract["layers"]
    seen = net.forward(net.prepare(pebbles(net.input_shape[:2])).astype("float64"), to=layers)

    def steps(process, start):
        terms = []
        for layer in layers:
            target = as_array(process.call("gram_matrix", seen[layer]), "the Gram matrix")[0]
            terms.append(Term(layer, layer, lambda a, target=target: tuple(
                as_array(part, "the loss") for part in process.call("relative_error", a, target)),
                -1.0))
        return loop.steps(net, Objective(terms), start, Adam(6 * net.grey_level), STEPS)

    return _climbed(stage, steps, "minus the loss", ("the texture", pebbles(net.input_shape[:2])))


def pebbles(size, count=70):
    """A texture drawn by code: every pixel has the colour of the nearest of some points, darker the
    farther it is. Returns uint8 (H, W, 3)."""
    rng = np.random.default_rng(SEED)
    points, colours = rng.uniform(0, 1, (count, 2)), rng.uniform(60, 255, (count, 3))
    places = np.moveaxis(np.indices(size), 0, -1) / size[0]  # H,W,2
    far = np.linalg.norm(places[:, :, None] - points, axis=-1)  # H,W,count
    shade = np.clip(1.2 - 9 * far.min(axis=-1), 0, 1)
    return (colours[far.argmin(axis=-1)] * shade[..., None]).astype(np.uint8)


def measure(stage):
    """Their `slope` measures how a class score changes where the photo gets brighter."""
    net, x, (h, w) = stage.network, stage.x, stage.network.input_shape[:2]
    blocks = np.kron(np.eye(BLOCKS * BLOCKS).reshape(-1, BLOCKS, BLOCKS, 1),
                     np.ones((h // BLOCKS, w // BLOCKS, 1)))  # BLOCKS^2,H,W,1
    run = net.forward(x, to=net.logits)
    best = int(run.output.argmax())
    dy = np.eye(run.output.shape[1])[best:best + 1]

    def score(brighter):
        if np.shape(brighter) != at.shape:  # of more, ours would make very much
            raise ValueError(f"x has shape {np.shape(brighter)}, expected {at.shape}")
        moved = x + net.grey_level * np.tensordot(brighter, blocks, 1)[None]
        return net.forward(moved, to=net.logits, caches=False).output

    at, back = np.zeros(len(blocks)), run.backward({net.logits: dy})
    try:
        theirs = as_array(stage.walled.call("slope", stage.walled.function(score), at, dy), "slope")
    except (OwnError, Died) as error:
        return [("the slopes", str(error))], None, ""
    wrong = agrees("slope", theirs, stage.asked.right.call("slope", score, at, dy))
    exact = net.grey_level * np.tensordot(blocks[..., 0], back[0].sum(axis=-1), 2)  # BLOCKS^2
    maps = [one.reshape(BLOCKS, BLOCKS) for one in (theirs, exact) if one.size == exact.size]
    return [("the slopes", wrong)], panels(dict(zip(
        ("the photo", "measured by your code", "by the backward pass"), (stage.photo, *maps),
        strict=False))), (f"where it gets brighter, the score of {net.label(best)} rises or falls; "
                          "measured by your code, and by the backward pass")


def _climbed(stage, steps, what, before=None):
    """What a search has found with their code, and with the page's; `before` is a title and the
    picture it began with.

    The images must agree after `AGREE` steps; later, rounding has grown.
    """
    net = stage.network
    start = np.random.default_rng(SEED).normal(0, 10 * net.grey_level, stage.x.shape)
    try:
        early, last = _early_and_last(steps(stage.walled, start))
    except FAILS as error:
        return [("the image", str(error))], None, ""
    right = _kept(stage, lambda: _early_and_last(steps(stage.asked.right, start)))
    wrong = agrees(f"the image after {AGREE} steps", early.image, right[0].image)
    pictures = [net.restore(one.image)[0] for one in (last, right[1])]
    before = before or ("the start", net.restore(start)[0])
    return [("the image", wrong)], compared(before, *pictures), (
        f"{what} after {STEPS} steps with your code: {float(np.ravel(last.value)[0]):.4g}")


def _early_and_last(steps):
    """The step at which two searches are compared, and the last."""
    for step in steps:
        if step.index == AGREE:
            early = step
    return early, step


def _kept(stage, compute):
    """What the page's code gives, which is the same for a whole class."""
    if stage.asked.network is not None or stage.asked.photo is not None:
        return compute()
    if stage.question.id not in KEPT:
        KEPT[stage.question.id] = compute()
    return KEPT[stage.question.id]


TASKS = {"classify": classify, "project": project, "ascend": ascend, "texture": texture,
         "measure": measure}
