"""What a turn takes, as its device tells it: seconds, and the memory held.

A meter is one library's view of one device. On the host it is the wall clock, and the memory of
this process. A GPU works off a queue, so a clock on the host would measure how fast work is queued:
there a turn is two CUDA events with all its calls queued between them, which the device stamps when
it comes to them. Where the host queues more slowly than the device computes (small batches), that
time is the host's, as in a user's loop. A library's first turn compiles and tries out kernels;
whoever asks leaves it out (`bench.in_turn`).
"""

import importlib
from statistics import median
from time import perf_counter

import machine

from minicnn import backend
from minicnn.backend.driver import cuda_version, dotted

MB = 2**20
MOST = 1000  # calls queued in one turn


class Host:
    """The processor: the wall clock, and the resident memory of this process."""

    place, full = "cpu", ()  # `full`: raised where memory runs out; here the system ends it all

    def clear(self):
        """Let the peak begin anew; what is held now, in MB."""
        machine.forget_peak()
        return machine.resident()[0]

    def timed(self, function, budget):
        """Seconds that one call takes: the median of those that fit into `budget` seconds.

        At least one is made, and the first is left out where there are several: it wakes threads
        and brings data into the cache.
        """
        seconds, end = [], perf_counter() + budget
        while not seconds or perf_counter() < end:
            began = perf_counter()
            function()
            seconds.append(perf_counter() - began)
        return median(seconds[1:] or seconds)

    def peak(self, function):
        """The most that was held since `clear`, in MB; for this `function` need not run again."""
        return machine.resident()[1]

    def about(self):
        """Nothing that `machine.about` does not say."""
        return {}


def queued(elapsed, function, budget):
    """Seconds that one call takes on a GPU: as many as fit into `budget`, queued as one.

    ``elapsed(function, count)`` are the seconds of that many calls.
    """
    one = elapsed(function, 1)
    count = min(MOST, int(budget / one)) if one > 0 else MOST
    return elapsed(function, count) / count if count > 1 else one


def run_between(begin, end, function, count):
    """Queue `count` calls with an event before them and one behind, and wait for that."""
    begin.record()
    for _ in range(count):
        function()
    end.record()
    end.synchronize()


class CuPy:
    """A GPU as minicnn uses it, through CuPy; the memory is what is used of CuPy's pool.

    Raises
    ------
    DeviceError
        Where CuPy or a GPU is missing; it says what to install.
    """

    place, full = "gpu", (MemoryError,)

    def __init__(self):
        self.cupy = backend.device(self.place)
        self.pool = self.cupy.get_default_memory_pool()

    def clear(self):
        """Give free memory back to the card; what is used still, in MB."""
        self.pool.free_all_blocks()
        return self.pool.used_bytes() / MB

    def timed(self, function, budget):
        """Seconds that one call takes, see `queued`."""
        return queued(self.elapsed, function, budget)

    def elapsed(self, function, count):
        """Seconds between two events with `count` calls between them."""
        begin, end = self.cupy.cuda.Event(), self.cupy.cuda.Event()
        with backend.memory_errors():
            run_between(begin, end, function, count)
        return self.cupy.cuda.get_elapsed_time(begin, end) / 1e3

    def peak(self, function):
        """The most that is used of the pool during one more call, in MB."""
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
    """A GPU as PyTorch uses it, in float32 without TF32, cuDNN choosing by trial.

    Raises
    ------
    ValueError
        Where PyTorch sees no GPU.
    """

    place = "cuda"

    def __init__(self):
        self.torch = torch = importlib.import_module("torch")
        if not torch.cuda.is_available():
            raise ValueError(f"PyTorch {torch.__version__} sees no CUDA GPU; install the build of "
                             "it for your CUDA version, or use --against plain")
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
        torch.backends.cudnn.benchmark = True
        self.full = (torch.cuda.OutOfMemoryError,)

    def clear(self):
        """Give free memory back to the card; what is used still, in MB."""
        self.torch.cuda.empty_cache()
        return self.torch.cuda.memory_allocated() / MB

    def timed(self, function, budget):
        """Seconds that one call takes, see `queued`."""
        return queued(self.elapsed, function, budget)

    def elapsed(self, function, count):
        """Seconds between two events with `count` calls between them."""
        begin, end = (self.torch.cuda.Event(enable_timing=True) for _ in range(2))
        run_between(begin, end, function, count)
        return begin.elapsed_time(end) / 1e3

    def peak(self, function):
        """The most that is used during one more call, in MB; cuDNN's trials are over by then."""
        self.torch.cuda.reset_peak_memory_stats()
        function()
        return self.torch.cuda.max_memory_allocated() / MB

    def about(self):
        """The versions in use."""
        torch = self.torch
        return {"cuda": torch.version.cuda, "cudnn": torch.backends.cudnn.version(),
                "tf32": torch.backends.cudnn.allow_tf32}
