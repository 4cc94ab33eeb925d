"""The loss of a texture that L-BFGS reaches, ours and PyTorch's, from the same start.

    minicnn bench texture, in a checkout, or
    python benchmarks/texture.py [--textures pebbles.jpg] [--weights vgg16.h5] [--size 128]
                                 [--steps 100] [--seeds 0 1 2] [--out benchmarks/results/texture]

Both make the same loss small, the sum of the relative errors of Gram matrices (`vis.texture`), by
as many steps from the same noise, remember as many of them, and search along each for the strong
Wolfe conditions. No bounds are kept: `torch.optim.LBFGS` has none. PyTorch's changes pixels of
0..1, since it takes y . s below 1e-10 for no curvature. PyTorch computes the network by itself
(`files.torch_twin`). Our loss of both images is told, so that rounding plays no part.
"""

import argparse
import json
import sys
import time
from pathlib import Path
from statistics import median

import machine
import program

import minicnn
from minicnn import images
from minicnn.ascent import loop
from minicnn.ascent.lbfgs import LBFGS
from minicnn.files import torch_twin
from minicnn.progress import bar
from minicnn.vis import coarse_to_fine
from minicnn.vis.texture import TextureOptions, default_layers, texture_loss

OUT = Path(__file__).parent / "results" / "texture"


def main(arguments=None):
    """Run as a separate program; returns the exit status."""
    return program.main("texture", read, run, arguments)


def run(options):
    """Compare for every texture and seed, write OUT.json and OUT.md."""
    out = Path(options.out)
    images.check_destination(out.with_suffix(".md"), {".md": "markdown"})
    if torch_twin.version() is None:
        raise ValueError("PyTorch is missing; pip install torch")
    network = minicnn.load(options.weights)
    layers, wanted = default_layers(network), [(name, seed) for name in options.textures
                                               for seed in options.seeds]
    network = network.until(layers[-1]).with_average_pooling()
    rows = [compared(network, layers, *one, options) for one in bar(wanted, "textures")]
    result = {"about": machine.about() | {
        "network": Path(options.weights).name, "layers": layers, "size": options.size,
        "steps": options.steps, "torch": torch_twin.version()}, "rows": rows}
    for suffix, text in ((".json", json.dumps(result, indent=1)), (".md", markdown(result))):
        with images.atomic(out.with_suffix(suffix)) as temporary:
            temporary.write_text(text + "\n", encoding="utf-8")
    print(markdown(result))


def compared(network, layers, name, seed, options):
    """One row: the losses reached from one start."""
    photo = network.prepare(name, options.size)
    loss = texture_loss(network.forward(photo, to=layers, keep=(), caches=False), layers)
    start = coarse_to_fine.noise(network, photo.shape[1:3], seed)
    row = {"texture": Path(name).name, "seed": seed, "start": value(network, loss, start)}
    for which, descent in (("ours", ours), ("torch", torchs)):
        began = time.process_time()
        x, looks = descent(network, loss, layers, photo, start, options.steps)
        row[which] = {"loss": value(network, loss, x), "looks": looks,
                      "seconds": round(time.process_time() - began, 1)}
    return row


def value(network, loss, x):
    """Our loss of an image."""
    return float(loop.look(network, loss, x, backward=False)[0].total[0])


def ours(network, loss, layers, photo, start, steps):
    """(image, looks at it) of our own L-BFGS."""
    looks, memory = 0, TextureOptions().memory

    def look(*arguments):
        nonlocal looks
        looks += 1
        return loop.look(*arguments)
    optimizer = LBFGS(memory, TextureOptions().rate * network.grey_level)
    for step in loop.steps(network, -loss, start, optimizer, steps, look=look):
        x = step.image
    return x, looks


def torchs(network, loss, layers, photo, start, steps):
    """(image, looks at it) of torch.optim.LBFGS."""
    import torch

    arrays, looks, white = torch_twin.arrays(network), 0, 255 * network.grey_level

    def grams(x):
        for name, y in torch_twin.forward(network, x, arrays, False, layers[-1]):
            if name in layers:
                f = y.flatten(2)  # N,C,H,W -> N,C,M
                yield f @ f.transpose(1, 2) / f.shape[2]
    with torch.no_grad():
        targets = [(gram, (gram**2).sum()) for gram in grams(torch_twin.to_torch(photo))]
    x = (torch_twin.to_torch(start) / white).requires_grad_(True)
    optimizer = torch.optim.LBFGS([x], max_iter=steps, max_eval=25 * steps, tolerance_grad=0,
                                  tolerance_change=0, history_size=TextureOptions().memory,
                                  line_search_fn="strong_wolfe")

    def closure():
        nonlocal looks
        looks += 1
        optimizer.zero_grad()
        error = sum(((gram - target) ** 2).sum() / size
                    for gram, (target, size) in zip(grams(white * x), targets, strict=True))
        error.backward()
        return error
    optimizer.step(closure)
    return torch_twin.to_numpy(white * x), looks


# ---- the table

def markdown(result):
    """The result as text."""
    about, rows = result["about"], result["rows"]
    ratios = [row["ours"]["loss"] / row["torch"]["loss"] for row in rows]
    lines = [f"""# Textures: L-BFGS, ours and PyTorch's

Made by `minicnn bench texture`: the loss after {about["steps"]} steps from the same noise,
{about["network"]} at {", ".join(about["layers"])}, {about["size"]} pixels, {about["torch"]}.
Seconds are of the processor. {about["date"]}, {about["processor"]}.

The median of the ratios ours / PyTorch's is **{median(ratios):.3f}**.

| texture | seed | start | ours | PyTorch's | ratio | looks | seconds |
| --- | --- | --- | --- | --- | --- | --- | --- |"""]
    for row, ratio in zip(rows, ratios, strict=True):
        mine, other = row["ours"], row["torch"]
        lines.append(f"| {row['texture']} | {row['seed']} | {row['start']:.3g} | "
                     f"{mine['loss']:.4g} | {other['loss']:.4g} | {ratio:.3f} | {mine['looks']}, "
                     f"{other['looks']} | {mine['seconds']:.1f}, {other['seconds']:.1f} |")
    return "\n".join(lines)


def read(arguments=None, prog=None):
    """Parse the options."""
    parser = argparse.ArgumentParser(prog=prog, description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--textures", nargs="+", default=["pebbles.jpg"], metavar="PHOTO",
        help="(default: pebbles.jpg)")
    add("--weights", default="vgg16.h5", metavar="FILE", help="(default: vgg16.h5)")
    add("--size", type=int, default=128, metavar="N", help="side in pixels (default: 128)")
    add("--steps", type=int, default=100, metavar="N", help="steps of both (default: 100)")
    add("--seeds", nargs="+", type=int, default=[0, 1, 2], metavar="N", help="(default: 0 1 2)")
    add("--out", default=str(OUT),
        help="path of the results, without suffix (default: benchmarks/results/texture)")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
