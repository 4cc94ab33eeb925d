"""How fast: VGG-16's convolutions at 224x224, ours against PyTorch's CPU code.

    python benchmarks/speed.py [--plain] [--rounds 9] [--out benchmarks/results/speed.json]

--plain holds every convolution to the plain op, `minicnn.ops.conv`.

Needs PyTorch (pip install torch). Each library lives in a process of its own, so that the idle
threads of one do not slow the other; the two are asked in turn, so that a machine that slows down
slows both; what is reported is the ratio of each pair, as median and quartiles. The variables that
pin OpenBLAS to an older processor are removed, and the BLAS kernels in use are printed.
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
TASKS = ("forward", "forward + image gradient")
SIDE = 224


def ours(plain=False):
    """{task: function} for minicnn, and what it runs on."""
    from threadpoolctl import threadpool_info

    from minicnn import models
    from minicnn.layers import Conv

    net = models.vgg16(top=False).initialize(0)
    for _, layer in net.layers:
        if plain and isinstance(layer, Conv):
            layer.algorithm = "direct"
    x = np.random.default_rng(0).standard_normal((1, SIDE, SIDE, 3), dtype=np.float32)

    def forward():
        return net.forward(x, keep=(), caches=False).output

    def gradient():
        run = net.forward(x, keep=())
        return run.backward({"pool5": np.ones_like(run.output)})

    blas = [f"{pool['internal_api']} {pool['version']} {pool['architecture']} "
            f"{pool['num_threads']} threads" for pool in threadpool_info()]
    return {"forward": forward, "forward + image gradient": gradient}, {
        "numpy": np.__version__, "blas": blas}


def torch():
    """{task: function} for PyTorch eager, NCHW, and what it runs on."""
    import torch
    from torch import nn

    layers, channels = [], 3
    for depth, width in ((2, 64), (2, 128), (3, 256), (3, 512), (3, 512)):
        for _ in range(depth):
            layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU()]
            channels = width
        layers.append(nn.MaxPool2d(2))
    net = nn.Sequential(*layers).requires_grad_(False)
    for layer in net:
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight)
    torch.set_num_threads(os.cpu_count())
    x = torch.randn(1, 3, SIDE, SIDE)

    def forward():
        with torch.no_grad():
            return net(x)

    def gradient():
        image = x.clone().requires_grad_(True)
        net(image).sum().backward()
        return image.grad

    return {"forward": forward, "forward + image gradient": gradient}, {
        "torch": torch.__version__, "capability": torch.backends.cpu.get_cpu_capability(),
        "threads": torch.get_num_threads()}


LIBRARIES = {"ours": ours, "ours, plain": lambda: ours(plain=True), "torch": torch}


def worker(library):
    """Answer each task named on standard input with the seconds one run took."""
    tasks, about = LIBRARIES[library]()
    print(json.dumps(about), flush=True)
    for line in sys.stdin:
        began = time.perf_counter()
        tasks[line.strip()]()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print(json.dumps({"seconds": time.perf_counter() - began, "peak_kb": peak}), flush=True)


class Worker:
    """A process that runs tasks of one library."""

    def __init__(self, library):
        environment = {k: v for k, v in os.environ.items() if k not in PINNED}
        self.process = subprocess.Popen([sys.executable, __file__, "--worker", library], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        env=environment)
        self.library = library
        self.about = self._answer()

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


def compare(rounds, library="ours"):
    """Every task `rounds` times by `library` and PyTorch in turn, after one warm-up."""
    a, b = Worker(library), Worker("torch")
    rows = []
    for task in TASKS:
        pairs = [(a.run(task), b.run(task)) for _ in range(rounds + 1)][1:]
        ratio = [x["seconds"] / y["seconds"] for x, y in pairs]
        rows.append({
            "task": task, "ratio": float(np.median(ratio)),
            "quartiles": [float(q) for q in np.quantile(ratio, (0.25, 0.75))],
            "ours_ms": float(np.median([x["seconds"] for x, _ in pairs])) * 1e3,
            "torch_ms": float(np.median([y["seconds"] for _, y in pairs])) * 1e3,
            "peak_ratio": pairs[-1][0]["peak_kb"] / pairs[-1][1]["peak_kb"]})
        r = rows[-1]
        print(f"VGG-16 {SIDE}x{SIDE} {task:26} {r['ratio']:.2f} ({r['quartiles'][0]:.2f} .. "
              f"{r['quartiles'][1]:.2f})   {r['ours_ms']:.0f} ms / {r['torch_ms']:.0f} ms   "
              f"peak memory {r['peak_ratio']:.2f}", flush=True)
    return {"library": library, "rows": rows, "rounds": rounds, "ours": a.about, "torch": b.about,
            "processor": _processor(), "cores": os.cpu_count(), "python": sys.version.split()[0]}


def _processor():
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--plain", action="store_true", help="every convolution by the plain op")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--out", help="also write the figures here, as JSON")
    parser.add_argument("--worker", choices=list(LIBRARIES), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        return worker(options.worker)
    result = compare(options.rounds, "ours, plain" if options.plain else "ours")
    print(json.dumps({key: result[key] for key in ("ours", "torch", "processor", "cores")}))
    if options.out:
        Path(options.out).write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return None


if __name__ == "__main__":
    main()
