"""What a device tells: the clock of the host here, that of a GPU by what is asked of it."""

import sys
from types import SimpleNamespace

import machine
import meters
import pytest
from meters import CuPy, Host, TorchCuda, queued

from minicnn import backend
from minicnn.doctor import gpu


def test_the_host_s_time_is_the_median_without_the_first(monkeypatch):
    clock, durations = [0.0], iter([9.0, 2.0, 4.0, 3.0])
    monkeypatch.setattr(meters, "perf_counter", lambda: clock[0])

    def work():
        clock[0] += next(durations)

    assert Host().timed(work, 17.5) == 3.0  # 9, then 2, 4, 3: the next would be past the budget


def test_the_host_runs_once_at_least():
    calls = []
    assert Host().timed(lambda: calls.append(1), 0.0) > 0
    assert calls == [1]


@pytest.mark.skipif(not machine.STATUS.exists(), reason="needs /proc")
def test_the_host_s_memory_is_the_process_s():
    meter = Host()
    assert 0 < meter.clear() <= meter.peak(None)


@pytest.mark.parametrize(("budget", "counts"), [
    (0.0, [1]), (0.019, [1]), (0.05, [1, 5]), (1e9, [1, meters.MOST])])
def test_a_gpu_s_turn_is_one_call_then_as_many_as_fit(budget, counts):
    asked = []

    def elapsed(function, count):
        asked.append(count)
        return 0.01 * count

    assert queued(elapsed, None, budget) == pytest.approx(0.01)
    assert asked == counts


class Card:
    """What `meters` asks of CuPy or of PyTorch, with the order in which it is asked; a call of
    `work` takes 3 ms and holds 5 MB for a moment."""

    def __init__(self):
        self.log, self.ms, self.used = [], 0.0, 2 * meters.MB
        card = self

        class Event:
            def __init__(self, enable_timing=False):
                self.stamp = None

            def record(self):
                card.log.append("event")
                self.stamp = card.ms

            def synchronize(self):
                card.log.append("wait")

            def elapsed_time(self, end):
                return end.stamp - self.stamp

        class MemoryHook:
            hooked = None

            def __enter__(self):
                MemoryHook.hooked = self

            def __exit__(self, *_):
                MemoryHook.hooked = None

        self.Event, self.MemoryHook = Event, MemoryHook
        self.peak = 0

    def work(self):
        self.log.append("call")
        self.ms += 3
        self.used += 5 * meters.MB
        self.peak = max(self.peak, self.used)
        if self.MemoryHook.hooked:
            self.MemoryHook.hooked.malloc_postprocess(mem_size=5 * meters.MB)
        self.used -= 5 * meters.MB


@pytest.fixture
def card():
    return Card()


@pytest.fixture
def cupy(card, monkeypatch):
    pool = SimpleNamespace(free_all_blocks=lambda: card.log.append("free"),
                           used_bytes=lambda: card.used)
    runtime = SimpleNamespace(
        runtimeGetVersion=lambda: 12080,
        getDeviceProperties=lambda number: {"name": b"A Card", "totalGlobalMem": 2**30})
    module = SimpleNamespace(
        __version__="14.0", get_default_memory_pool=lambda: pool,
        cuda=SimpleNamespace(Event=card.Event, MemoryHook=card.MemoryHook, runtime=runtime,
                             Device=lambda: SimpleNamespace(id=0),
                             get_elapsed_time=lambda a, b: b.stamp - a.stamp))
    monkeypatch.setattr(backend, "device", lambda name: module)
    return module


@pytest.fixture
def torch(card, monkeypatch):
    cuda = SimpleNamespace(
        is_available=lambda: True, Event=card.Event, OutOfMemoryError=MemoryError,
        empty_cache=lambda: card.log.append("free"), memory_allocated=lambda: card.used,
        reset_peak_memory_stats=lambda: setattr(card, "peak", card.used),
        max_memory_allocated=lambda: card.peak)
    module = SimpleNamespace(
        __version__="2.13", cuda=cuda, version=SimpleNamespace(cuda="12.8"),
        backends=SimpleNamespace(cuda=SimpleNamespace(matmul=SimpleNamespace(allow_tf32=True)),
                                 cudnn=SimpleNamespace(allow_tf32=True, benchmark=False,
                                                       version=lambda: 90800)))
    monkeypatch.setitem(sys.modules, "torch", module)
    return module


@pytest.mark.parametrize("meter", [CuPy, TorchCuda])
def test_a_gpu_s_clock_is_two_events_around_all_calls(card, cupy, torch, meter):
    meter = meter()
    assert meter.elapsed(card.work, 4) == pytest.approx(4 * 3e-3)
    assert card.log == ["event", *["call"] * 4, "event", "wait"]
    assert meter.timed(card.work, 0.03) == pytest.approx(3e-3)


@pytest.mark.parametrize("meter", [CuPy, TorchCuda])
def test_a_gpu_s_memory_is_the_most_within_a_call(card, cupy, torch, meter):
    meter = meter()
    assert meter.clear() == 2.0 and card.log == ["free"]
    assert meter.peak(card.work) == 7.0 and card.MemoryHook.hooked is None


def test_pytorch_computes_in_float32(torch):
    assert TorchCuda().about() == {"cuda": "12.8", "cudnn": 90800, "tf32": False}
    assert torch.backends.cuda.matmul.allow_tf32 is False
    assert torch.backends.cudnn.benchmark is True


def test_the_card_is_named(cupy, monkeypatch):
    monkeypatch.setattr(gpu, "find_driver", lambda: gpu.Driver("570.1"))
    assert CuPy().about() == {"cupy": "14.0", "cuda": "12.8", "card": "A Card", "card_mb": 1024.0,
                              "driver": "570.1"}


def test_pytorch_without_a_gpu_says_so(torch):
    torch.cuda.is_available = lambda: False
    with pytest.raises(ValueError, match=r"PyTorch 2.13 sees no CUDA GPU.*--against plain"):
        TorchCuda()


def test_what_is_raised_where_memory_runs_out_is_known(cupy, torch):
    """The one that minicnn makes of CuPy's, and PyTorch's own."""
    assert issubclass(backend.DeviceMemoryError, CuPy().full)
    assert TorchCuda().full == (MemoryError,)
