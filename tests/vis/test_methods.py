"""The methods of the room: each is a file that can be called."""

import copy
import importlib
import inspect
import pickle
import pydoc

import numpy as np
import pytest
import small
from checks import refuses
from threadpoolctl import threadpool_limits

from minicnn import vis
from minicnn.fast.processes import ordered
from minicnn.vis.deconvnet import deconvnet

METHODS = [name for name in vis.__all__ if name != "Record"]


@pytest.fixture(params=METHODS)
def method(request):
    """(name, what `vis` has under it, the function of that file)."""
    module = importlib.import_module(f"minicnn.vis.{request.param}")
    return request.param, module, getattr(module, request.param)


def test_its_name_is_the_file_and_the_file_has_the_function(method):
    name, module, function = method
    assert getattr(vis, name) is module and isinstance(module, vis.Method)
    assert inspect.ismodule(module) and inspect.isfunction(function)
    assert function.__module__ == module.__name__


def test_called_it_calls_the_function(method, monkeypatch):
    name, module, _ = method
    monkeypatch.setattr(module, name, lambda *arguments, **settings: (arguments, settings))
    assert module(1, 2, layer="a") == ((1, 2), {"layer": "a"})


def test_the_call_and_the_function_make_the_same():
    network, photo = small.network(), small.photo()
    called, made = vis.deconvnet(network, photo, "relu2"), deconvnet(network, photo, "relu2")
    np.testing.assert_array_equal(called.x, made.x)
    assert called.caption == made.caption


def test_its_signature_is_the_function_s_and_a_wrong_call_names_it(method):
    name, module, function = method
    assert inspect.signature(module) == inspect.signature(function)
    with pytest.raises(TypeError, match=rf"^{name}\(\) missing .* 'networks?'"):
        module()


def test_a_photo_in_the_place_of_the_network_is_one_clear_error(method):
    name, module, function = method
    if name == "evolution":  # which takes several networks, or a folder of them
        return
    for given, told in (("photo.jpg", "'photo.jpg'"), (small.photo(), "ndarray")):
        refuses([f"{name}: network must be a Network", "minicnn.load", f"got {told}",
                 f"the order is {name}(network"], module, given, small.network())
        refuses([f"{name}: network must be a Network"], function, network=given)


def test_tab_offers_what_its_file_defines(method):
    name, module, _ = method
    shown = {one for one in dir(module) if not one.startswith("_")}
    assert name in shown and not shown & {"np", "Any", "Record", "dataclass", "attribution"}
    assert all(getattr(getattr(module, one), "__module__", module.__name__) == module.__name__
               for one in shown)


def test_help_shows_the_function_s_arguments(method):
    """Indented as pydoc does it."""
    name, module, function = method
    shown = pydoc.render_doc(module, renderer=pydoc.plaintext)
    assert f"\n    {name}(" in shown
    lines = [line.strip() for line in shown.splitlines()]
    assert {line.strip() for line in function.__doc__.splitlines()} <= set(lines)


def test_pickle_and_copy_give_the_very_one(method):
    _, module, function = method
    for one in (module, function):
        assert pickle.loads(pickle.dumps(one)) is one and copy.deepcopy(one) is one


@pytest.mark.thorough
def test_other_processes_can_be_sent_one():
    nothing, whole = np.zeros((1, 4, 5, 3)), (0, 4, 0, 5)
    assert list(ordered(vis.deconvnet.region, [nothing] * 2, 2)) == [whole] * 2
    assert list(ordered(Named(vis.maximize), [1, 2], 2)) == ["minicnn.vis.maximize"] * 2


class Named:
    """A task that carries a method with it."""

    def __init__(self, method):
        self.method = method

    def __call__(self, task):
        return self.method.__name__


def test_help_lists_the_methods():
    shown = pydoc.render_doc(vis, renderer=pydoc.plaintext)
    assert all(name in shown for name in METHODS)


LARGE = small.photo(192, 192)  # so large that BLAS shares a product of `resize` between threads
RESIZING = {
    "dream": lambda net: vis.dream(net, LARGE, ["relu1"], octaves=2, steps=1, size="keep"),
    "style": lambda net: vis.style(net, LARGE, LARGE[::-1], ["mix"], ["relu1"], steps=1, size=192,
                                   optimizer="adam"),
    "texture": lambda net: vis.texture(net, LARGE, ["relu1"], steps=1, sizes=2, size="keep",
                                       optimizer="adam"),
}


@pytest.mark.thorough
@pytest.mark.parametrize("name", RESIZING)
def test_same_bytes_for_any_number_of_blas_threads(name):
    network, found = small.network(), []
    for count in (1, 2):
        with threadpool_limits(count, user_api="blas"):
            found.append(RESIZING[name](network).x.tobytes())
    assert found[0] == found[1]
