"""The architecture of a Keras model from its configuration, the JSON that Keras stores with it.

Understood are models whose layers follow one another: a Sequential, a Functional model that is a
chain, and one within the other. A layer is one of those `keras_layers` knows. The JSON is read as
data; a class it names is looked up in a table, and nothing of it is ever run.
"""

from collections import Counter

from minicnn.files.errors import READING_ERRORS
from minicnn.foreign.contents import Foreign
from minicnn.foreign.keras_chain import Chain
from minicnn.foreign.keras_layers import add
from minicnn.foreign.keras_models import in_line, leaves, name
from minicnn.foreign.settings import LARGEST, Misfit


def read(model):
    """The architecture of a model.

    Parameters
    ----------
    model : dict
        {"class_name": "Sequential", "config": ...}, as parsed from JSON; of any version of Keras.

    Returns
    -------
    Chain
        Complete.

    Raises
    ------
    Misfit
        Paths side by side, or a layer there is none of here; the message names it.
    """
    entries = [layer for _, layer in leaves(model, in_line)]
    chain = Chain(_input_shape(model, entries), name(model))
    for layer in entries:
        if layer["class_name"] != "InputLayer":
            add(chain, layer["class_name"], layer["config"])
    if any(chain.zeros):
        raise Misfit("the last layer puts zeros around the image, and nothing reads them")
    if not chain.layers:
        raise Misfit("there are no layers")
    (twice, count), *_ = Counter(layer for layer, _ in chain.layers).most_common(1)
    if count > 1:
        raise Misfit(f"two layers are called {twice!r}")
    return chain


def foreign(kind, arrays, model, says, notes=()):
    """What a reader of Keras' arrays hands on, with the architecture where it is understood.

    Parameters
    ----------
    kind : str
        The format, for people.
    arrays : dict of str to array
        By "layer/role".
    model : dict or None
        As for `read`; None where the file has none.
    says : dict
    notes : sequence of str

    Returns
    -------
    Foreign
        Its `layers` are None where there is no model, or a note says why it is not understood.
    """
    says, notes = {"model": name(model)} | says, list(notes)
    if model is None:
        return Foreign(kind, arrays, "HWIO", says=says, notes=notes)
    try:
        found = read(model)
    except (Misfit, *READING_ERRORS) as error:
        why = error.args[0] if error.args else type(error).__name__
        unread = f"Its architecture is not read: {why}."
        return Foreign(kind, arrays, "HWIO", says=says, notes=[*notes, unread], unread=unread)
    return Foreign(kind, found.fitted(arrays), "HWIO", found.layers, found.input_shape,
                   found.preprocessing, says=says, notes=notes + found.notes)


def _input_shape(model, entries):
    """(H, W, C)"""
    first = entries[0]["config"] if entries else {}
    outer = model["config"] if isinstance(model["config"], dict) else {}
    given = [source[key] for source in (first, outer) for key in
             ("batch_shape", "batch_input_shape", "build_input_shape") if source.get(key)]
    if not given:
        raise Misfit("it does not say the size of the images it takes")
    shape = given[0]
    if not isinstance(shape, list) or len(shape) != 4 or not all(
            type(side) is int and 0 < side <= LARGEST for side in shape[1:]):
        raise Misfit(f"its input is {shape!r:.60}; expected images of one size, [null, H, W, C]")
    return tuple(shape[1:])
