"""A network as a table: Keras' columns, or MATLAB's numbered listing.

Both say, where asked, what the units of each layer see of the image (`minicnn.network.receptive`).
"""

from math import prod

from minicnn.network import receptive
from minicnn.network.layers import Softmax
from minicnn.ops.window import pair

KERAS_KINDS = {"Conv": "Conv2D", "MaxPool": "MaxPooling2D", "AveragePool": "AveragePooling2D",
               "GlobalAveragePool": "GlobalAveragePooling2D", "BatchNorm": "BatchNormalization",
               "Concat": "Concatenate"}


def lined_up(rows, gap=2):
    """Rows of equally many words as lines of text, each column `gap` spaces from the next."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [(" " * gap).join(word.ljust(width) for word, width in zip(row, widths, strict=True))
            .rstrip() for row in rows]


def keras_table(network, receptive_fields=False):
    """Layer (type), Output Shape, Param #, and the totals, as Keras prints them.

    With `receptive_fields` three more columns, all in pixels and vertical first: a field's size,
    the step from one unit's field to the next, and where the first unit's begins (negative: in the
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
    double, fixed = "=" * (max(map(len, lines)) + 3), _fixed(network)
    return "\n".join([
        f"Model: {network.name}", double, lines[0], double, *lines[1:], double,
        f"Total params: {network.count():,}",
        f"Trainable params: {network.count() - fixed:,}",
        f"Non-trainable params: {fixed:,}",
    ])


def matlab_listing(network, receptive_fields=False):
    """Number, name, description and details of every layer, as MATLAB shows net.Layers.

    Row 1 is the input and the last the output, which are not layers here. With `receptive_fields`
    the details say what a unit sees.
    """
    fields = receptive.fields(network) if receptive_fields else {}
    h, w, c = network.input_shape
    rows = [("data", "Image Input", f"{h}x{w}x{c} images with 'zerocenter' normalization")]
    for name, layer, _ in network.rows:
        kind, details = DESCRIPTIONS[type(layer).__name__](layer, network, name)
        rows.append((name, kind, details + _seen_words(fields.get(name))))
    if isinstance(network.rows[-1].layer, Softmax):
        rows.append(("output", "Classification Output", f"crossentropyex with {_classes(network)}"))
    cells = [(str(number), repr(name), *rest) for number, (name, *rest) in enumerate(rows, start=1)]
    widths = [max(len(row[column]) for row in cells) for column in (0, 1, 2)]
    lines = [f"{number:>{widths[0]}}   {name:<{widths[1]}}   {description:<{widths[2]}}   {details}"
             for number, name, description, details in cells]
    return "\n".join([f"{len(rows)}x1 Layer array with layers:", "", *lines])


def _seen(field):
    size = "{}x{}".format(*field.size)
    if 0 in field.stride:  # no positions: no step, and nothing to begin from
        return size, "-", "-"
    return size, "{}x{}".format(*field.stride), "{},{}".format(*field.offset)


def _seen_words(field):
    if field is None:
        return ""
    size, stride, offset = _seen(field)
    return f"; sees {size} pixels" + (f" at step {stride} from {offset}" if stride != "-" else "")


def _conv(layer, network, name):
    kh, kw, c, o = network.param_shapes[name]["w"]
    how = (f"{kh}x{kw}x{c} convolutions with stride {_two(layer.stride)} and padding "
           f"{_four(layer.pad)}")
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


def _lrn(layer, network, name):
    return ("Cross Channel Normalization",
            f"cross channel normalization with {layer.size} channels per element")


def _dense(layer, network, name):
    return "Fully Connected", f"{layer.units} fully connected layer"


def _concat(layer, network, name):
    return "Depth concatenation", f"Depth concatenation of {len(network.inputs(name))} inputs"


def _add(layer, network, name):
    return "Addition", f"Element-wise addition of {len(network.inputs(name))} inputs"


DESCRIPTIONS = {
    "Conv": _conv, "Dense": _dense, "LRN": _lrn, "Concat": _concat, "Add": _add,
    "MaxPool": _pool("max"), "AveragePool": _pool("average"),
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


def _four(value):
    vertical, horizontal = pair(value, "pad")
    return f"[{vertical} {vertical} {horizontal} {horizontal}]"


def _classes(network):
    count = network.shapes[network.logits][-1]
    if not network.labels:
        return f"{count} classes"
    return f"'{network.labels[0].split(',')[0]}' and {count - 1} other classes"


def _fixed(network):
    """Numbers that no gradient trains: the batch norms' running statistics."""
    return sum(prod(shapes[key]) for shapes in network.param_shapes.values()
               for key in ("mean", "variance") if key in shapes)
