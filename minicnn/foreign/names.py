"""What other programs call the layers of the networks here.

Each `Source` is one network as one program stores it: their layer's name, ours, and how that
program prepares a photo. Where a program numbers its layers, the order of the numbers is the order
of the layers. Caffe and MatConvNet need no table: the names here are theirs.

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
        For people: which program's which network.
    model : str
        Of `minicnn.models`.
    names : dict of str to str
        Their layer: ours.
    preprocessing : Preprocessing
    settings : dict
        What else the model's function is to be told.
    ignored : tuple of str
        How names begin of layers there is no use for here.
    note : str
        What else to know, a sentence.
    """

    words: str
    model: str
    names: dict = field(repr=False)
    preprocessing: Preprocessing
    settings: dict = field(default_factory=dict)
    ignored: tuple = ()
    note: str = ""


# ---- torchvision: RGB in 0..1, minus a mean, over a standard deviation

DENSE = {"classifier.0": "fc6", "classifier.3": "fc7", "classifier.6": "fc8"}
DENSE_AFTER_DROPOUT = {"classifier.1": "fc6", "classifier.4": "fc7", "classifier.6": "fc8"}
FIRE = {"squeeze": "squeeze1x1", "expand1x1": "expand1x1", "expand3x3": "expand3x3"}
GOOGLENET_MODULES = "3a 3b 4a 4b 4c 4d 4e 5a 5b"
GOOGLENET_BRANCHES = "branch1 branch2.0 branch2.1 branch3.0 branch3.1 branch4.1"
INCEPTION_STEM = "Conv2d_1a_3x3 Conv2d_2a_3x3 Conv2d_2b_3x3 Conv2d_3b_1x1 Conv2d_4a_3x3"
INCEPTION_MODULES = {  # the modules of one kind; the convolutions of each
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
    """The places among a network's rows, and the names, of its convolutions."""
    return [(k, name) for k, (name, layer, _) in enumerate(getattr(models, model)().rows)
            if isinstance(layer, Conv)]


def _in_one_row(model, dense):
    """Convolutions, ReLUs and poolings are numbered as the rows are here."""
    return {f"features.{number}": name for number, name in _convolutions(model)} | dense


def _torch_squeezenet(model):
    """The same, with a fire module as one row."""
    blocks = dict.fromkeys(name.partition("/")[0] for name in getattr(models, model)().names)
    return {"features.0": "conv1", "classifier.1": "conv10"} | {
        f"features.{number}.{theirs}": f"{fire}/{ours}"
        for number, fire in enumerate(blocks) if fire.startswith("fire")
        for theirs, ours in FIRE.items()}


def _torch_googlenet():
    return _with_norms("googlenet_torch", ["conv1", "conv2", "conv3", *(
        f"inception{module}.{branch}"
        for module in GOOGLENET_MODULES.split() for branch in GOOGLENET_BRANCHES.split())])


def _torch_inception():
    return _with_norms("inception_v3", [*INCEPTION_STEM.split(), *(
        f"{module}.{branch}" for modules, branches in INCEPTION_MODULES.items()
        for module in modules.split() for branch in branches.split())])


def _with_norms(model, theirs):
    """Their convolutions, in the order of the rows here; each is a pair, of
    Mixed_5b.branch1x1.conv and Mixed_5b.branch1x1.bn."""
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
    """The `Source` of Keras' inception_v3 whose convolutions and batch norms are these, as a list.

    They have numbers only, conv2d_1 to conv2d_94, conv2d to conv2d_93, or later ones of a session,
    in the order in which the layers were made: that of the rows here.

    Parameters
    ----------
    names : sequence of str
        A file's layers.

    Returns
    -------
    list
        Empty where the file is of another network.
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


LETTERS = "abcdef"  # of the blocks of a stage, of the convolutions of a block


def _torch_resnet(depths, convolutions):
    """layer1.0.conv2 is res2a_branch2b, layer1.0.downsample.0 is res2a_branch1."""
    names = {"conv1": "conv1", "bn1": "bn_conv1"}
    for stage, depth in enumerate(depths, start=1):
        for k in range(depth):
            theirs, ours = f"layer{stage}.{k}", f"{stage + 1}{LETTERS[k]}_branch"
            if k == 0 and (stage > 1 or convolutions == 3):
                names |= {f"{theirs}.downsample.0": f"res{ours}1",
                          f"{theirs}.downsample.1": f"bn{ours}1"}
            for n in range(convolutions):
                names |= {f"{theirs}.conv{n + 1}": f"res{ours}2{LETTERS[n]}",
                          f"{theirs}.bn{n + 1}": f"bn{ours}2{LETTERS[n]}"}
    return names | {"fc": "fc1000"}


# ---- all of them

OXFORD = Preprocessing((224, 224), "BGR", MEAN_BGR)
KERAS_CAFFE = Preprocessing((224, 224), "BGR", MEAN_BGR, resize_to=None, rule="squash",
                            resample="bilinear")
TRANSFORMED = ("Photos are prepared as torchvision's own weights want them (transform_input=True); "
               "where yours were trained without, set network.preprocessing.")
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
    *[Source(f"torchvision's {model}", model, _torch_resnet(depths, convolutions), TORCHVISION)
      for model, depths, convolutions in [("resnet18", (2, 2, 2, 2), 2),
                                          ("resnet50", (3, 4, 6, 3), 3),
                                          ("resnext50_32x4d", (3, 4, 6, 3), 3)]],
    Source("torchvision's googlenet", "googlenet_torch", _torch_googlenet(), TORCH_GOOGLENET,
           ignored=("aux1.", "aux2."), note=TRANSFORMED),
    Source("torchvision's inception_v3", "inception_v3", _torch_inception(), TORCH_INCEPTION,
           {"border": "padding", "scale": True}, ("AuxLogits.",), TRANSFORMED),
    *[Source(f"Keras' {model}", model, _keras_vgg(model), KERAS_CAFFE)
      for model in ("vgg16", "vgg19")],
]
