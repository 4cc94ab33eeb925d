"""The names that other programs give to the layers of minicnn's networks.

Each `Source` is one network as one program stores it: the program's layer names, minicnn's
names, and the program's preprocessing. If a program numbers its layers, the numbers follow their
order. Caffe and MatConvNet need no table, since minicnn uses their names.

Sources of the names: torchvision's models (alexnet.py, vgg.py, squeezenet.py, googlenet.py,
inception.py), Keras' applications (vgg16.py, vgg19.py, inception_v3.py), jcjohnson/pytorch-vgg.
"""

import re
from dataclasses import dataclass, field

from minicnn import models
from minicnn.images import Preprocessing
from minicnn.models.alexnet import TORCHVISION
from minicnn.models.inception_v1 import TORCH_GOOGLENET
from minicnn.models.vgg import MEAN_BGR
from minicnn.network.layers import BatchNorm, Conv


@dataclass(frozen=True)
class Source:
    """One network as one program stores it.

    Attributes
    ----------
    words : str
        For people: the program and the network.
    model : str
        The network's name in `minicnn.models`.
    names : dict of str to str
        {the program's layer: the layer here}.
    preprocessing : Preprocessing
    settings : dict
        Arguments for the model's function.
    ignored : tuple of str
        Prefixes of layers that minicnn does not need.
    note : str
        A remark for the user, one sentence.
    """

    words: str
    model: str
    names: dict = field(repr=False)
    preprocessing: Preprocessing
    settings: dict = field(default_factory=dict)
    ignored: tuple = ()
    note: str = ""


# ---- torchvision: RGB in 0..1, minus a mean, divided by a standard deviation

DENSE = {"classifier.0": "fc6", "classifier.3": "fc7", "classifier.6": "fc8"}
DENSE_AFTER_DROPOUT = {"classifier.1": "fc6", "classifier.4": "fc7", "classifier.6": "fc8"}
FIRE = {"squeeze": "squeeze1x1", "expand1x1": "expand1x1", "expand3x3": "expand3x3"}
LETTERS = "abcdef"  # for the blocks of a stage, and for the convolutions of a block
GOOGLENET = {  # {the modules of one kind: the convolutions of each}
    "": "conv1 conv2 conv3",
    "inception3a inception3b inception4a inception4b inception4c inception4d inception4e "
    "inception5a inception5b": "branch1 branch2.0 branch2.1 branch3.0 branch3.1 branch4.1",
}
INCEPTION = {
    "": "Conv2d_1a_3x3 Conv2d_2a_3x3 Conv2d_2b_3x3 Conv2d_3b_1x1 Conv2d_4a_3x3",
    "Mixed_5b Mixed_5c Mixed_5d":
        "branch1x1 branch5x5_1 branch5x5_2 branch3x3dbl_1 branch3x3dbl_2 branch3x3dbl_3 "
        "branch_pool",
    "Mixed_6a": "branch3x3 branch3x3dbl_1 branch3x3dbl_2 branch3x3dbl_3",
    "Mixed_6b Mixed_6c Mixed_6d Mixed_6e":
        "branch1x1 branch7x7_1 branch7x7_2 branch7x7_3 branch7x7dbl_1 branch7x7dbl_2 "
        "branch7x7dbl_3 branch7x7dbl_4 branch7x7dbl_5 branch_pool",
    "Mixed_7a":
        "branch3x3_1 branch3x3_2 branch7x7x3_1 branch7x7x3_2 branch7x7x3_3 branch7x7x3_4",
    "Mixed_7b Mixed_7c":
        "branch1x1 branch3x3_1 branch3x3_2a branch3x3_2b branch3x3dbl_1 branch3x3dbl_2 "
        "branch3x3dbl_3a branch3x3dbl_3b branch_pool",
}


def _convolutions(model):
    """(index of the row, name) of each convolution of a network."""
    return [(k, name) for k, (name, layer, _) in enumerate(getattr(models, model)().rows)
            if isinstance(layer, Conv)]


def _in_one_row(model, dense):
    """torchvision numbers convolutions, ReLUs and poolings like minicnn's rows."""
    return {f"features.{number}": name for number, name in _convolutions(model)} | dense


def _torch_squeezenet(model):
    """As `_in_one_row`, but a fire module counts as one row."""
    blocks = dict.fromkeys(name.partition("/")[0] for name in getattr(models, model)().names)
    return {"features.0": "conv1", "classifier.1": "conv10"} | {
        f"features.{number}.{theirs}": f"{fire}/{ours}"
        for number, fire in enumerate(blocks) if fire.startswith("fire")
        for theirs, ours in FIRE.items()}


def _torch_resnet(model):
    """layer1.0.conv2 is res2a_branch2b, layer1.0.downsample.0 is res2a_branch1."""
    names = {"conv1": "conv1", "bn1": "bn_conv1"}
    for _, name in _convolutions(model)[1:]:
        stage, block, branch, part = re.fullmatch(r"res(.)(.)_branch(.)(.?)", name).groups()
        number = LETTERS.index(part) + 1
        conv, norm = (f"conv{number}", f"bn{number}") if branch == "2" else (
            "downsample.0", "downsample.1")
        block = f"layer{int(stage) - 1}.{LETTERS.index(block)}"
        names |= {f"{block}.{conv}": name, f"{block}.{norm}": name.replace("res", "bn")}
    return names | {"fc": "fc1000"}


def _with_norms(model, modules):
    """{their layer: ours} for their convolutions, in the order of minicnn's rows; each is a pair
    such as Mixed_5b.branch1x1.conv and Mixed_5b.branch1x1.bn."""
    theirs = [f"{module}.{branch}".lstrip(".") for names, branches in modules.items()
              for module in names.split(" ") for branch in branches.split()]
    found = {}
    for name, (_, ours) in zip(theirs, _convolutions(model), strict=True):
        module, slash, last = ours.rpartition("/")
        found |= {f"{name}.conv": ours, f"{name}.bn": f"{module}{slash}bn_{last}"}
    return found | {"fc": "fc"}


# ---- Keras

KERAS_DENSE = {"fc1": "fc6", "fc2": "fc7", "predictions": "fc8"}


def _keras_vgg(model):
    return {name.replace("conv", "block").replace("_", "_conv"): name
            for _, name in _convolutions(model)} | KERAS_DENSE


def keras_inception(names):
    """A list with the `Source` of Keras' inception_v3 for a file's layer names.

    Keras only numbers the layers, conv2d_1 to conv2d_94, conv2d to conv2d_93, or higher later in a
    session, in the order of their creation, which is that of minicnn's rows.

    Parameters
    ----------
    names : sequence of str
        A file's layers.

    Returns
    -------
    list
        Empty if the file holds another network.
    """
    theirs = [sorted((int(match[1] or 0), name) for name in names
                     if (match := re.fullmatch(rf"{kind}(?:_(\d+))?", name)))
              for kind in ("conv2d", "batch_normalization")]
    network = models.inception_v3()
    ours = [[name for name, layer, _ in network.rows if isinstance(layer, kind)]
            for kind in (Conv, BatchNorm)]
    if [len(part) for part in theirs] != [len(part) for part in ours]:
        return []
    pairs = {name: mine for part, mines in zip(theirs, ours, strict=True)
             for (_, name), mine in zip(part, mines, strict=True)}
    return [Source("Keras' inception_v3", "inception_v3", pairs | {"predictions": "fc"},
                   network.preprocessing)]


# ---- all sources

OXFORD = Preprocessing((224, 224), "BGR", MEAN_BGR)
KERAS_CAFFE = Preprocessing((224, 224), "BGR", MEAN_BGR, resize_to=None, rule="squash",
                            resample="bilinear")
TRANSFORMED = ("Photos are prepared as for torchvision's own weights (transform_input=True); if "
               "yours were trained without it, set network.preprocessing.")
TORCH_INCEPTION = Preprocessing((299, 299), "RGB", 127.5, 1 / 127.5, 342, resample="bilinear")

SOURCES = [
    Source("torchvision's alexnet", "alexnet_torch",
           _in_one_row("alexnet_torch", DENSE_AFTER_DROPOUT), TORCHVISION),
    *[Source(f"torchvision's {model}", model, _in_one_row(model, DENSE), TORCHVISION)
      for model in ("vgg11", "vgg13", "vgg16", "vgg19")],
    *[Source(f"Oxford's {model}, from Caffe to PyTorch", model,
             _in_one_row(model, DENSE_AFTER_DROPOUT), OXFORD) for model in ("vgg16", "vgg19")],
    *[Source(f"torchvision's {model}", model, _torch_squeezenet(model), TORCHVISION)
      for model in ("squeezenet10", "squeezenet11")],
    *[Source(f"torchvision's {model}", model, _torch_resnet(model), TORCHVISION)
      for model in ("resnet18", "resnet50", "resnext50_32x4d")],
    Source("torchvision's googlenet", "googlenet_torch", _with_norms("googlenet_torch", GOOGLENET),
           TORCH_GOOGLENET, {}, ("aux1.", "aux2."), TRANSFORMED),
    Source("torchvision's inception_v3", "inception_v3", _with_norms("inception_v3", INCEPTION),
           TORCH_INCEPTION, {"border": "padding", "scale": True}, ("AuxLogits.",), TRANSFORMED),
    *[Source(f"Keras' {model}", model, _keras_vgg(model), KERAS_CAFFE)
      for model in ("vgg16", "vgg19")],
]
