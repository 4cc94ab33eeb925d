"""The architecture of a Keras model, from the JSON configuration that Keras stores with it.

Only a model whose layers form a chain is understood: a Sequential, a Functional model without
branches, and one nested in the other, with layers that `keras_layers` knows. The JSON is read as
data: class names are looked up in a table, and nothing is executed.
"""

from collections import Counter
from dataclasses import replace

from minicnn.files.errors import READING_ERRORS
from minicnn.foreign.contents import Foreign
from minicnn.foreign.keras_chain import Chain
from minicnn.foreign.keras_layers import add
from minicnn.foreign.keras_models import in_line, leaves, name
from minicnn.foreign.settings import LARGEST, Misfit, fits


def read(model):
    """The architecture of a model.

    Parameters
    ----------
    model : dict
        {"class_name": "Sequential", "config": ...}, as parsed from JSON of any version of Keras.

    Returns
    -------
    Chain
        With all layers.

    Raises
    ------
    Misfit
        The model branches, or a layer is not supported; the message names it.
    """
    entries = [layer for _, layer in leaves(model, in_line)]
    chain = Chain(_input_shape(model, entries), name(model))
    for layer in entries:
        if layer["class_name"] != "InputLayer":
            add(chain, layer["class_name"], layer["config"])
    if any(chain.zeros):
        raise Misfit("the last layer puts zeros around the image, and no layer reads them")
    fits(chain.layers, "it has no layers")
    (twice, count), *_ = Counter(layer for layer, _ in chain.layers).most_common(1)
    fits(count <= 1, "two layers are called {!r}", twice)
    return chain


def foreign(kind, arrays, model, says, notes=()):
    """The Foreign of Keras' arrays, with the architecture if it is understood.

    Parameters
    ----------
    kind : str
        The format, for people.
    arrays : dict of str to array
        By "layer/role".
    model : dict or None
        As for `read`; None if the file has no model.
    says : dict
    notes : sequence of str

    Returns
    -------
    Foreign
        Its `layers` are None without a model, or if a note says why the model is not understood.
    """
    said = Foreign(kind, arrays, "HWIO", says={"model": name(model)} | says, notes=list(notes))
    if model is None:
        return said
    try:
        found = read(model)
    except (Misfit, *READING_ERRORS) as error:
        why = error.args[0] if error.args else type(error).__name__
        unread = f"Its architecture is not read: {why}."
        return replace(said, notes=[*notes, unread], unread=unread)
    return replace(said, arrays=found.fitted(arrays), layers=found.layers, notes=[
        *notes, *found.notes], input_shape=found.input_shape, preprocessing=found.preprocessing)


def _input_shape(model, entries):
    """(H, W, C)"""
    first = entries[0]["config"] if entries else {}
    outer = model["config"] if isinstance(model["config"], dict) else {}
    given = [source[key] for source in (first, outer) for key in
             ("batch_shape", "batch_input_shape", "build_input_shape") if source.get(key)]
    fits(given, "it does not give the size of its images")
    shape = given[0]
    fits(isinstance(shape, list) and len(shape) == 4 and all(
        type(side) is int and 0 < side <= LARGEST for side in shape[1:]),
        "its input is {!r:.60}; expected images of one size, [null, H, W, C]", shape)
    return tuple(shape[1:])
