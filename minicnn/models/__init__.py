"""Architectures, as lists of named layers one can read; and `load`, which brings their weights.

What belongs here: which layers, in which order, under which names, and how the network's photos
were prepared. What does not: weights (`weights/`), file formats (`minicnn.formats`).

Each function returns a Network without weights: `initialize` it, or `load` one with weights.
"""

from minicnn.models.alexnet import alexnet_caffe, alexnet_torch, caffenet
from minicnn.models.googlenet import googlenet, googlenet_torch
from minicnn.models.inception_v3 import inception_v3
from minicnn.models.lecture import lecture_catsdogs, lecture_mnist, lecture_vgg16
from minicnn.models.lenet import lenet5
from minicnn.models.minivgg import minivgg
from minicnn.models.pretrained import load
from minicnn.models.squeezenet import squeezenet10, squeezenet11
from minicnn.models.vgg import vgg11, vgg13, vgg16, vgg19
from minicnn.models.zfnet import zfnet

__all__ = [
    "alexnet_caffe", "alexnet_torch", "caffenet", "googlenet", "googlenet_torch", "inception_v3",
    "lecture_catsdogs", "lecture_mnist", "lecture_vgg16", "lenet5", "load", "minivgg",
    "squeezenet10", "squeezenet11", "vgg11", "vgg13", "vgg16", "vgg19", "zfnet",
]
