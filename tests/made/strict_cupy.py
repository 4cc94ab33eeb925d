"""A stand-in for CuPy that runs anywhere, and refuses what CuPy refuses: for tests without a GPU.

An array of it wraps a NumPy array, and this module is the array module that works on it. Put in
place of CuPy (tests/gpu/conftest.py does), it shows where the library would fail on a GPU:

* no NumPy array mixes with it, in no operator, function or assignment, and none is made of it but
  by `get` (and what uses that: float, int, bool, item, tolist, printing). Each of these is a copy
  from the device to the host, and is written down in COPIES;
* a function knows the arguments that CuPy's knows, as in the tables below: no `where=`, no
  `initial=`, `out=` only where there is one. What is not in the tables is not there: look it up in
  CuPy's reference and add it. Where CuPy is installed (that needs no GPU) a test compares them;
* a single number is an array of no dimensions, not a scalar, and has no place in `range` or as
  an index of a list; no flag makes an array read-only; there are numbers and booleans only;
* `empty` holds NaN, not zeros by chance; `add.at` adds in another order each time, as atomics do;
  what CuPy leaves undefined (two values for one place, an index out of bounds) is an error;
* arrays are used in the thread that runs the tests: the library's own threads are for the CPU.

It is stricter than CuPy in three things. NumPy's functions refuse its arrays, but for those of
single numbers (np.sqrt): CuPy lets np.concatenate and its like through, and a reader could not tell
where they run. A NumPy array or a list may say which places of an array are meant, as in CuPy, but
never be what is stored there. And no view is stored where it is: Python makes `a[k] += b` of
`view = a[k]; view += b; a[k] = view`, whose last part CuPy sees through, but not where the first
axis is 1, as for one image: then it copies the view and copies that back. Write the first two.
"""

import sys
import threading
from collections import namedtuple
from inspect import signature
from types import SimpleNamespace

import numpy as np

__version__ = "stand-in"
COPIES = []  # (what asked for it, shape) of every copy from the device to the host
KINDS = "biufc"  # booleans, integers, floating point and complex numbers

Flags = namedtuple("Flags", "c_contiguous f_contiguous owndata")  # all that CuPy has; none writable


class ndarray:  # noqa: N801 (CuPy's name)
    """An array "on the device": `memory` is a NumPy array that only this file may touch."""

    __module__ = "cupy"
    __slots__ = ("memory",)
    __array_priority__ = 100
    __hash__ = None

    def __init__(self, memory):
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError("an array of the device in one of the CPU's threads")
        self.memory = np.asarray(memory)
        if self.memory.dtype.kind not in KINDS:
            raise ValueError(f"Unsupported dtype {self.memory.dtype}")

    shape = property(lambda self: self.memory.shape)
    ndim = property(lambda self: self.memory.ndim)
    size = property(lambda self: self.memory.size)
    dtype = property(lambda self: self.memory.dtype)
    strides = property(lambda self: self.memory.strides)
    itemsize = property(lambda self: self.memory.itemsize)
    nbytes = property(lambda self: self.memory.nbytes)
    T = property(lambda self: ndarray(self.memory.T))
    real = property(lambda self: ndarray(self.memory.real))
    imag = property(lambda self: ndarray(self.memory.imag))

    @property
    def flags(self):
        flags = self.memory.flags
        return Flags(flags.c_contiguous, flags.f_contiguous, flags.owndata)

    # ---- to the host

    def get(self, stream=None, order="C", out=None, blocking=True):
        return _copied(self, "get")

    def item(self):
        return _copied(self, "item").item()

    def tolist(self):
        return _copied(self, "tolist").tolist()

    def tobytes(self, order="C"):
        return _copied(self, "tobytes").tobytes(order)

    def __bool__(self):
        return bool(_copied(self, "bool"))

    def __int__(self):
        return int(_copied(self, "int"))

    def __float__(self):
        return float(_copied(self, "float"))

    def __complex__(self):
        return complex(_copied(self, "complex"))

    def __repr__(self):
        return repr(_copied(self, "repr"))

    def __format__(self, wanted):
        return format(_copied(self, "format"), wanted)

    def __array__(self, *args, **kwargs):
        raise TypeError("Implicit conversion to a NumPy array is not allowed. Please use `.get()` "
                        "to construct a NumPy array explicitly.")

    # ---- NumPy's functions, given such an array: those of single numbers are CuPy's

    def __array_ufunc__(self, function, method, *inputs, **kwargs):
        known = getattr(sys.modules[__name__], function.__name__, None)
        if method != "__call__" or not isinstance(known, ufunc):
            return NotImplemented
        return known(*inputs, **kwargs)

    def __array_function__(self, function, types, args, kwargs):
        return NotImplemented

    # ---- parts

    def __len__(self):
        return len(self.memory)

    def __iter__(self):
        return (self[k] for k in range(len(self)))

    def __getitem__(self, index):
        return ndarray(self.memory[_index(index)])

    def __setitem__(self, index, value):
        index = _index(index)
        _check_once(self.memory, index)
        _check_elsewhere(self.memory[index], value)
        self.memory[index] = _scalar(value)

    # ---- methods that NumPy's have otherwise

    def astype(self, dtype, order="K", casting=None, subok=None, copy=True):
        if casting is not None or subok is not None:
            raise TypeError("casting and subok are not supported yet")
        if self.dtype.kind == "c" and np.dtype(dtype).kind != "c":
            raise TypeError("the imaginary part would be lost")
        return ndarray(self.memory.astype(dtype, order=order, copy=copy))

    def fill(self, value):
        self.memory.fill(_scalar(value))

    def clip(self, a_min=None, a_max=None, out=None):
        return ndarray(self.memory.clip(_operand(a_min), _operand(a_max), _operand(out)))

    def take(self, indices, axis=None, out=None):
        return ndarray(self.memory.take(_index(indices)[0], axis, _operand(out)))


# The other methods, with CuPy's arguments
METHODS = """
all(axis=None, out=None, keepdims=False)
any(axis=None, out=None, keepdims=False)
argmax(axis=None, out=None, dtype=None, keepdims=False)
argmin(axis=None, out=None, dtype=None, keepdims=False)
argsort(axis=-1)
conj()
copy(order='C')
cumsum(axis=None, dtype=None, out=None)
dot(b, out=None)
flatten()
max(axis=None, out=None, keepdims=False)
mean(axis=None, dtype=None, out=None, keepdims=False)
min(axis=None, out=None, keepdims=False)
prod(axis=None, dtype=None, out=None, keepdims=None)
ravel(order='C')
repeat(repeats, axis=None)
reshape(*shape, order='C')
round(decimals=0, out=None)
sort(axis=-1)
squeeze(axis=None)
std(axis=None, dtype=None, out=None, ddof=0, keepdims=False)
sum(axis=None, dtype=None, out=None, keepdims=False)
swapaxes(axis1, axis2)
transpose(*axes)
var(axis=None, dtype=None, out=None, ddof=0, keepdims=False)
view(dtype=None)
"""
# Element by element: any operands that are device arrays or scalars, and out=
UFUNCS = """
absolute add arctan2 bitwise_and bitwise_or ceil cos divide equal exp expm1 floor floor_divide
greater greater_equal hypot invert isfinite isnan less less_equal log log1p logical_and logical_not
logical_or maximum minimum multiply negative not_equal power remainder rint sign sin sinc sqrt
square subtract tan tanh true_divide
"""
SCATTER = ("add", "maximum", "minimum")  # the ufuncs that have `at`; the order is anyone's guess
FUNCTIONS = """
arange(start, stop=None, step=1, dtype=None)
argmax(a, axis=None, dtype=None, out=None, keepdims=False)
argsort(a, axis=-1, kind=None)
ascontiguousarray(a, dtype=None)
broadcast_to(array, shape)
concatenate(tup, axis=0, out=None, *, dtype=None, casting='same_kind')
expand_dims(a, axis)
eye(N, M=None, k=0, dtype=float, order='C')
flip(a, axis=None)
full(shape, fill_value, dtype=None, order='C')
full_like(a, fill_value, dtype=None, order='K', subok=None, shape=None)
matmul(*args, axes=None, axis=None, keepdims=False, casting='same_kind', dtype=None, signature=None, order='K', out=None)
mean(a, axis=None, dtype=None, out=None, keepdims=False)
moveaxis(a, source, destination)
ones(shape, dtype=float, order='C')
ones_like(a, dtype=None, order='K', subok=None, shape=None)
pad(array, pad_width, mode='constant', **kwargs)
percentile(a, q, axis=None, out=None, overwrite_input=False, method='linear', keepdims=False, *, interpolation=None)
repeat(a, repeats, axis=None)
roll(a, shift, axis=None)
sort(a, axis=-1, kind=None)
split(ary, indices_or_sections, axis=0)
stack(tup, axis=0, out=None, *, dtype=None, casting='same_kind')
swapaxes(a, axis1, axis2)
take_along_axis(a, indices, axis)
tensordot(a, b, axes=2)
transpose(a, axes=None)
where(condition, x=None, y=None)
zeros(shape, dtype=float, order='C')
zeros_like(a, dtype=None, order='K', subok=None, shape=None)
"""  # noqa: E501 (as CuPy prints them)
FFT = """
irfft2(a, s=None, axes=(-2, -1), norm=None)
rfft2(a, s=None, axes=(-2, -1), norm=None)
"""
OPERATORS = {
    "add": "add", "sub": "subtract", "mul": "multiply", "truediv": "true_divide", "pow": "power",
    "floordiv": "floor_divide", "mod": "remainder", "and": "bitwise_and", "or": "bitwise_or",
}
COMPARISONS = {"lt": "less", "le": "less_equal", "eq": "equal", "ne": "not_equal",
               "gt": "greater", "ge": "greater_equal"}

float16, float32, float64 = np.float16, np.float32, np.float64
uint8, int32, int64, bool_ = np.uint8, np.int32, np.int64, np.bool_
complex64, complex128 = np.complex64, np.complex128
inf, nan, pi, newaxis, dtype = np.inf, np.nan, np.pi, np.newaxis, np.dtype


# ---- what may go in, and what comes out

def _operand(x):
    """What NumPy computes with: of a device array its memory; a NumPy array or a list is refused.

    Tuples hold sizes, axes or several arrays.
    """
    if isinstance(x, ndarray):
        return x.memory
    if isinstance(x, np.ndarray):
        raise TypeError(f"Unsupported type {type(x)}")
    if isinstance(x, (tuple, list)):
        return type(x)(_operand(each) for each in x)
    return x


def _scalar(x):
    """A device array's memory or a number; what an operator takes."""
    if not isinstance(x, (ndarray, int, float, complex, np.number, np.bool_)):
        raise TypeError(f"Unsupported type {type(x)}")
    return _operand(x)


def _device(y):
    """What NumPy gave, as arrays of the device: numbers, too."""
    if isinstance(y, (tuple, list)):
        return type(y)(_device(each) for each in y)
    return ndarray(y) if isinstance(y, (np.ndarray, np.generic)) else y


def _copied(x, what):
    COPIES.append((what, x.shape))
    return x.memory.copy()


def _index(index):
    """An index as NumPy wants it; the last entry keeps single numbers arrays, and views."""
    parts = [_index_part(part) for part in (index if isinstance(index, tuple) else (index,))]
    masks = [part for part in parts if hasattr(part, "dtype") and part.dtype.kind == "b"]
    if masks:  # how many places are True has to be known on the host
        COPIES.append(("mask", masks[0].shape))
    if len(masks) > 1:
        raise IndexError("more than one boolean array in an index")
    return (*parts, ...) if not any(part is ... for part in parts) else tuple(parts)


def _index_part(part):
    if isinstance(part, slice):
        if any(isinstance(end, ndarray) for end in (part.start, part.stop, part.step)):
            raise TypeError("slice indices must be integers, not arrays")
        return part
    if isinstance(part, list):
        return np.asarray(part, dtype=None if part else int)
    return part.memory if isinstance(part, ndarray) else part


def _check_once(memory, index):
    """CuPy leaves open which of several values for one place is stored."""
    if any(getattr(part, "ndim", 0) and part.dtype != bool for part in index):
        times = np.zeros(memory.shape, int)
        np.add.at(times, index, 1)
        if times.max(initial=0) > 1:
            raise IndexError("several values for one place: which is stored is undefined")


def _check_elsewhere(place, value):
    """No view is stored where it is."""
    def lies(a):
        return a.ctypes.data, a.shape, a.strides
    if isinstance(value, ndarray) and place.size and lies(place) == lies(value.memory):
        raise ValueError("`a[k] += b` copies twice for one image: `view = a[k]; view += b`")


class ufunc:  # noqa: N801 (NumPy's name)
    """A function of single numbers; of arrays, each number on its own."""

    def __init__(self, name):
        self.name, self.numpy = name, getattr(np, name)

    def __call__(self, *args, out=None, dtype=None, casting="same_kind"):
        args, out = [_scalar(arg) for arg in args], out[0] if isinstance(out, tuple) else out
        if out is not None and not isinstance(out, ndarray):
            raise TypeError(f"return arrays must be of the device, got {type(out)}")
        y = self.numpy(*args, **{} if out is None else {"out": out.memory}, dtype=dtype,
                       casting=casting) if self.name != "sinc" else self.numpy(*args)
        return _device(y) if out is None else out

    def at(self, a, indices, b):
        if self.name not in SCATTER:
            raise NotImplementedError(f"`{self.name}.at` is not supported yet")
        places = _index_part(indices)
        values, order = _operand(b), np.random.default_rng().permutation(len(places))
        if np.ndim(values):
            values = np.broadcast_to(values, (*places.shape, *a.shape[1:]))[order]
        self.numpy.at(a.memory, places[order], values)

    def reduce(self, array, axis=0, dtype=None, out=None, keepdims=False):
        if self.name not in ("add", "multiply"):
            raise NotImplementedError(f"`{self.name}.reduce` is not supported yet")
        return _device(self.numpy.reduce(array.memory, axis, dtype, _operand(out), keepdims))


# ---- what the tables stand for

def _known(line):
    """(name, signature) of a line of a table."""
    name, _, arguments = line.partition("(")
    return name, signature(eval(f"lambda {arguments[:-1]}: None"))  # noqa: S307 (from this file)


def _function(line, home=np):
    name, known = _known(line)
    numpy = getattr(home, name)

    def function(*args, **kwargs):
        known.bind(*args, **kwargs)
        return _device(numpy(*_operand(args), **{k: _operand(v) for k, v in kwargs.items()}))
    function.__name__, function.__signature__ = name, known
    return function


def _method(line):
    name, known = _known(line)

    def method(self, *args, **kwargs):
        known.bind(*args, **kwargs)
        kwargs = {key: _operand(value) for key, value in kwargs.items()}
        return _device(getattr(self.memory, name)(*_operand(args), **kwargs))
    return method


def _binary(name, turned=False, inplace=False):
    def operator(self, other):
        if not isinstance(other, (ndarray, np.ndarray, int, float, complex, np.generic)):
            return NotImplemented
        known = globals()[name]
        return known(other, self) if turned else known(self, other, out=self if inplace else None)
    return operator


def _product(self, other):
    if not isinstance(self, ndarray) or not isinstance(other, ndarray):
        raise TypeError(f"Unsupported type {type(other)}")
    return globals()["matmul"](self, other)


def _fill_in():
    names = globals()
    for line in METHODS.split("\n")[1:-1]:
        setattr(ndarray, line.partition("(")[0], _method(line))
    names |= {name: ufunc(name) for name in UFUNCS.split()}
    names |= {line.partition("(")[0]: _function(line) for line in FUNCTIONS.split("\n")[1:-1]}
    names["abs"] = names["absolute"]
    for short, name in OPERATORS.items():
        setattr(ndarray, f"__{short}__", _binary(name))
        setattr(ndarray, f"__r{short}__", _binary(name, turned=True))
        setattr(ndarray, f"__i{short}__", _binary(name, inplace=True))
    for short, name in COMPARISONS.items():
        setattr(ndarray, f"__{short}__", _binary(name))
    ndarray.__matmul__ = ndarray.__rmatmul__ = _product
    ndarray.__neg__ = lambda self: names["negative"](self)
    ndarray.__abs__ = lambda self: names["absolute"](self)
    ndarray.__invert__ = lambda self: names["invert"](self)


_fill_in()


# ---- functions that NumPy has otherwise, or not at all

def array(obj, dtype=None, copy=True, order="K", subok=False, ndmin=0, *, blocking=False):
    """To the device, from wherever."""
    return ndarray(np.array(getattr(obj, "memory", obj), dtype, copy=True, ndmin=ndmin))


def asarray(a, dtype=None, order=None, *, copy=None, blocking=False):
    """To the device; what is there already, and of that dtype, stays what it is."""
    same = isinstance(a, ndarray) and dtype in (None, a.dtype)
    return a if same else array(a, dtype)


def asnumpy(a, stream=None, order="C", out=None, *, blocking=True):
    """To the host."""
    return a.get() if isinstance(a, ndarray) else np.asarray(a)


def empty(shape, dtype=float, order="C"):
    """Whatever was in memory: NaN, or the largest integer."""
    kind = np.dtype(dtype)
    worst = np.iinfo(kind).max if kind.kind in "iu" else kind.kind == "b" or np.nan
    return ndarray(np.full(shape, worst, kind))


def empty_like(prototype, dtype=None, order="K", subok=None, shape=None):
    """As `empty`."""
    return empty(shape or prototype.shape, dtype or prototype.dtype)


def clip(a, a_min, a_max, out=None):
    """`ndarray.clip`."""
    return a.clip(a_min, a_max, out=out)


def take(a, indices, axis=None, out=None):
    """`ndarray.take`."""
    return a.take(indices, axis, out)


def result_type(*arrays_and_dtypes):
    """Of arrays and dtypes, on the host or not."""
    return np.result_type(*(getattr(each, "dtype", each) for each in arrays_and_dtypes))


def min_scalar_type(a):
    """Of a number."""
    return np.min_scalar_type(a)


def ndim(a):
    """Of anything."""
    return a.ndim if isinstance(a, ndarray) else np.ndim(a)


def as_strided(x, shape=None, strides=None):
    """CuPy's has no `writeable` and no `subok`."""
    return ndarray(np.lib.stride_tricks.as_strided(x.memory, shape, strides))


class CUDARuntimeError(RuntimeError):
    """What CuPy raises where there is no driver or no GPU."""


lib = SimpleNamespace(stride_tricks=SimpleNamespace(as_strided=as_strided))
fft = SimpleNamespace(**{line.partition("(")[0]: _function(line, np.fft)
                         for line in FFT.split("\n")[1:-1]})
cuda = SimpleNamespace(runtime=SimpleNamespace(getDeviceCount=lambda: 1,
                                               CUDARuntimeError=CUDARuntimeError))
