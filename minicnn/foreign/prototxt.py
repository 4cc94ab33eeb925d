"""Reader of Caffe's network descriptions: the text form of a NetParameter message.

    layer { name: "conv1" type: "Convolution" bottom: "data" top: "conv1"
            convolution_param { num_output: 96 kernel_size: 11 stride: 4 } }

The text becomes the same dict of lists that `protobuf.Reader.message` makes from the binary form,
so the same code handles both (`caffe_upgrade`, `caffe_graph`, `caffe_layers`).

Source: protobuf.dev, "Text Format Language Specification".
"""

import re

from minicnn.files import mapped
from minicnn.foreign import caffe_data, caffe_graph, caffe_schema, caffe_upgrade
from minicnn.foreign.contents import Foreign
from minicnn.foreign.protobuf import FLOAT, IGNORED, INT, TEXT
from minicnn.foreign.settings import require

WHAT = "a Caffe network description (.prototxt)"
LARGEST = 4_000_000  # bytes; a description of 1,000 layers has 300,000
CLOSING = {"{": "}", "<": ">"}
DEEPEST = 50  # levels of nested messages; Caffe has 4
TOKEN = re.compile(r"""
    (?P<space> [\s,;]+ | \#[^\n]* )
  | (?P<string> "(?:[^"\\\n]|\\.){0,10000}" | '(?:[^'\\\n]|\\.){0,10000}' )
  | (?P<number> [-+]? (?: 0[xX][0-9a-fA-F]+ | (?: \d+ (?:\.\d*)? | \.\d+ ) (?:[eE][-+]?\d+)? [fF]? )
                (?![\w.]) )
  | (?P<name> -? [A-Za-z_]\w* )
  | (?P<mark> [:{}<>\[\]] )
""", re.VERBOSE)  # no group repeats without limit, since every repetition takes memory
ESCAPE = re.compile(r"\\(?:([0-7]{1,3})|[xX]([0-9a-fA-F]{1,2})|(.))", re.DOTALL)
ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
START = re.compile(r"""^[ \t]*(?: layers?[ \t]*:?\s{0,9}\{ | (?:name|input)[ \t]*:[ \t]*["'] )""",
                   re.MULTILINE | re.VERBOSE)


def recognises(path):
    """Whether a file is text that describes a network."""
    text = mapped.head(path, 65536).decode("utf-8-sig", "replace")
    return "\0" not in text and "{" in text and bool(START.search(text))


def read(path):
    """Read the architecture in a .prototxt file.

    Its layers are those of Caffe's TEST phase.

    Parameters
    ----------
    path : str or path
        The text file.

    Returns
    -------
    Foreign
        Without arrays: `layers`, under the file's own names, and `input_shape` and `preprocessing`
        if the file gives them.

    Raises
    ------
    WeightsError
        There is no such file, the text is invalid, or a layer is not supported; the message names
        the line or the layer.
    """
    with mapped.opened(path, WHAT) as data:
        net = message(data)
        images = caffe_data.images(net)
        shape = None
        if images.height is not None and images.width is not None:
            shape = images.height, images.width, images.channels or 3  # colour if not stated
        translation = caffe_graph.translated(net, "TEST", shape)
        prepared, how = caffe_data.preprocessing(images, shape)
    return Foreign("Caffe network description", {}, "OIHW", translation.rows, shape, prepared,
                   says={"network": net.get("name", [""])[0]},
                   notes=translation.notes + how + caffe_graph.left_out(translation.left_out))


def message(data):
    """The NetParameter in the bytes of a .prototxt file, in Caffe's current form.

    Raises
    ------
    ValueError
        Naming the line, or the setting.
    """
    require(len(data) <= LARGEST, "it has {:,} bytes, more than the {:,} a description of a "
            "network could have", len(data), LARGEST)
    text = bytes(data).decode("utf-8-sig", "backslashreplace")
    net = caffe_upgrade.current(_typed(parse(text), caffe_schema.NET))[0]
    require(net.get("layer"), "it has no layers")
    return net


def parse(text):
    """Protobuf's text form as a dict of lists.

    Parameters
    ----------
    text : str

    Returns
    -------
    dict of str to list
        {field name: values in the text's order}: int, float, str (a string, or a bare word such as
        MAX or true), or dict.

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
    return _fields(text, tokens, "the end", 0)


def _fields(text, tokens, closing, depth):
    """The fields up to the mark that closes a message."""
    found = {}
    for kind, token, at in tokens:
        if token == closing and kind in ("mark", "end"):
            return found
        if kind == "end":
            raise _wrong(text, len(text), f"{depth} braces are never closed")
        if kind != "name":
            raise _wrong(text, at, f"expected the name of a setting, got {token[:40]!r}")
        values, (kind, value, at) = found.setdefault(token, []), next(tokens)
        if value == ":" and kind == "mark":
            kind, value, at = next(tokens)
        if depth == DEEPEST and value in CLOSING and kind == "mark":
            raise _wrong(text, at, f"braces are nested more than {DEEPEST} deep")
        if value in CLOSING and kind == "mark":
            values.append(_fields(text, tokens, CLOSING[value], depth + 1))
        elif value == "[" and kind == "mark":
            while (item := next(tokens))[:2] != ("mark", "]"):
                if item[0] == "end":
                    raise _wrong(text, at, "a list is never closed")
                values.append(_value(text, *item))
        else:
            values.append(_value(text, kind, value, at))


def _tokens(text):
    """Yield (kind, token, its place in the text); the last is ("end", "the end", ...)."""
    at = last = 0
    while at < len(text):
        match = TOKEN.match(text, at)
        if match is None:
            raise _wrong(text, at, f"cannot be read: {text[at:at + 20].splitlines()[0]!r}")
        if match.lastgroup != "space":
            yield match.lastgroup, match.group(), (last := at)
        at = match.end()
    yield "end", "the end", last


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
    if letter is None:
        return chr(int(octal, 8) if octal else int(hexadecimal, 16))
    return ESCAPED.get(letter, letter)


def _wrong(text, at, why):
    return ValueError(f"line {text.count(chr(10), 0, at) + 1}: {why}")


def _typed(value, kind, where=""):
    """A value as from a binary file; in a message, a field without a kind becomes [None]."""
    expected = (dict,) if isinstance(kind, dict) else {
        INT: (int, str), TEXT: (str,), FLOAT: (int, float)}.get(kind, ())
    if not isinstance(value, expected):
        got = "a message" if isinstance(value, dict) else repr(value)[:60]
        words = " or ".join("a message" if one is dict else one.__name__ for one in expected)
        raise ValueError(f"{where[1:]}: expected {words or 'no value in text form'}, got {got}")
    if not isinstance(kind, dict):
        return value
    kinds = dict(kind.values())
    return {name: [_typed(inner, kinds[name], f"{where}.{name}") for inner in values]
            if name in kinds else [None]
            for name, values in value.items() if kinds.get(name) != IGNORED}
