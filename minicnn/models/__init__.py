"""Architectures, as rows one can read.

Each function returns a Network without weights: `initialize` it, or `minicnn.load` one with
weights. What belongs here: which layers, in which order, under which names, reading what, and how
photos are prepared. What does not: weights (`weights/`), our own files (`minicnn.files`), and other
programs' (`minicnn.foreign`).
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
