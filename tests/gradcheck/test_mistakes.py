"""The known wrong layers: their bases are right, and each of them is wrong in its own way."""

from collections import Counter
from functools import cache

import numpy as np
import pytest
from layer_scenes import REFUSED, SCENES, chosen

from minicnn.gradcheck import mistakes
from minicnn.gradcheck.gradients.conduct import LAYOUTS
from minicnn.gradcheck.judge.reference import passes
from minicnn.gradcheck.mistakes import CAUSES, bases, known

SAME = 1e-9
PAGES = set(SCENES) - {"svm_loss", "layer_norm", "group_norm"}  # ops with a page


def named(mistake):
    return f"{mistake.base}: {mistake.kind}" if mistake.kind else mistake.base


def cast(value, dtype):
    """Arrays of numbers with fraction in another dtype, also in a list; labels as they are."""
    if isinstance(value, list):
        return [cast(one, dtype) for one in value]
    is_array = isinstance(value, np.ndarray)
    return value.astype(dtype) if is_array and value.dtype.kind == "f" else value


def settled(settings):
    """Settings with a new Generator where the scene asks for one."""
    return {k: v(9) if v is np.random.default_rng else v for k, v in settings.items()}


def upstream(y):
    """A dy that depends on y's shape and dtype only."""
    dy = np.random.default_rng(list(np.shape(y))).standard_normal(np.shape(y))
    return np.asarray(dy, dtype=y.dtype) + y.dtype.type(0.5)


def as_list(gradients):
    return list(gradients) if isinstance(gradients, (tuple, list)) else [gradients]


def run(layer, scene, dtype=np.float64, laid=np.copy, shift=0.0):
    """[y, dx, ...] of a layer; `laid` sets how the arrays lie in memory, `shift` is added to x."""
    arrays, settings = cast(list(scene[0]), dtype), settled(scene[1])
    arrays[0] = moved(arrays[0], shift)
    with np.errstate(all="ignore"):
        y, kept = layer.forward(*placed(arrays, laid), **settings)
        return [y, *as_list(layer.backward(placed([upstream(y)], laid)[0], kept))]


def moved(x, shift):
    return [one + one.dtype.type(shift) for one in x] if isinstance(x, list) else (
        x + x.dtype.type(shift))


def placed(arrays, laid):
    return [placed(one, laid) if isinstance(one, list) else one if one is None else laid(one)
            for one in arrays]


def differs(got, expected, tolerance=SAME):
    """Whether two lists of results differ, in number, shape or values."""
    if len(got) != len(expected):
        return True
    return any(unlike(a, b, tolerance) for a, b in zip(got, expected, strict=True))


def unlike(a, b, tolerance):
    if a is None or b is None:
        return not (a is None and b is None)
    if np.shape(a) != np.shape(b):
        return True
    largest = np.abs(np.asarray(b)).max(initial=0.0) + 1e-30
    return not np.abs(a - np.asarray(b)).max(initial=0.0) <= tolerance * largest


@cache
def expected(base, name):
    """[y, dx, ...] of a base in a scene, in float64."""
    return run(base.fresh(), SCENES[base.op][name])


def single(name):
    """How exact float32 can be: at 1000 + noise three of its seven digits are left."""
    return 0.01 if name.startswith("shifted") else 1e-4


# ---- probes: each says whether a layer is wrong in its way; `scenes` are {name: scene}

def values(layer, base, scenes):
    """The output or a gradient has another value or shape, or nothing is computed."""
    for name, scene in scenes.items():
        try:
            if differs(run(layer(), scene), expected(base, name)):
                return True
        except (ValueError, IndexError, TypeError):
            return True
    return False


def singles(layer, base, scenes):
    """In float32 the output or a gradient is far from what it is in float64, or not finite."""
    return any(differs(run(layer(), scene, np.float32), expected(base, name), single(name))
               for name, scene in scenes.items())


def dtypes(layer, base, scenes):
    """float32 in, something else out."""
    return any(array is not None and array.dtype != dtype for scene in scenes.values()
               for dtype in (np.float32, np.float64) for array in run(layer(), scene, dtype))


def bytes_of(value):
    """Copies of the bytes of all arrays inside lists, tuples, dicts and objects."""
    if isinstance(value, np.ndarray):
        return [value.tobytes()]
    if hasattr(value, "__dict__"):
        value = vars(value)
    parts = list(value.values()) if isinstance(value, dict) else value
    return ([found for part in parts for found in bytes_of(part)]
            if isinstance(parts, (list, tuple)) else [])


def overwrites(layer, base, scenes):
    """An argument, dy, y or an array in the cache is changed."""
    for arrays, settings in scenes.values():
        arrays, module = placed(list(arrays), np.copy), layer()
        before = bytes_of(arrays)
        y, kept = module.forward(*arrays, **settled(settings))
        after, dy = bytes_of([arrays, kept, y]), upstream(y)
        given = dy.tobytes()
        module.backward(dy, kept)
        if bytes_of(arrays) != before or bytes_of([arrays, kept, y]) != after or (
                dy.tobytes() != given):
            return True
    return False


def shares(layer, base, scenes):
    """A result lies in the memory of an argument or another result, or the next call changes it."""
    for arrays, settings in scenes.values():
        arrays, module = placed(list(arrays), np.copy), layer()
        y, kept = module.forward(*arrays, **settled(settings))
        dy = upstream(y)
        gradients = [one for one in as_list(module.backward(dy, kept)) if one is not None]
        flat = [one for part in arrays for one in as_list(part) if isinstance(one, np.ndarray)]
        pairs = [(y, one) for one in flat] + [(g, one) for g in gradients for one in [dy, *flat]]
        pairs += [(a, b) for k, a in enumerate(gradients) for b in gradients[:k]]
        if any(np.shares_memory(a, b) for a, b in pairs):
            return True
        held, before = [y, *gradients], bytes_of([y, *gradients])
        arrays[0] = moved(arrays[0], 1.0)
        module.backward(2 * dy, module.forward(*arrays, **settled(settings))[1])
        if bytes_of(held) != before:
            return True
    return False


def remembers(layer, base, scenes):
    """A second forward returns another y or changes the first one's backward, or a second backward
    returns something else."""
    for name, (arrays, settings) in scenes.items():
        module, (right, *gradients) = layer(), expected(base, name)
        first, other = placed(list(arrays), np.copy), placed(list(arrays), np.copy)
        y, kept = module.forward(*first, **settled(settings))
        dy = upstream(y)
        other[0] = [1.5 - one for one in other[0]] if isinstance(other[0], list) else 1.5 - other[0]
        module.forward(*other, **settled(settings))
        if differs([module.forward(*placed(list(arrays), np.copy), **settled(settings))[0]],
                   [right]):
            return True
        module.forward(*other, **settled(settings))
        for _ in range(2):
            if differs(as_list(module.backward(dy.copy(), kept)), gradients):
                return True
    return False


def cares_for_memory(layer, base, scenes):
    """The results are others when the arrays lie in memory in another way."""
    return any(differs(run(layer(), scene, laid=laid), expected(base, name))
               for name, scene in scenes.items() for laid in LAYOUTS.values())


def accepts(layer, base, scenes):
    """Something that the op must refuse is computed."""
    def computed(arrays, settings):
        try:
            with np.errstate(all="ignore"):
                layer().forward(*arrays, **settings)
        except ValueError:
            return False
        return True
    return any(computed(*call) for call in REFUSED[base.op])


def draws(layer, base, scenes):
    """The mask does not follow its seed, or a Generator is used more than once."""
    (x,), module = next(iter(scenes.values()))[0], layer()
    mine, its = np.random.default_rng(9), np.random.default_rng(9)
    y, kept = module.forward(x, rate=0.5, seed=its)
    module.backward(upstream(y), kept)
    mine.random(x.shape)
    again = [run(module, ((x,), {"rate": 0.5, "seed": seed})) for seed in (1, 1, 2)]
    return (mine.random() != its.random() or differs(*again[:2]) or not differs(*again[1:])
            or values(layer, base, scenes))


PROBES = dict.fromkeys(CAUSES, [values]) | {
    "arguments": [overwrites], "memory": [shares], "state": [remembers],
    "layout": [cares_for_memory], "dtype": [dtypes, values], "refuse": [accepts],
    "random": [draws], "statistics": [values, overwrites], "overflow": [values, singles],
}


# ---- the bases

@pytest.mark.parametrize("base", bases(), ids=named)
def test_a_base_is_the_page(base):
    for name, scene in SCENES[base.op].items():
        says = run(passes(base.op), scene)
        assert not differs(expected(base, name), says), name
        assert not differs(run(base.fresh(), scene, np.float32), says, single(name)), name


@pytest.mark.parametrize("base", bases(), ids=named)
def test_a_base_passes_every_probe(base):
    scenes = chosen(base.op, "")
    probes = {probe for found in PROBES.values() for probe in found} - {draws, singles}
    assert [probe.__doc__ for probe in probes if probe(base.fresh, base, scenes)] == []
    assert not singles(base.fresh, base, chosen(base.op, "overflow"))
    assert base.op != "dropout" or not draws(base.fresh, base, scenes)


@pytest.mark.parametrize("op", sorted(PAGES))
def test_the_page_refuses_the_same(op):
    for arrays, settings in REFUSED[op]:
        with pytest.raises(ValueError):
            passes(op).forward(*arrays, **settings)


# ---- the wrong layers

@pytest.mark.parametrize("mistake", known(), ids=named)
def test_a_wrong_layer_is_wrong(mistake):
    """In the way that its cause says."""
    (base,) = [one for one in bases() if one.base == mistake.base]
    scenes = chosen(mistake.op, mistake.cause, mistake.shows)
    assert scenes
    assert any(probe(mistake.fresh, base, scenes) for probe in PROBES[mistake.cause])


def test_most_wrong_layers_are_right_somewhere():
    """A check at a single setting may let them through."""
    def somewhere(mistake):
        (base,) = [one for one in bases() if one.base == mistake.base]
        return any(not values(mistake.fresh, base, {name: scene})
                   for name, scene in SCENES[mistake.op].items() if not name.startswith("range"))
    some = known()[::4]
    assert sum(map(somewhere, some)) > len(some) / 3


def test_no_two_are_the_same():
    assert len({mistake.source for mistake in known()}) == len(known())
    pairs = Counter((mistake.kind, mistake.base) for mistake in known())
    assert max(pairs.values()) == 1


def test_causes_and_words():
    for mistake in known():
        assert mistake.cause in CAUSES and mistake.also in {"", *CAUSES} - {mistake.cause}
        assert mistake.words and mistake.words[-1] != "."


def test_an_edit_that_is_not_found_once_is_refused():
    base = bases("relu")[0]
    for old in ("nothing like this", "x"):
        with pytest.raises(ValueError, match="must be found once"):
            mistakes._edited(base, {"kind": "k", "old": old, "new": ""})


def test_one_module_for_both_passes():
    (mistake,) = [one for one in known("relu") if one.kind == "kept for the latest call only"]
    _, kept = mistake.forward(np.ones(2))
    mistake.forward(-np.ones(2))
    assert not mistake.backward(np.ones(2), kept).any()
    assert mistake.fresh() is not mistake.fresh()
