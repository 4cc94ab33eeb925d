"""The calls of a walled process, made in this one: for code that is trusted."""

from types import ModuleType

from minicnn.gradcheck.apart.behind import unchanged
from minicnn.gradcheck.own.errors import OwnError
from minicnn.gradcheck.own.sources import told


class Local:
    """The counterpart of `minicnn.gradcheck.apart.walled.Walled` for the pages themselves.

    Parameters
    ----------
    source : str
        A file cut from the pages, or one with a planted mistake. It runs here.
    name : str
    """

    layers = ()

    def __init__(self, source, name="solution.py"):
        module = ModuleType(name.removesuffix(".py"))
        exec(compile(source, name, "exec"), vars(module))
        self.names, self.name = vars(module), name

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def call(self, target, *args, take="value", **kwargs):
        """Call a function, a handle (``(handle,)``) or its method (``(handle, "step")``)."""
        try:
            if isinstance(target, str):
                found = self.names[target]
            else:
                handle, *method = target
                found = getattr(handle, method[0]) if method else handle
            with unchanged(args, kwargs):
                found = found(*args, **kwargs)
        except OwnError:
            raise
        except Exception as error:
            raise OwnError(told(error, self.name)) from error
        several = isinstance(found, (tuple, list))
        if isinstance(take, tuple) and not (several and len(found) == len(take)):
            raise OwnError(f"expected {len(take)} results, got "
                           f"{len(found) if several else type(found).__name__}")
        return found

    def attribute(self, handle, name):
        """A value that an object holds."""
        try:
            return getattr(handle, name)
        except Exception as error:
            raise OwnError(told(error, self.name)) from error

    def function(self, f):
        """A function of ours that the code may call."""
        return f
