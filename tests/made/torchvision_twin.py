"""torchvision's googlenet, inception_v3 and resnets, once more in PyTorch's functions.

With torchvision's names: a network run on any image draws its weights, and then has the state dict
that torchvision would save. (Source: torchvision/models/googlenet.py, inception.py and resnet.py.)
"""

import importlib

import numpy as np

GOOGLENET = {  # of each module: the columns of the paper's table 1
    "3a": (64, 96, 128, 16, 32, 32), "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64), "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64), "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128), "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128)}


class Twin:
    """A network of convolutions with batch norms.

    Attributes
    ----------
    state : dict of str to array
        The state dict; float32, drawn where a name is met for the first time.
    made : list of str
        The convolutions, in the order in which they were made.
    scale : bool
        Whether the batch norms have a gamma; Keras' have none.
    padding_counts : bool
        Whether average poolings count the zeros around the image, as PyTorch's do.
    """

    def __init__(self, run, classes, scale=True, padding_counts=True, seed=0,
                 side=75):
        self.torch = importlib.import_module("torch")
        self.run, self.classes, self.scale = run, classes, scale
        self.padding_counts, self.rng = padding_counts, np.random.default_rng(seed)
        self.state, self.made = {}, []
        with self.torch.inference_mode():
            self.scores(np.zeros((1, side, side, 3)))

    def scores(self, x):
        """Of images (N, H, W, C), an array or a tensor (N, C, H, W)."""
        if isinstance(x, np.ndarray):
            x = self.torch.tensor(x.transpose(0, 3, 1, 2).copy())
        y = self.run(self, x).mean((2, 3))
        w = self._drawn("fc.weight", (self.classes, y.shape[1]), y.shape[1] ** -0.5)
        return y @ w.T + self._drawn("fc.bias", (self.classes,), 0.3)

    def conv(self, x, name, filters, kernel, stride=1, pad=0):
        """A convolution, its batch norm and ReLU."""
        if f"{name}.conv.weight" not in self.state:
            self.made.append(name)
        return self.torch.relu(self.normed(x, f"{name}.conv", f"{name}.bn", filters, kernel,
                                           stride, pad, epsilon=0.001))

    def normed(self, x, name, norm, filters, kernel, stride=1, pad=0, groups=1, epsilon=1e-5):
        """A convolution and its batch norm."""
        F, c = self.torch.nn.functional, x.shape[1] // groups
        kh, kw = kernel if isinstance(kernel, tuple) else (kernel, kernel)
        y = F.conv2d(x, self._drawn(f"{name}.weight", (filters, c, kh, kw),
                                    (2 / (c * kh * kw)) ** 0.5), None, stride, pad, 1, groups)
        gamma = self._drawn(f"{norm}.weight", (filters,)) if self.scale else None
        beta = self._drawn(f"{norm}.bias", (filters,), 0.3)
        mean = self._drawn(f"{norm}.running_mean", (filters,), 0.3)
        variance = self._drawn(f"{norm}.running_var", (filters,))
        self.state[f"{norm}.num_batches_tracked"] = np.array(7)
        return F.batch_norm(y, mean, variance, gamma, beta, eps=epsilon)

    def average(self, x):
        return self.torch.nn.functional.avg_pool2d(x, 3, 1, 1,
                                                   count_include_pad=self.padding_counts)

    def max(self, x, window=3, stride=2, pad=0, ceil=False):
        return self.torch.nn.functional.max_pool2d(x, window, stride, pad, ceil_mode=ceil)

    def _drawn(self, name, shape, spread=None):
        """An array of the state dict, in float64; without a spread of 0.5 to 1.5."""
        if name not in self.state:
            self.state[name] = (self.rng.uniform(0.5, 1.5, shape).astype(np.float32)
                                if spread is None else np.float32(spread)
                                * self.rng.standard_normal(shape, np.float32))
        return self.torch.tensor(self.state[name], dtype=self.torch.float64)


def googlenet(t, x):
    """torchvision's: what the paper calls 5x5 is 3x3, and the fourth pooling is 2x2."""
    x = t.max(t.conv(x, "conv1", 64, 7, 2, 3), ceil=True)
    x = t.max(t.conv(t.conv(x, "conv2", 64, 1), "conv3", 192, 3, pad=1), ceil=True)
    for module, (one, three_reduce, three, five_reduce, five, pool) in GOOGLENET.items():
        name = f"inception{module}"
        x = t.torch.cat([
            t.conv(x, f"{name}.branch1", one, 1),
            t.conv(t.conv(x, f"{name}.branch2.0", three_reduce, 1), f"{name}.branch2.1", three, 3,
                   pad=1),
            t.conv(t.conv(x, f"{name}.branch3.0", five_reduce, 1), f"{name}.branch3.1", five, 3,
                   pad=1),
            t.conv(t.max(x, 3, 1, 1, ceil=True), f"{name}.branch4.1", pool, 1)], 1)
        if module in ("3b", "4e"):
            x = t.max(x, 3 if module == "3b" else 2, ceil=True)
    return x


def inception_v3(t, x):
    """torchvision's, with its names; Keras makes the same convolutions in this order."""
    for name, filters, kernel, stride, pad in [
            ("Conv2d_1a_3x3", 32, 3, 2, 0), ("Conv2d_2a_3x3", 32, 3, 1, 0),
            ("Conv2d_2b_3x3", 64, 3, 1, 1)]:
        x = t.conv(x, name, filters, kernel, stride, pad)
    x = t.conv(t.conv(t.max(x), "Conv2d_3b_1x1", 80, 1), "Conv2d_4a_3x3", 192, 3)
    x = t.max(x)
    one, three, five, row, column = (1, 1), (3, 3), (5, 5), (1, 7), (7, 1)

    def chain(x, name, first, steps, stride=1):
        """Convolutions called name + first, first + 1 ...; the last at a stride, without padding
        if that is 2."""
        for k, (filters, kernel) in enumerate(steps, first):
            last = stride > 1 and k == first + len(steps) - 1
            x = t.conv(x, f"{name}{k}", filters, kernel, stride if last else 1,
                       0 if last else (kernel[0] // 2, kernel[1] // 2))
        return x

    def joined(*parts):
        return t.torch.cat(parts, 1)

    for name, pool in (("Mixed_5b", 32), ("Mixed_5c", 64), ("Mixed_5d", 64)):
        x = joined(t.conv(x, f"{name}.branch1x1", 64, 1),
                   chain(x, f"{name}.branch5x5_", 1, [(48, one), (64, five)]),
                   chain(x, f"{name}.branch3x3dbl_", 1, [(64, one), (96, three), (96, three)]),
                   t.conv(t.average(x), f"{name}.branch_pool", pool, 1))
    x = joined(t.conv(x, "Mixed_6a.branch3x3", 384, 3, 2),
               chain(x, "Mixed_6a.branch3x3dbl_", 1, [(64, one), (96, three), (96, three)], 2),
               t.max(x))
    for name, n in (("Mixed_6b", 128), ("Mixed_6c", 160), ("Mixed_6d", 160), ("Mixed_6e", 192)):
        x = joined(t.conv(x, f"{name}.branch1x1", 192, 1),
                   chain(x, f"{name}.branch7x7_", 1, [(n, one), (n, row), (192, column)]),
                   chain(x, f"{name}.branch7x7dbl_", 1,
                         [(n, one), (n, column), (n, row), (n, column), (192, row)]),
                   t.conv(t.average(x), f"{name}.branch_pool", 192, 1))
    x = joined(chain(x, "Mixed_7a.branch3x3_", 1, [(192, one), (320, three)], 2),
               chain(x, "Mixed_7a.branch7x7x3_", 1,
                     [(192, one), (192, row), (192, column), (192, three)], 2), t.max(x))
    for name in ("Mixed_7b", "Mixed_7c"):
        parts = [t.conv(x, f"{name}.branch1x1", 320, 1)]
        for branch, steps in (("3x3", [(384, one)]), ("3x3dbl", [(448, one), (384, three)])):
            wide = chain(x, f"{name}.branch{branch}_", 1, steps)
            number = len(steps) + 1
            parts += [t.conv(wide, f"{name}.branch{branch}_{number}{letter}", 384, kernel,
                             pad=(kernel[0] // 2, kernel[1] // 2))
                      for letter, kernel in (("a", (1, 3)), ("b", (3, 1)))]
        x = joined(*parts, t.conv(t.average(x), f"{name}.branch_pool", 192, 1))
    return x


def resnet(depths, bottleneck, width=64, groups=1):
    """torchvision's ResNet of so many blocks a stage; `width` is that of the first 3x3."""
    def run(t, x):
        relu = t.torch.relu
        x = t.max(relu(t.normed(x, "conv1", "bn1", 64, 7, 2, 3)), 3, 2, 1)
        for stage, depth in enumerate(depths):
            for k in range(depth):
                name, inner = f"layer{stage + 1}.{k}", width << stage
                out, stride = (256 if bottleneck else 64) << stage, 2 if stage and not k else 1
                steps = ([(inner, 1, 1, 0, 1), (inner, 3, stride, 1, groups), (out, 1, 1, 0, 1)]
                         if bottleneck else [(out, 3, stride, 1, 1), (out, 3, 1, 1, 1)])
                y = x
                for n, (filters, kernel, step, pad, split) in enumerate(steps, 1):
                    y = t.normed(y, f"{name}.conv{n}", f"{name}.bn{n}", filters, kernel, step, pad,
                                 split)
                    y = relu(y) if n < len(steps) else y
                if x.shape != y.shape:
                    x = t.normed(x, f"{name}.downsample.0", f"{name}.downsample.1", out, 1, stride)
                x = relu(x + y)
        return x
    return run


RESNETS = {"resnet18": resnet((2, 2, 2, 2), False), "resnet50": resnet((3, 4, 6, 3), True),
           "resnext50_32x4d": resnet((3, 4, 6, 3), True, 128, 32)}


def check(network, twin, size, seed=1):
    """The scores and the slope at the image, in float64; 1e-9 is its 1e-16 through 100 layers."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((1, *size, 3))
    image = twin.torch.tensor(x.transpose(0, 3, 1, 2).copy()).requires_grad_()
    scores = twin.scores(image)
    slope = rng.standard_normal(scores.shape)
    scores.backward(twin.torch.tensor(slope))
    run = network.astype(np.float64).forward(x, to=network.logits, keep=[network.logits])
    dx = run.backward({network.logits: slope})
    expected, theirs = scores.detach().numpy(), image.grad.numpy().transpose(0, 2, 3, 1)
    assert np.abs(theirs).max() > 0
    assert np.abs(run[network.logits] - expected).max() < 1e-9 * np.abs(expected).max()
    assert np.abs(dx - theirs).max() < 1e-9 * np.abs(theirs).max()
