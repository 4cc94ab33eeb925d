"""A network of ours as PyTorch modules with the same weights, to hang hooks on.

PyTorch is imported when a function runs, so that this file can be read where it is not installed.
"""

import importlib

import numpy as np


def twin(network):
    """The network as a torch.nn.Module, up to its class scores, and its modules by layer name.

    Takes and gives (N, C, H, W), as PyTorch does; in the dtype of the weights.
    """
    torch = importlib.import_module("torch")
    modules = {}
    scores = network.names.index(network.logits)
    tops = [(name, layer) for name, layer in network.layers
            if network.names.index(name) <= scores]
    return _sequence(torch, network, tops, modules), modules


def to_torch(x):
    """(N, H, W, C) as a tensor (N, C, H, W)."""
    return importlib.import_module("torch").tensor(np.ascontiguousarray(x.transpose(0, 3, 1, 2)))


def to_numpy(tensor):
    """A tensor (N, C, H, W) as an array (N, H, W, C)."""
    return tensor.detach().numpy().transpose(0, 2, 3, 1)


def activation_and_slope(network, x, layer, index):
    """The output of a layer and the slope of a class's score there, caught by a hook: (a, g), and
    the slope at the image; all (1, H, W, C)."""
    module, modules = twin(network)
    caught = []

    def hook(module, inputs, output):
        output.retain_grad()
        caught.append(output)

    modules[layer].register_forward_hook(hook)
    image = to_torch(x).requires_grad_()
    module(image).flatten(1)[0, index].backward()
    return to_numpy(caught[0]), to_numpy(caught[0].grad), to_numpy(image.grad)


def _sequence(torch, network, layers, modules):
    found = []
    for name, layer in layers:
        found.append(MAKERS[type(layer).__name__](torch, network, name, layer, modules))
        modules[name] = found[-1]
    return torch.nn.Sequential(*found)


def _function(torch, function):
    class Function(torch.nn.Module):
        def forward(self, x):
            return function(x)

    return Function()


def _params(torch, network, name):
    return {key: torch.tensor(value) for key, value in network.params[name].items()}


def _conv(torch, network, name, layer, modules):
    p = _params(torch, network, name)
    w = p["w"].permute(3, 2, 0, 1).contiguous()  # KH,KW,C/G,O -> O,C/G,KH,KW
    return _function(torch, lambda x: torch.nn.functional.conv2d(
        x, w, p.get("b"), layer.stride, layer.pad, layer.dilation, layer.groups))


def _dense(torch, network, name, layer, modules):
    p = _params(torch, network, name)

    def run(x):
        rows = x.permute(0, 2, 3, 1) if x.ndim == 4 else x  # N,C,H,W -> N,H,W,C
        return torch.nn.functional.linear(rows.flatten(1), p["w"].T, p.get("b"))

    return _function(torch, run)


def _pool(torch, network, name, layer, modules):
    kind = {"MaxPool": torch.nn.MaxPool2d, "AveragePool": torch.nn.AvgPool2d}
    return kind[type(layer).__name__](layer.window, layer.stride, layer.pad,
                                      ceil_mode=layer.rounding == "ceil")


def _branches(torch, network, name, layer, modules):
    branches = [_sequence(torch, network, branch, modules) for branch in layer.branches]
    return _function(torch, lambda x: torch.cat([branch(x) for branch in branches], dim=1))


MAKERS = {
    "Conv": _conv, "Dense": _dense, "MaxPool": _pool, "AveragePool": _pool, "Branches": _branches,
    "ReLU": lambda torch, *_: torch.nn.ReLU(),
    "LRN": lambda torch, network, name, layer, _: torch.nn.LocalResponseNorm(
        layer.size, layer.alpha, layer.beta, layer.k),
    "Dropout": lambda torch, *_: torch.nn.Identity(),
    "GlobalAveragePool": lambda torch, *_: _function(torch, lambda x: x.mean(dim=(2, 3))),
}
