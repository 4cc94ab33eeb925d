"""Options: checked where they are made, and told of in every place by the same words."""

import inspect
import pickle
from dataclasses import FrozenInstanceError, dataclass, replace
from typing import Any

import pytest
from threadpoolctl import ThreadpoolController

from minicnn.vis.options import Options, named, near, option, shown, takes


@dataclass(frozen=True, kw_only=True)
class BakeOptions(Options):
    minutes: int = option(30, "how long it stays in the oven", least=1)
    heat: float = option(200.0, "of the oven, in degrees", above=0, most=300)
    form: str = option("round", "of the cake", choices=("round", "square"))
    oven: Any = option(None, "which oven", kind="str", otherwise="the one that is free")


QUICK = BakeOptions(minutes=10, heat=250.0)


@takes(BakeOptions, {"quick": QUICK})
def bake(dough, preset=None, *, options, watch=None):
    """Bake a dough.

    Parameters
    ----------
    dough : Dough
    **options
    watch : callable
        Looks on.
    """
    return dough, options


def test_what_is_not_given_is_the_default_or_the_preset_s():
    assert bake("dough") == ("dough", BakeOptions())
    assert bake("dough", form="square")[1] == BakeOptions(form="square")
    assert bake("dough", "quick", heat=180)[1] == BakeOptions(minutes=10, heat=180)
    assert bake("dough", preset="quick")[1] == QUICK


@pytest.mark.parametrize("arguments, meant", [
    (("thin",), "quick"), (("thick",), None), (("thick", "quick"), "quick")], ids=str)
def test_which_preset_is_meant_where_none_is_named(arguments, meant):
    """By the arguments; what is given besides wins, and the method is told the preset."""
    @takes(BakeOptions, {"quick": QUICK}, lambda dough, **_: "quick" if dough == "thin" else None)
    def fry(dough, preset=None, *, options):
        return preset, options
    base = QUICK if meant else BakeOptions()
    assert fry(*arguments) == (meant, base)
    assert fry(*arguments, minutes=7) == (meant, replace(base, minutes=7))
    with pytest.raises(TypeError, match=r"fry\(\) missing 1 required positional argument: 'dough'"):
        fry()


def test_the_signature_and_the_docstring_name_each():
    assert str(inspect.signature(bake)) == ("(dough, preset=None, *, minutes=30, heat=200.0, "
                                            "form='round', oven=None, watch=None)")
    assert bake.__doc__ == """Bake a dough.

    Parameters
    ----------
    dough : Dough
    minutes : int, default 30
        How long it stays in the oven.
    heat : float, default 200.0
        Of the oven, in degrees.
    form : {'round', 'square'}, default round
        Of the cake.
    oven : str, default the one that is free
        Which oven.
    watch : callable
        Looks on.
    """
    assert bake.options is BakeOptions and bake.presets == {"quick": QUICK}


def test_a_method_computes_with_one_blas_thread():
    """With more, matrix products outside the network, as those of `resize`, round differently."""
    numpys = [each.filepath for each in ThreadpoolController().lib_controllers
              if each.user_api == "blas" and "numpy" in each.filepath]  # SciPy brings another
    libraries = ThreadpoolController().select(filepath=numpys)

    @takes(BakeOptions)
    def counts(*, options):
        return [each.num_threads for each in libraries.lib_controllers]
    with libraries.limit(limits=2):
        before = [each.num_threads for each in libraries.lib_controllers]
        assert before and set(counts()) == {1}
        assert [each.num_threads for each in libraries.lib_controllers] == before


def test_its_source_is_the_method_s_own():
    assert inspect.getsource(bake).startswith("@takes(BakeOptions")


def test_settings_are_the_options_by_name():
    assert QUICK.settings() == {"minutes": 10, "heat": 250.0, "form": "round", "oven": None}
    assert pickle.loads(pickle.dumps(QUICK)) == QUICK
    with pytest.raises(FrozenInstanceError):
        QUICK.minutes = 3


WRONG = {
    "minutes=0": "bake: minutes must be a whole number of at least 1, got 0",
    "minutes=1.5": "bake: minutes must be a whole number of at least 1, got 1.5",
    "minutes=True": "bake: minutes must be a whole number of at least 1, got True",
    "minutes='5'": "bake: minutes must be a whole number of at least 1, got '5'",
    "heat=0": "bake: heat must be a number above 0 and at most 300, got 0",
    "heat=301": "bake: heat must be a number above 0 and at most 300, got 301",
    "heat=float('nan')": "bake: heat must be a number above 0 and at most 300, got nan",
    "form='squre'": "bake: form must be one of round, square, got 'squre'; did you mean square?",
    "preset='quik'": "bake: preset must be one of quick, got 'quik'; did you mean quick?",
}


@pytest.mark.parametrize("text", WRONG)
def test_what_is_wrong_is_named(text):
    with pytest.raises(ValueError) as error:
        eval(f"bake('dough', {text})")
    assert str(error.value) == WRONG[text]


def test_an_option_that_there_is_not():
    with pytest.raises(TypeError) as error:
        bake("dough", minuts=3)
    assert str(error.value) == ("bake() got an argument 'minuts' that it does not have; did you "
                                "mean minutes?")
    with pytest.raises(TypeError, match="'dough'"):
        bake()


def test_words():
    assert near("zzz", ["round"]) == "" and near(3, [30]) == "; did you mean 30?"
    assert named("bake", {"quick": QUICK}, "quick") is QUICK
    assert [shown(one) for one in BakeOptions.__dataclass_fields__.values()
            if one.name in ("minutes", "oven")] == ["30", "the one that is free"]
