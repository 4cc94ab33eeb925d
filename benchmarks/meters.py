"""Measuring the time and memory of a turn on its device.

A meter measures one library on one device. On the host it uses the wall clock, and the memory of
this process. A GPU works through a queue, so a clock on the host would measure how fast work is
queued. There a turn is all its calls queued between two CUDA events, which the device stamps when
it reaches them. If the host queues more slowly than the device computes (small batches), the time
is the host's, as in a user's loop. In a library's first turn kernels are compiled and tried out;
`bench.in_turn` discards it.
"""

import importlib
from statistics import median
from time import perf_counter

import machine

from minicnn import backend
from minicnn.backend.driver import cuda_version, dotted

MB = 2**20
MOST = 1000  # the most calls queued in one turn


class Host:
    """The processor: the wall clock, and the resident memory of this process."""

    place, full = "cpu", ()  # `full`: errors for lack of memory; here the system ends the process

    def clear(self):
        """Reset the peak; returns the current memory in MB."""
        machine.forget_peak()
        return machine.resident()[0]

    def timed(self, function, budget):
        """Seconds of one call: the median of all calls that fit into `budget` seconds.

        At least one call is made. Of several the first is left out: it wakes threads and brings
        data into the cache.
        """
        seconds, end = [], perf_counter() + budget
        while not seconds or perf_counter() < end:
            began = perf_counter()
            function()
            seconds.append(perf_counter() - began)
        return median(seconds[1:] or seconds)

    def peak(self, function):
        """Peak memory since `clear` in MB; `function` need not run again for this."""
        return machine.resident()[1]

    def about(self):
        """Nothing to add to `machine.about`."""
        return {}


def queued(elapsed, function, budget):
    """Seconds of one call on a GPU: the mean of as many as fit into `budget`, queued together.

    ``elapsed(function, count)`` returns the seconds of `count` calls.
    """
    one = elapsed(function, 1)
    count = min(MOST, int(budget / one)) if one > 0 else MOST
    return elapsed(function, count) / count if count > 1 else one


def run_between(begin, end, function, count):
    """Queue `count` calls between two events, and wait for the second."""
    begin.record()
    for _ in range(count):
        function()
    end.record()
    end.synchronize()


class CuPy:
    """A GPU as minicnn uses it, through CuPy; memory is the used part of CuPy's pool.

    Raises
    ------
    DeviceError
        CuPy or a GPU is missing; the message says what to install.
    """

    place, full = "gpu", (MemoryError,)

    def __init__(self):
        self.cupy = backend.device(self.place)
        self.pool = self.cupy.get_default_memory_pool()

    def clear(self):
        """Return free memory to the card; returns the memory still used, in MB."""
        self.pool.free_all_blocks()
        return self.pool.used_bytes() / MB

    def timed(self, function, budget):
        """Seconds of one call, see `queued`."""
        return queued(self.elapsed, function, budget)

    def elapsed(self, function, count):
        """Seconds between two events with `count` calls between them."""
        begin, end = self.cupy.cuda.Event(), self.cupy.cuda.Event()
        with backend.memory_errors():
            run_between(begin, end, function, count)
        return self.cupy.cuda.get_elapsed_time(begin, end) / 1e3

    def peak(self, function):
        """Peak memory used of the pool during one more call, in MB."""
        pool, used = self.pool, [self.pool.used_bytes()]

        class Watch(self.cupy.cuda.MemoryHook):
            def malloc_postprocess(self, **_):
                used.append(pool.used_bytes())

        with backend.memory_errors(), Watch():
            function()
        return max(used) / MB

    def about(self):
        """The card, and the versions in use."""
        from minicnn.doctor.gpu import find_driver  # here: no other process needs the doctor

        runtime = self.cupy.cuda.runtime
        properties = runtime.getDeviceProperties(self.cupy.cuda.Device().id)
        return {"cupy": self.cupy.__version__, "driver": find_driver().version,
                "cuda": dotted(cuda_version(runtime.runtimeGetVersion())),
                "card": properties["name"].decode(), "card_mb": properties["totalGlobalMem"] / MB}


class TorchCuda:
    """A GPU as PyTorch uses it: float32 without TF32, and cuDNN chooses kernels by trial.

    Raises
    ------
    ValueError
        PyTorch finds no GPU.
    """

    place = "cuda"

    def __init__(self):
        self.torch = torch = importlib.import_module("torch")
        if not torch.cuda.is_available():
            raise ValueError(f"PyTorch {torch.__version__} sees no CUDA GPU; install PyTorch's "
                             "build for your CUDA version, or use --against plain")
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
        torch.backends.cudnn.benchmark = True
        self.full = (torch.cuda.OutOfMemoryError,)

    def clear(self):
        """Return free memory to the card; returns the memory still used, in MB."""
        self.torch.cuda.empty_cache()
        return self.torch.cuda.memory_allocated() / MB

    def timed(self, function, budget):
        """Seconds of one call, see `queued`."""
        return queued(self.elapsed, function, budget)

    def elapsed(self, function, count):
        """Seconds between two events with `count` calls between them."""
        begin, end = (self.torch.cuda.Event(enable_timing=True) for _ in range(2))
        run_between(begin, end, function, count)
        return begin.elapsed_time(end) / 1e3

    def peak(self, function):
        """Peak memory during one more call, in MB, after cuDNN's trials."""
        self.torch.cuda.reset_peak_memory_stats()
        function()
        return self.torch.cuda.max_memory_allocated() / MB

    def about(self):
        """The versions in use."""
        torch = self.torch
        return {"cuda": torch.version.cuda, "cudnn": torch.backends.cudnn.version(),
                "tf32": torch.backends.cudnn.allow_tf32}
