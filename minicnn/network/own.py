"""A user's own op in a row of a network: called like the op's page, its results checked.

For the rules see `minicnn.network.using`.
"""

import inspect
from contextlib import contextmanager
from dataclasses import replace

import numpy as np

from minicnn import backend
from minicnn.gradcheck.own.names import OPS
from minicnn.gradcheck.own.sources import OwnError, told
from minicnn.network.using import page


class Own:
    """A user's own op in one row: called like the op's page, its results checked."""

    def __init__(self, form, row, layer):
        self.form, self.row, self.layer, self.page = form, row, layer, page(layer.op)

    def __repr__(self):
        return f"<{self.form.told}>"

    def __reduce__(self):
        return Own, (self.form, self.row, self.layer)

    # ---- settings

    def lacks(self, shape):
        """The row's settings and arrays that change the result but that the op does not take."""
        parameters = inspect.signature(self.page.forward).parameters
        settings = {name: value for name, value in self.layer.settings().items()
                    if name in parameters}
        has = self.layer.param_shapes(shape)
        return [f"{name} {value}" for name, value in self._page_s(settings).items()
                if not self.form.holds(name, value) and not self._neutral(name, value, shape)
                ] + [f"the array {name}" for name in OPS[self.layer.op].arrays
                     if name in has and name not in self.form.arrays]

    def _page_s(self, settings):
        """The settings in the form an op gets: pairs as tuples, a stride of None as the window."""
        if "window" in settings and settings.get("stride") is None:
            settings = settings | {"stride": settings["window"]}
        return {name: tuple(value) if isinstance(value, list) else value
                for name, value in settings.items()}

    def _neutral(self, name, value, shape):
        """Whether an op without this setting computes the same result for this row."""
        floor = not hasattr(self.layer, "rounding") or (
            replace(self.layer, rounding="floor").output_shape(shape)
            == self.layer.output_shape(shape))
        return {
            "stride": _both(value) == _both(getattr(self.layer, "window", 1)),
            "pad": _both(value) == (0, 0),
            "groups": value == 1,
            "dilation": _both(value) == (1, 1),
            "rounding": floor,
            "border": floor and _both(getattr(self.layer, "pad", 0)) == (0, 0),  # all pixels count
            "convention": value == "caffe",  # the usual one in courses, documented in the README
            "training": not value and not self.form.others,  # another parameter may mean training
            "seed": True, "axis": value == -1,
        }.get(name, False)

    # ---- both passes

    def forward(self, *given, **named):
        """The forward pass, with the page's signature."""
        bound = inspect.signature(self.page.forward).bind(*given, **named).arguments
        arrays = {name: _to_host(bound.pop(name)) for name in OPS[self.layer.op].arrays
                  if name in bound}
        settings = self._told(self._page_s(bound), _shape(next(iter(arrays.values()))))
        with self._errors("forward"):
            y, kept = self.form.forward({name: self._or_zeros(name, arrays)
                                         for name in self.form.arrays}, settings)
        cache = OwnCache(self, kept, arrays, _device(given, named))
        for name, value in settings.items():
            if self.form.unread(name, kept) and not self._neutral(name, value, cache.shape):
                raise OwnError(f"{self._where()}: it never reads {name} from its dict of settings, "
                               f"but the row has {name} {value}")
        expected = (cache.count, *self.layer.output_shape(cache.shape))
        self._check("y", y, expected, cache.dtype, settings)
        if not _finite(y) and _finite(*arrays.values()):
            self._blame("y", y, self.page.forward(*given, **named)[0])
        cache.y_shape = y.shape
        return _taken(y, cache.device), cache

    def _told(self, settings, shape):
        """The settings that the op takes; OwnError if one that it does not take matters."""
        found = {}
        for name, value in settings.items():
            if self.form.holds(name, value):
                found[name] = value
            elif not self._neutral(name, value, shape):
                raise OwnError(f"{self._where()}: it takes no {name}, but the row has {name} "
                               f"{value}")
        return found

    def _or_zeros(self, name, arrays):
        """An array of the row; a missing bias becomes zeros, one for each output channel."""
        if arrays.get(name) is None and name == "b":
            return np.zeros(arrays["w"].shape[-1], arrays["w"].dtype)
        return arrays[name]

    def backward(self, dy, cache, *told):
        """The backward pass, with the page's signature."""
        asked = dict(zip([*inspect.signature(self.page.backward).parameters][2:], told,
                         strict=False))
        rule, need = asked.get("rule", "gradient"), asked.get("need", ("x",))
        if rule != "gradient" and "rule" not in self.form.extras:
            return self._composed(rule, dy, cache)
        with self._errors("backward"):
            found = self.form.backward(_to_host(dy).astype(cache.dtype, copy=False), cache.kept, {
                name: value for name, value in asked.items() if name in self.form.extras})
        gradients = {name: self._gradient(name, found.get(name), dy, cache)
                     for name in cache.shapes if name in need or name == "parts"}
        if "need" in asked:
            return self.page.Gradients(**{d: gradients.get(d[1:])
                                          for d in self.page.Gradients._fields})
        return gradients[next(iter(cache.shapes))]

    def _composed(self, rule, dy, cache):
        """A backward rule that the op lacks, composed from the op's gradient."""
        xp = backend.array_module(dy)
        if self.layer.op == "relu":
            return xp.maximum(dy if rule == "deconvnet" else self.backward(dy, cache), 0)
        if rule == "through":
            return dy.copy()
        raise OwnError(f"{self._where()}: its backward takes no `rule`, and {rule!r} cannot be "
                       "computed from its gradient; use another rule at the LRN")

    # ---- checks of the results

    def _gradient(self, name, gradient, dy, cache):
        """Check the gradient at one of the op's arrays and return a copy."""
        if name == "parts":
            parts = gradient if isinstance(gradient, (tuple, list)) else []
            if len(parts) != len(cache.shapes[name]):
                raise OwnError(f"{self._where()}: expected {len(cache.shapes[name])} gradients "
                               f"from backward, one for each part, got {len(parts)}")
            for part, shape in zip(parts, cache.shapes[name], strict=True):
                self._check("a part's gradient", part, shape, cache.dtype)
            return [_taken(part, cache.device) for part in parts]
        self._check(f"d{name}", gradient, cache.shapes[name], cache.dtypes[name])
        if not _finite(gradient) and cache.was_finite and _finite(dy):
            self._blame(f"d{name}", gradient, 0)
        return _taken(gradient, cache.device)

    def _check(self, what, array, shape, dtype, settings=()):
        """Raise OwnError unless an array has the shape and dtype that the page would give."""
        shape = tuple(shape)
        if not isinstance(array, (np.ndarray, np.generic)) or isinstance(array, np.ma.MaskedArray):
            raise OwnError(f"{self._where()}: expected {what} as an array of shape "
                           f"{self.form.its_shape(what, shape)}, got "
                           f"{'nothing' if array is None else type(array).__name__}")
        if array.shape != shape:
            told = "".join(f", {name} {settings[name]}" for name in settings)
            raise OwnError(f"{self._where()}{told}: expected {what} of shape "
                           f"{self.form.its_shape(what, shape)}, got "
                           f"{self.form.its_shape(what, array.shape)}")
        if array.dtype != dtype:
            raise OwnError(f"{self._where()}: expected {what} in {dtype}, like its input, got "
                           f"{array.dtype}; np.zeros(shape, dtype=x.dtype) keeps the dtype")

    def _blame(self, what, array, expected):
        """Raise OwnError for an array that is not finite, if the page's result is finite."""
        if _finite(expected):
            place = tuple(int(k) for k in np.argwhere(~np.isfinite(array))[0])
            raise OwnError(f"{self._where()}: {what} has {array[place]} at {place} (N,H,W,C), but "
                           "all of minicnn's own are finite for the same input")

    def _where(self):
        return f"layer {self.row}, {self.layer.op} by {self.form.source.name}"

    @contextmanager
    def _errors(self, which):
        """Turn any error of the user's own op into a one-line OwnError with its row."""
        where = f"{self._where()}: its {which} failed"
        try:
            yield
        except OwnError as error:
            raise OwnError(f"{where}: {error}") from error
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # SystemExit, too
            raise OwnError(f"{where}: {told(error, self.form.source.file)}") from error


class OwnCache:
    """The cache of one call of a user's own op: what the op returned, and facts about its arrays.

    The fields of the op's own cache, such as switches or a batch's mean, can be read here, too.
    """

    def __init__(self, op, kept, arrays, device):
        self.op, self.kept, self.device = op, kept, device
        there = {name: array for name, array in arrays.items() if array is not None}
        x = next(iter(there.values()))
        first = x[0] if isinstance(x, list) else x
        self.count, self.shape = len(first), _shape(x)
        self.shapes = {name: [part.shape for part in array] if isinstance(array, list)
                       else array.shape for name, array in there.items()}
        self.dtypes = {name: getattr(array, "dtype", first.dtype) for name, array in there.items()}
        self.dtype = np.result_type(*self.dtypes.values())
        self.was_finite = _finite(*there.values())

    def __getattr__(self, name):
        if name.startswith("_") or name in ("kept", "op"):  # not yet set while it is copied
            raise AttributeError(name)
        value = getattr(self.kept.own, name)
        if name != "switches":
            return value
        if self.op.form.channels_first and getattr(value, "ndim", 0) == 4:
            value = value.transpose(0, 2, 3, 1)  # N,C,OH,OW -> N,OH,OW,C
        if getattr(value, "shape", None) != self.y_shape:
            raise AttributeError(name)
        return value


def _device(given, named):
    """The device, "cpu" or "gpu", of the first array given."""
    first = next(iter((*given, *named.values())))
    xp = backend.array_module(first[0] if isinstance(first, list) else first)
    return "cpu" if xp is np else "gpu"


def _to_host(array):
    if array is None or isinstance(array, list):
        return array and [backend.to_host(part) for part in array]
    return backend.to_host(array)


def _taken(array, device):
    """A plain copy of a result, on a device."""
    return backend.to_device(np.array(array, order="C", subok=False), device)


def _finite(*arrays):
    """Whether all numbers in these arrays, or lists of arrays, are finite."""
    parts = [part for array in arrays for part in (array if isinstance(array, list) else [array])]
    return all(bool(backend.array_module(part).isfinite(part).all()) for part in parts
               if part is not None)


def _shape(x):
    """The shape of one image, or the list of the shapes of one image's parts."""
    return [part.shape[1:] for part in x] if isinstance(x, list) else x.shape[1:]


def _both(value):
    return tuple(value) if isinstance(value, (tuple, list)) else (value, value)
