"""A network as a table: Keras' columns, or MATLAB's numbered listing.

Both can add the receptive field of each layer's units (`minicnn.network.receptive`).
"""

import dataclasses
from math import prod
from types import ModuleType

from minicnn.images import markup
from minicnn.network import receptive
from minicnn.network.layers import Softmax
from minicnn.network.rows import INPUT
from minicnn.ops.window import pair
from minicnn.terminal import escaped

KERAS_KINDS = {"Conv": "Conv2D", "MaxPool": "MaxPooling2D", "AveragePool": "AveragePooling2D",
               "GlobalAveragePool": "GlobalAveragePooling2D", "BatchNorm": "BatchNormalization",
               "Concat": "Concatenate"}


def lined_up(rows, gap=2):
    """The rows of a table of words as lines of text, with `gap` spaces between the columns.

    A word is shown as `minicnn.terminal.escaped` does."""
    rows = [[escaped(word) for word in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [(" " * gap).join(word.ljust(width) for word, width in zip(row, widths, strict=True))
            .rstrip() for row in rows]


def keras_table(network, receptive_fields=False):
    """Layer (type), Output Shape, Param # and the totals, as Keras prints them.

    `receptive_fields` adds three columns, in pixels and vertical first: a field's size, the step
    from one unit's field to the next, and where the first unit's field begins (negative: in the
    padding).
    """
    rows = [("Layer (type)", "Output Shape", "Param #")]
    for name, layer, _ in network.rows:
        kind = type(layer).__name__
        count = sum(prod(shape) for shape in network.param_shapes.get(name, {}).values())
        shape = ", ".join(str(side) for side in (None, *network.shapes[name]))
        rows.append((f"{name} ({KERAS_KINDS.get(kind, kind)})", f"({shape})", f"{count:,}"))
    if receptive_fields:
        fields = receptive.fields(network).values()
        seen = [("Receptive Field", "Stride", "Offset"), *map(_seen, fields)]
        rows = [(*row, *more) for row, more in zip(rows, seen, strict=True)]
    lines = lined_up(rows, gap=3)
    double = "=" * (max(map(len, lines)) + 3)
    fixed = sum(prod(shapes[key]) for shapes in network.param_shapes.values()
                for key in ("mean", "variance") if key in shapes)  # the running statistics
    return "\n".join([
        f"Model: {escaped(network.name)}", double, lines[0], double, *lines[1:], double,
        f"Total params: {network.count():,}",
        f"Trainable params: {network.count() - fixed:,}",
        f"Non-trainable params: {fixed:,}",
    ])


def html_table(network):
    """Name, kind and settings, inputs, output shape and parameters of each layer, for a notebook.

    Inputs are named where they are not the row above, and what computes a layer where it is not
    the usual.
    """
    rows, above, chosen = [], INPUT, bool(network.choice.describe())
    for name, layer, inputs in network.rows:
        kind, arrays = type(layer).__name__, network.param_shapes.get(name, {})
        defaults = {one.name: one.default for one in dataclasses.fields(layer)}
        settings = ", ".join(f"{key}={value}" for key, value in layer.settings().items()
                             if value != defaults[key])
        rows.append((name, f"{kind}({settings})", "" if inputs == (above,) else ", ".join(inputs),
                     "x".join(map(str, network.shapes[name])),
                     ", ".join(f"{key} {'x'.join(map(str, shape))}"
                               for key, shape in arrays.items()),
                     f"{sum(map(prod, arrays.values())):,}" if arrays else "",
                     *[_computed_by(network.ops[name])] * chosen))
        above = name
    lacking = network.empty()
    words = (f"{network.name}: {len(rows)} layers, {network.count():,} parameters, images of "
             f"{' x '.join(map(str, network.input_shape))}"
             + f", {len(network.labels or [])} class names" * bool(network.labels)
             + f"; without weights: {', '.join(lacking[:3])}{', ...' * (len(lacking) > 3)}"
             * bool(lacking))
    return markup.paragraph(words) + markup.table(
        ("layer", "kind", "reads", "output", "arrays", "parameters", *["computed by"] * chosen),
        rows, right=(3, 5))


def _computed_by(op):
    """What computes a row: a module of minicnn, or a user's own op; "" for a row without op."""
    return ("" if op is None else op.__name__ if isinstance(op, ModuleType)
            else f"{op.form.what} of {op.form.source.name}")


def matlab_listing(network, receptive_fields=False):
    """Number, name, description and details of every layer, as MATLAB shows net.Layers.

    Row 1 is the input and the last row the output, which are not layers here. `receptive_fields`
    adds each unit's receptive field to the details.
    """
    fields = receptive.fields(network) if receptive_fields else {}
    h, w, c = network.input_shape
    rows = [("data", "Image Input", f"{h}x{w}x{c} images with 'zerocenter' normalization")]
    for name, layer, _ in network.rows:
        kind, details = DESCRIPTIONS[type(layer).__name__](layer, network, name)
        rows.append((name, kind, details + _seen_words(fields.get(name))))
    if isinstance(network.rows[-1].layer, Softmax):
        rows.append(("output", "Classification Output", f"crossentropyex with {_classes(network)}"))
    digits = len(str(len(rows)))
    cells = [(f"{k:>{digits}}", repr(name), *rest) for k, (name, *rest) in enumerate(rows, start=1)]
    return "\n".join([f"{len(rows)}x1 Layer array with layers:", "", *lined_up(cells, gap=3)])


def _seen(field):
    size = "{}x{}".format(*field.size)
    if 0 in field.stride:  # a layer without positions has no stride and no offset
        return size, "-", "-"
    return size, "{}x{}".format(*field.stride), "{},{}".format(*field.offset)


def _seen_words(field):
    if field is None:
        return ""
    size, stride, offset = _seen(field)
    return f"; sees {size} pixels" + (f" at step {stride} from {offset}" if stride != "-" else "")


def _conv(layer, network, name):
    kh, kw, c, o = network.param_shapes[name]["w"]
    down, across = pair(layer.pad, "pad")
    how = (f"{kh}x{kw}x{c} convolutions with stride {_two(layer.stride)} and padding "
           f"[{down} {down} {across} {across}]")
    if layer.groups > 1:
        return "Grouped Convolution", f"{layer.groups} groups of {o // layer.groups} {how}"
    return "Convolution", f"{o} {how}"


def _pool(kind):
    def describe(layer, network, name):
        window = "x".join(str(side) for side in pair(layer.window, "window"))
        stride = pair(layer.window if layer.stride is None else layer.stride, "stride")
        before, after = pair(layer.pad, "pad"), []
        for a in (0, 1):  # a window that sticks out by ceil rounding is padding at the end
            reach = stride[a] * (network.shapes[name][a] - 1) + pair(layer.window, "window")[a]
            after.append(max(before[a], reach - before[a] - network.input_shapes[name][a]))
        padding = f"[{before[0]} {after[0]} {before[1]} {after[1]}]"
        return (f"{kind.capitalize()} Pooling",
                f"{window} {kind} pooling with stride {_two(stride)} and padding {padding}")
    return describe


DESCRIPTIONS = {
    "Conv": _conv, "MaxPool": _pool("max"), "AveragePool": _pool("average"),
    "Dense": lambda layer, *_: ("Fully Connected", f"{layer.units} fully connected layer"),
    "LRN": lambda layer, *_: ("Cross Channel Normalization", "cross channel normalization with "
                              f"{layer.size} channels per element"),
    "Concat": lambda _, network, name: (
        "Depth concatenation", f"Depth concatenation of {len(network.inputs(name))} inputs"),
    "Add": lambda _, network, name: (
        "Addition", f"Element-wise addition of {len(network.inputs(name))} inputs"),
    "ReLU": lambda *_: ("ReLU", "ReLU"),
    "Dropout": lambda layer, *_: ("Dropout", f"{100 * layer.rate:g}% dropout"),
    "Softmax": lambda *_: ("Softmax", "softmax"),
    "Sigmoid": lambda *_: ("Sigmoid", "sigmoid"),
    "Tanh": lambda *_: ("Tanh", "hyperbolic tangent"),
    "Flatten": lambda *_: ("Flatten", "Flatten"),
    "GlobalAveragePool": lambda *_: ("Global Average Pooling", "global average pooling"),
    "BatchNorm": lambda *_: ("Batch Normalization", "Batch normalization"),
}
STYLES = {"keras": keras_table, "matlab": matlab_listing}


def _two(value):
    return "[{} {}]".format(*pair(value, "stride"))


def _classes(network):
    count = network.shapes[network.logits][-1]
    if not network.labels:
        return f"{count} classes"
    return f"'{network.labels[0].split(',')[0]}' and {count - 1} other classes"
