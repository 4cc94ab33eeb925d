"""Architectures, as lists of named layers one can read; and `load`, which brings their weights.

Each function returns a Network without weights: `initialize` it, or `load` one with weights. An
architecture is which layers, in which order, under which names, and how photos are prepared.

How weights come to them:

===================================  ==============================================================
pretrained (`load`)                  by name or from a file
convert, which_network               another program's file: which network, which array where
foreign_names, foreign_arrays        what other programs call the layers; how arrays are turned
fetch                                an official file brought, proved, converted and kept
probe, replay                        whether a network computes what it should
figures, independent, plain          what a probe keeps of a layer; who computes it
===================================  ==============================================================

What does not belong here: weights (`weights/`), and how files are read (`minicnn.formats`).
"""

from minicnn.models.alexnet import alexnet_caffe, alexnet_torch, caffenet
from minicnn.models.inception import inception_v3
from minicnn.models.inception_v1 import googlenet, googlenet_torch
from minicnn.models.lecture import lecture_catsdogs, lecture_mnist, lecture_vgg16
from minicnn.models.lenet import lenet5
from minicnn.models.shipped import minivgg
from minicnn.models.squeezenet import squeezenet10, squeezenet11
from minicnn.models.vgg import vgg11, vgg13, vgg16, vgg19
from minicnn.models.zeiler_fergus import zfnet

__all__ = [
    "alexnet_caffe", "alexnet_torch", "caffenet", "googlenet", "googlenet_torch", "inception_v3",
    "lecture_catsdogs", "lecture_mnist", "lecture_vgg16", "lenet5", "minivgg",
    "squeezenet10", "squeezenet11", "vgg11", "vgg13", "vgg16", "vgg19", "zfnet",
]
