"""Caffe's network descriptions: the text form of a NetParameter message.

    layer { name: "conv1" type: "Convolution" bottom: "data" top: "conv1"
            convolution_param { num_output: 96 kernel_size: 11 stride: 4 } }

The text becomes the same dict of lists that `protobuf.Reader.message` makes of the binary form, so
both are understood by the same code (`caffe_upgrade`, `caffe_graph`, `caffe_layers`).

Source: protobuf.dev, "Text Format Language Specification".
"""

import re

from minicnn.files import mapped
from minicnn.foreign import caffe_data, caffe_graph, caffe_schema, caffe_upgrade
from minicnn.foreign.contents import Foreign
from minicnn.foreign.protobuf import FLOAT, IGNORED, INT, TEXT

WHAT = "a Caffe network description (.prototxt)"
LARGEST = 4_000_000  # bytes; a description of 1,000 layers has 300,000
DEEPEST = 50  # messages in messages; Caffe's have 4
TOKEN = re.compile(r"""
    (?P<space> [\s,;]+ | \#[^\n]* )
  | (?P<string> "(?:[^"\\\n]|\\.){0,10000}" | '(?:[^'\\\n]|\\.){0,10000}' )
  | (?P<number> [-+]? (?: 0[xX][0-9a-fA-F]+ | (?: \d+ (?:\.\d*)? | \.\d+ ) (?:[eE][-+]?\d+)? [fF]? )
                (?![\w.]) )
  | (?P<name> -? [A-Za-z_]\w* )
  | (?P<mark> [:{}<>\[\]] )
""", re.VERBOSE)  # of no group are there unboundedly many: each one takes memory
ESCAPE = re.compile(r"\\(?:([0-7]{1,3})|[xX]([0-9a-fA-F]{1,2})|(.))", re.DOTALL)
ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
START = re.compile(r"""^[ \t]*(?: layers?[ \t]*:?\s{0,9}\{ | (?:name|input)[ \t]*:[ \t]*["'] )""",
                   re.MULTILINE | re.VERBOSE)


def recognises(path):
    """Whether a file is text that describes a network."""
    text = mapped.head(path, 65536).decode("utf-8-sig", "replace")
    return "\0" not in text and "{" in text and bool(START.search(text))


def read(path):
    """The architecture that a .prototxt file describes.

    Its layers are those of Caffe's TEST phase.

    Parameters
    ----------
    path : str or path
        Of the text.

    Returns
    -------
    Foreign
        Without arrays: `layers`, under the file's own names, and `input_shape` and
        `preprocessing` where the file says them.

    Raises
    ------
    WeightsError
        No such file, no such text, or layers that there are none of here; naming the
        line, or the layer at which it stops fitting.
    """
    with mapped.opened(path, WHAT) as data:
        net = message(data)
        images = caffe_data.images(net)
        shape = None
        if images.height is not None and images.width is not None:
            shape = images.height, images.width, images.channels or 3  # colour unless it says so
        translation = caffe_graph.translated(net, "TEST", shape)
        prepared, how = caffe_data.preprocessing(images, shape)
    return Foreign("Caffe network description", {}, "OIHW", translation.rows, shape, prepared,
                   says={"network": net.get("name", [""])[0]},
                   notes=translation.notes + how + caffe_graph.left_out(translation.left_out))


def message(data):
    """The NetParameter in the bytes of a .prototxt file, in Caffe's present form.

    Raises
    ------
    ValueError
        Naming the line, or the setting.
    """
    if len(data) > LARGEST:
        raise ValueError(f"it has {len(data):,} bytes, more than the {LARGEST:,} a description of "
                         "a network could have")
    text = bytes(data).decode("utf-8-sig", "backslashreplace")
    net = caffe_upgrade.current(_typed(parse(text), caffe_schema.NET))[0]
    if not net.get("layer"):
        raise ValueError("there are no layers in it")
    return net


def parse(text):
    """Protobuf's text form as a dict of lists.

    Parameters
    ----------
    text : str

    Returns
    -------
    dict of str to list
        By field name, in the text's order: int, float, str (a string, or a bare word such as MAX
        or true), or dict.

    Raises
    ------
    ValueError
        Naming the line.

    Examples
    --------
    >>> parse('name: "small" layer { pad: 1 pad: 0 pool: MAX }')
    {'name': ['small'], 'layer': [{'pad': [1, 0], 'pool': ['MAX']}]}
    """
    tokens = _tokens(text)
    root = {}
    open_messages, closing = [root], [""]
    for kind, token, at in tokens:
        if token == closing[-1] and kind == "mark":
            open_messages.pop()
            closing.pop()
            continue
        if kind != "name":
            raise _wrong(text, at, f"expected the name of a setting, got {token[:40]!r}")
        values = open_messages[-1].setdefault(token, [])
        kind, value, at = next(tokens, ("end", "the end", at))
        if value == ":" and kind == "mark":
            kind, value, at = next(tokens, ("end", "the end", at))
        if kind == "mark" and value in "{<":
            if len(closing) > DEEPEST:
                raise _wrong(text, at, f"braces more than {DEEPEST} deep")
            values.append({})
            open_messages.append(values[-1])
            closing.append("}" if value == "{" else ">")
        elif kind == "mark" and value == "[":
            values += _listed(text, tokens, at)
        else:
            values.append(_value(text, kind, value, at))
    if len(open_messages) > 1:
        raise _wrong(text, len(text), f"{len(open_messages) - 1} braces are never closed")
    return root


def _tokens(text):
    """(kind, token, where) one after the other."""
    at = 0
    while at < len(text):
        match = TOKEN.match(text, at)
        if match is None:
            raise _wrong(text, at, f"cannot be read: {text[at:at + 20].splitlines()[0]!r}")
        if match.lastgroup != "space":
            yield match.lastgroup, match.group(), at
        at = match.end()


def _listed(text, tokens, at):
    """The values of [1, 2, 3]."""
    values = []
    for kind, token, at in tokens:  # noqa: B007 (the last place is where it breaks off)
        if kind == "mark" and token == "]":
            return values
        values.append(_value(text, kind, token, at))
    raise _wrong(text, at, "a list is never closed")


def _value(text, kind, token, at):
    if kind == "string":
        return ESCAPE.sub(_unescaped, token[1:-1])
    if kind == "name":
        return token
    if kind != "number" or len(token) > 40:
        raise _wrong(text, at, f"expected a value, got {token[:40]!r}")
    if token.lstrip("+-")[:2].lower() == "0x":
        return int(token, 16)
    return int(token) if token.lstrip("+-").isdigit() else float(token.rstrip("fF"))


def _unescaped(match):
    octal, hexadecimal, letter = match.groups()
    if letter is not None:
        return ESCAPED.get(letter, letter)
    return chr(int(octal, 8) if octal else int(hexadecimal, 16))


def _wrong(text, at, why):
    return ValueError(f"line {text.count(chr(10), 0, at) + 1}: {why}")


def _typed(value, kind, where=""):
    """A value as a binary file would have given it; in a message, what has no kind is noted."""
    expected = (dict,) if isinstance(kind, dict) else {
        INT: (int, str), TEXT: (str,), FLOAT: (int, float)}.get(kind, ())
    if not isinstance(value, expected):
        got = "a message" if isinstance(value, dict) else repr(value)[:60]
        raise ValueError(f"{where[1:]}: got {got}")
    if not isinstance(kind, dict):
        return value
    kinds = dict(kind.values())
    return {name: [_typed(inner, kinds[name], f"{where}.{name}") for inner in values]
            if name in kinds else [None]
            for name, values in value.items() if kinds.get(name) != IGNORED}
