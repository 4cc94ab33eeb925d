"""How fast: whole networks, ours against PyTorch's CPU code.

    python benchmarks/speed.py [--networks vgg16 googlenet ...] [--batches 1 8] [--plain]
                               [--avx2] [--rounds 9] [--out benchmarks/results/speed.json]

Needs PyTorch (pip install torch). The networks have random weights; PyTorch's are built layer by
layer from ours. Each library lives in a process of its own, so that the idle threads of one do not
slow the other; the two are asked in turn, so that a machine that slows down slows both; what is
reported is the ratio of each pair, as median and quartiles. The variables that pin OpenBLAS to an
older processor are removed, and the BLAS kernels in use are recorded; --avx2 holds both libraries
to AVX2. --plain holds every convolution to the plain op, `minicnn.ops.conv`. Peak memory is that of
the whole process.
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

PINNED = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
AVX2 = {"OPENBLAS_CORETYPE": "Haswell", "ONEDNN_MAX_CPU_ISA": "AVX2",
        "ATEN_CPU_CAPABILITY": "avx2"}
TASKS = ("forward", "forward + image gradient")
NETWORKS = ("vgg16", "alexnet_caffe", "googlenet", "squeezenet11", "minivgg")


def build(name):
    """The network with random weights; VGG without its dense layers, which are two big products."""
    from minicnn import models

    network = models.vgg16(top=False) if name == "vgg16" else getattr(models, name)()
    return network.initialize(0)


def ours(name, batch, plain=False):
    """{task: function} for minicnn, and what it runs on."""
    from threadpoolctl import threadpool_info

    from minicnn import threads
    from minicnn.layers import Conv, walk

    network = build(name)
    for _, layer in walk(network.layers):
        if plain and isinstance(layer, Conv):
            layer.algorithm = "direct"
    x = np.random.default_rng(0).standard_normal((batch, *network.input_shape), dtype=np.float32)
    end = network.logits

    def forward():
        return network.forward(x, to=end, keep=(), caches=False).output

    def gradient():
        run = network.forward(x, to=end, keep=())
        return run.backward({end: np.ones_like(run.output)})

    blas = [f"{pool['internal_api']} {pool['version']} {pool['architecture']}"
            for pool in threadpool_info()]
    return dict(zip(TASKS, (forward, gradient), strict=True)), {
        "numpy": np.__version__, "blas": blas, "threads": threads.threads()}


def torch(name, batch):
    """{task: function} for PyTorch eager, NCHW, and what it runs on."""
    import torch

    network = build(name)
    tops = [top for top, _ in network.layers]
    twin = torch_twin(network, network.layers[: tops.index(network.logits) + 1]).eval()
    twin.requires_grad_(False)
    torch.set_num_threads(os.cpu_count())
    h, w, c = network.input_shape
    x = torch.randn(batch, c, h, w)

    def forward():
        with torch.no_grad():
            return twin(x)

    def gradient():
        image = x.clone().requires_grad_(True)
        twin(image).sum().backward()
        return image.grad

    return dict(zip(TASKS, (forward, gradient), strict=True)), {
        "torch": torch.__version__, "capability": torch.backends.cpu.get_cpu_capability(),
        "threads": torch.get_num_threads()}


def torch_twin(network, layers):
    """The same layers as a torch.nn.Sequential with weights of its own."""
    from torch import cat, nn

    class Side(nn.ModuleList):
        def forward(self, x):
            return cat([branch(x) for branch in self], dim=1)

    class Mean(nn.Module):
        def forward(self, x):
            return x.mean(dim=(2, 3))

    def conv(layer, name):
        kh, kw, c, o = network.param_shapes[name]["w"]
        return nn.Conv2d(c * layer.groups, o, (kh, kw), layer.stride, layer.pad, layer.dilation,
                         layer.groups)

    def dense(layer, name):
        return nn.Sequential(nn.Flatten(), nn.Linear(*network.param_shapes[name]["w"]))

    def pool(kind):
        return lambda layer, name: kind(layer.window, layer.stride, layer.pad,
                                        ceil_mode=layer.rounding == "ceil")

    makers = {
        "Conv": conv, "Dense": dense, "MaxPool": pool(nn.MaxPool2d),
        "AveragePool": pool(nn.AvgPool2d), "ReLU": lambda *_: nn.ReLU(),
        "LRN": lambda layer, _: nn.LocalResponseNorm(layer.size, layer.alpha, layer.beta, layer.k),
        "Dropout": lambda *_: nn.Identity(), "GlobalAveragePool": lambda *_: Mean(),
        "Branches": lambda layer, _: Side(torch_twin(network, branch)
                                          for branch in layer.branches),
    }
    return nn.Sequential(*(makers[type(layer).__name__](layer, name) for name, layer in layers))


LIBRARIES = {"ours": ours, "ours, plain": lambda *what: ours(*what, plain=True), "torch": torch}


def worker(library, name, batch):
    """Answer each task named on standard input with the seconds one run took."""
    tasks, about = LIBRARIES[library](name, batch)
    print(json.dumps(about), flush=True)
    for line in sys.stdin:
        began = time.perf_counter()
        tasks[line.strip()]()
        seconds = time.perf_counter() - began
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print(json.dumps({"seconds": seconds, "peak_kb": peak}), flush=True)


class Worker:
    """A process that runs tasks of one library; used in a `with`."""

    def __init__(self, library, name, batch, avx2=False):
        environment = {k: v for k, v in os.environ.items() if k not in PINNED}
        environment |= AVX2 if avx2 else {}
        command = [sys.executable, __file__, "--worker", library, name, str(batch)]
        self.process = subprocess.Popen(command, text=True, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, env=environment)
        self.library = library
        self.about = self._answer()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()

    def run(self, task):
        self.process.stdin.write(task + "\n")
        self.process.stdin.flush()
        return self._answer()

    def _answer(self):
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"the process for {self.library} ended; why is written above (PyTorch: pip "
                     "install torch)")
        return json.loads(line)


def compare(library, name, batch, rounds, avx2=False):
    """Both tasks `rounds` times by `library` and PyTorch in turn, after a warm-up: rows, about."""
    with Worker(library, name, batch, avx2) as a, Worker("torch", name, batch, avx2) as b:
        rows = []
        for task in TASKS:
            pairs = [(a.run(task), b.run(task)) for _ in range(rounds + 1)][1:]
            ratio = [x["seconds"] / y["seconds"] for x, y in pairs]
            rows.append({
                "network": name, "batch": batch, "task": task, "ratio": float(np.median(ratio)),
                "quartiles": [float(q) for q in np.quantile(ratio, (0.25, 0.75))],
                "ours_ms": float(np.median([x["seconds"] for x, _ in pairs])) * 1e3,
                "torch_ms": float(np.median([y["seconds"] for _, y in pairs])) * 1e3,
                "peak_ratio": pairs[-1][0]["peak_kb"] / pairs[-1][1]["peak_kb"]})
            r = rows[-1]
            print(f"{name:14} batch {batch:<3} {task:26} {r['ratio']:.2f} "
                  f"({r['quartiles'][0]:.2f} .. {r['quartiles'][1]:.2f})  {r['ours_ms']:6.0f} ms / "
                  f"{r['torch_ms']:.0f} ms   peak memory {r['peak_ratio']:.2f}", flush=True)
        return rows, {library: a.about, "torch": b.about}


def _processor():
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=NETWORKS)
    parser.add_argument("--batches", nargs="+", type=int, default=[1])
    parser.add_argument("--plain", action="store_true", help="every convolution by the plain op")
    parser.add_argument("--avx2", action="store_true", help="both libraries on AVX2")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--out", help="also write the figures here, as JSON")
    parser.add_argument("--worker", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        library, name, batch = options.worker
        return worker(library, name, int(batch))
    rows, about = [], {}
    for name in options.networks:
        for batch in options.batches:
            more, about = compare("ours, plain" if options.plain else "ours", name, batch,
                                  options.rounds, options.avx2)
            rows += more
    result = {"rows": rows, "rounds": options.rounds, **about, "processor": _processor(),
              "cores": os.cpu_count(), "python": sys.version.split()[0]}
    print(json.dumps({key: value for key, value in result.items() if key != "rows"}))
    if options.out:
        Path(options.out).write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return None


if __name__ == "__main__":
    main()
