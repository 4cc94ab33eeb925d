"""The stand-in for CuPy refuses what CuPy refuses, and knows no more than CuPy does."""

import inspect
import sys
import threading
import warnings

import numpy as np
import pytest
import strict_cupy as cp

from minicnn import backend

HOST = np.ones((2, 3))
FLAT = np.arange(6.0)


def device():
    return cp.asarray(np.arange(6.0).reshape(2, 3))


REFUSED = {
    "a sum with a NumPy array": lambda a: a + HOST,
    "a sum with a NumPy array on the left": lambda a: HOST + a,
    "a comparison with a NumPy array": lambda a: a == HOST,
    "a product with a NumPy array": lambda a: a @ HOST.T,
    "a product with a NumPy array on the left": lambda a: HOST.T @ a,
    "NumPy's function of both": lambda a: np.maximum(a, HOST),
    "NumPy's other functions": lambda a: np.concatenate([a, a]),
    "its own function of both": lambda a: cp.maximum(a, HOST),
    "adding a NumPy array in place": lambda a: a.__iadd__(HOST),
    "a NumPy array as out": lambda a: cp.exp(a, out=np.empty((2, 3))),
    "storing a NumPy array": lambda a: a.__setitem__(slice(None), HOST),
    "storing a list": lambda a: a.__setitem__(0, [1, 2, 3]),
    "storing in a NumPy array": lambda a: HOST.copy().__setitem__(slice(None), a),
    "making a NumPy array of it": lambda a: np.asarray(a),
    "a number of a NumPy array": lambda a: float(a + HOST[0, 0].reshape(())),
    "joining with a NumPy array": lambda a: cp.concatenate([a, HOST]),
    "bounds on the host": lambda a: cp.clip(a, HOST, 1),
    "where=": lambda a: a.sum(where=a > 1),
    "initial=": lambda a: a.max(initial=0),
    "a view stored where it is": lambda a: a.__setitem__(0, a[0]),
    "out= where there is none": lambda a: cp.tensordot(a, a, out=a),
    "an array where a whole number is meant": lambda a: range(a.astype(int).sum()),
    "an array as the place in a list": lambda a: [1, 2, 3][cp.asarray(1)],
    "a read-only flag": lambda a: setattr(a.flags, "writeable", False),
    "setflags": lambda a: a.setflags(write=False),
    "texts": lambda a: cp.asarray(np.array(["a"])),
    "objects": lambda a: cp.asarray(np.array([None])),
    "random numbers": lambda a: cp.random,
    "two values for one place": lambda a: a.__setitem__(np.array([0, 0]), 1.0),
    "a place out of bounds": lambda a: a.take(np.array([6])),
    "np.multiply.at": lambda a: cp.multiply.at(a, np.array([0]), 2.0),
    "the maximum by reduce": lambda a: cp.maximum.reduce(a),
    "astype's casting": lambda a: a.astype(np.float32, casting="same_kind"),
    "a float as an index": lambda a: a[cp.asarray(0.0)],
    "two masks": lambda a: a[cp.asarray([True, False]), cp.asarray([True, False, True])],
    "a size that is an array": lambda a: cp.zeros(np.array([2, 2])),
    "einsum, which nobody looked up": lambda a: cp.einsum("ij->i", a),
}


@pytest.mark.parametrize("what", REFUSED)
def test_refused(what):
    a = device()
    with pytest.raises((TypeError, ValueError, IndexError, AttributeError, NotImplementedError)):
        REFUSED[what](a)
    assert a.get().ravel().tolist() == FLAT.tolist() and HOST.tolist() == [[1] * 3] * 2


ALLOWED = {
    "Python's numbers": (lambda a: 2 * a + 1, 2 * FLAT + 1),
    "NumPy's numbers": (lambda a: np.float64(2) * a / np.float32(4), FLAT / 2),
    "NumPy's functions of it alone": (lambda a: np.sqrt(a), np.sqrt(FLAT)),
    "a view is written through": (lambda a: a[0].fill(7) or a, [7, 7, 7, 3, 4, 5]),
    "places from the host": (lambda a: a[:, np.array([2, 0])], [2, 0, 5, 3]),
    "places as a list": (lambda a: a[..., [2, 1, 0]], [2, 1, 0, 5, 4, 3]),
    "adding to places, each once": (lambda a: add_to(a, np.array([1, 0]), 1), FLAT + 1),
    "out=": (lambda a: cp.multiply(a, a, out=a), FLAT**2),
}


def add_to(a, places, number):
    a[places] += number
    return a


@pytest.mark.parametrize("what", ALLOWED)
def test_allowed(what):
    function, expected = ALLOWED[what]
    found = function(device())
    assert type(found) is cp.ndarray
    assert found.get().ravel().tolist() == pytest.approx(list(expected))


def test_a_number_is_an_array_without_dimensions():
    a = device()
    for number in (a.sum(), a[0, 0], a.max(), cp.sqrt(a[1, 2]), 2 * a.mean()):
        assert type(number) is cp.ndarray and number.shape == ()
    a[0, 0][...] = 9
    assert a.get()[0, 0] == 9  # a view, as in CuPy


def test_python_s_numbers_keep_the_type_and_numpy_s_count():
    a = device().astype(np.float32)
    assert (a * 2.5).dtype == np.float32 and (a * np.float64(2.5)).dtype == np.float64
    assert (a.sum() * a).dtype == np.float32


def test_every_way_to_the_host_is_written_down():
    a = device()
    before, one = len(cp.COPIES), a.sum()
    for copy in (float, int, bool, str, lambda x: x.item(), lambda x: x.tolist(),
                 lambda x: x.get(), "{:.2f}".format, backend_to_host, lambda x: a[a > 1]):
        copy(one)
    assert len(cp.COPIES) - before == 10
    _ = a * 2 + a.sum(axis=0), a.reshape(3, 2).T, a.shape, len(a), a.astype(int)
    assert len(cp.COPIES) - before == 10


def backend_to_host(x):
    return cp.asnumpy(x)


def test_an_uninitialised_array_shows():
    assert np.isnan(cp.empty((2, 2)).get()).all()
    assert (cp.empty(2, np.uint8).get() == 255).all() and cp.empty(2, bool).get().all()


def test_atomics_add_in_another_order_each_time():
    values, places = np.random.default_rng(1).standard_normal(5000), np.zeros(5000, int)
    sums = set()
    for _ in range(20):
        a = cp.zeros(1)
        cp.add.at(a, cp.asarray(places), cp.asarray(values))
        sums.add(float(a[0]))
    assert len(sums) > 1 and max(sums) - min(sums) < 1e-9


def test_other_threads_may_not_touch_it():
    a, errors = device(), []

    def work():
        try:
            a + 1
        except RuntimeError as error:
            errors.append(str(error))
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert errors == ["an array of the device in one of the CPU's threads"]


def test_the_library_takes_it_for_cupy(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", cp)
    assert backend.array_module(device()) is cp and backend.array_module(HOST) is np
    assert backend.device_name("auto") == "gpu"
    assert backend.to_device(HOST, "gpu").dtype == HOST.dtype


def real_cupy():
    """CuPy as it is installed; it can be asked for names without a GPU."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cupy = pytest.importorskip("cupy")
    if not cupy.__version__.startswith("14."):
        pytest.skip("the tables are those of CuPy 14")
    return cupy


def test_the_tables_are_cupy_s():
    """Names and arguments, where CuPy is installed; methods of compiled classes tell only names."""
    cupy = real_cupy()
    functions = [name for name, f in vars(cp).items() if inspect.isfunction(f)
                 and f.__module__ == cp.__name__ and name[0] != "_" and name != "as_strided"]
    homes = [(cp.fft, cupy.fft, vars(cp.fft)), (cp, cupy, functions),
             (cp.lib.stride_tricks, cupy.lib.stride_tricks, ["as_strided"])]
    for ours, theirs, names in homes:
        for name in names:
            if name != "min_scalar_type":  # compiled: it tells no names
                known, true = (inspect.signature(getattr(home, name)).parameters
                               for home in (ours, theirs))
                assert list(known) == list(true), name
                assert [p.kind for p in known.values()] == [p.kind for p in true.values()], name
    assert len(functions) > 30
    for line in cp.METHODS.split("\n")[1:-1]:
        assert hasattr(cupy.ndarray, line.partition("(")[0])
    for name in cp.UFUNCS.split():
        assert type(getattr(cupy, name)).__name__ == "ufunc", name
    public = [name for name in vars(cp.ndarray) if not name.startswith("_")] + [
        f"__{name}__" for name in ("iter", "len", "float", "array_ufunc", "matmul", "iadd")]
    assert [name for name in public if not hasattr(cupy.ndarray, name)] == ["memory"]
    for name in ("setflags", "__index__", "__contains__", "ctypes", "resize", "itemset"):
        assert not hasattr(cupy.ndarray, name) and not hasattr(cp.ndarray, name)
