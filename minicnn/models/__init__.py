"""Architectures, written as readable rows of named layers.

Each function returns a Network without weights: `initialize` it, or use `minicnn.load` for one with
trained weights. An architecture defines the layers, their names and inputs, and the preprocessing.

Belongs here: one family of networks per file. Does not belong here: weights (`weights/`), minicnn's
own files (`minicnn.files`), and the conversion of other programs' files (`minicnn.foreign`).
"""

from minicnn.models.alexnet import alexnet_caffe, alexnet_torch, caffenet
from minicnn.models.inception import inception_v3
from minicnn.models.inception_v1 import googlenet, googlenet_torch
from minicnn.models.lecture import lecture_catsdogs, lecture_mnist, lecture_vgg16
from minicnn.models.lenet import lenet5
from minicnn.models.mobilenet import mobilenet_v1
from minicnn.models.resnet import resnet18, resnet50, resnext50_32x4d
from minicnn.models.shipped import minialex, minivgg
from minicnn.models.squeezenet import squeezenet10, squeezenet11
from minicnn.models.vgg import vgg11, vgg13, vgg16, vgg19
from minicnn.models.zeiler_fergus import zfnet
from minicnn.rooms import offered

__all__ = [
    "alexnet_caffe", "alexnet_torch", "caffenet", "googlenet", "googlenet_torch", "inception_v3",
    "lecture_catsdogs", "lecture_mnist", "lecture_vgg16", "lenet5", "minialex", "minivgg",
    "mobilenet_v1", "resnet18", "resnet50", "resnext50_32x4d", "squeezenet10", "squeezenet11",
    "vgg11", "vgg13", "vgg16", "vgg19", "zfnet",
]
__getattr__, __dir__ = offered(__name__)
