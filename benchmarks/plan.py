"""What to measure, and how often: the full plan and the quick plan for each device."""

from typing import NamedTuple

from minicnn import backend


class Plan(NamedTuple):
    """What to measure, and how often; see PLANS."""

    networks: tuple
    batches: tuple
    convolutions: tuple  # networks whose convolutions are measured individually
    ops: dict  # {network: layers of other kinds, and depthwise convolutions}
    training: tuple  # (network, batch)
    student: tuple  # (network, layer)
    sides: tuple  # image sides of the scaling curve; on a GPU those of the section gram
    counts: tuple  # batches of the scaling curve
    count_side: int  # the side of that curve's images
    rounds: int
    seconds: float  # per turn; each has at least one run
    pause: float  # seconds before each turn
    threads: int = backend.cores()
    ours: str = "ours"
    against: str = "torch"
    beside: tuple = ()  # further libraries that are compared with `against`
    beside_layers: tuple = ("plain",)  # the same, for single layers only
    avx2: bool = False
    device: str = "cpu"
    alone: tuple = ()  # batches for single layers, if not `batches`
    best_sides: tuple = ()  # sides of the matrices that measure a GPU's peak: product, copy


FULL = Plan(
    networks=("vgg16", "vgg16_convolutions", "alexnet_caffe", "googlenet", "squeezenet11",
              "resnet18", "mobilenet_v1", "minivgg"),
    batches=(1, 8),
    convolutions=("vgg16", "alexnet_caffe", "googlenet"),
    ops={"vgg16": ("relu1_1", "pool1", "relu3_1", "pool3", "relu5_1", "pool5", "fc6", "fc7"),
         "alexnet_caffe": ("relu1", "norm1", "pool1", "norm2", "pool2", "pool5", "fc6"),
         "googlenet": ("pool1/3x3_s2", "pool1/norm1", "conv2/norm2", "pool2/3x3_s2",
                       "inception_3a/pool", "inception_4a/pool", "pool5/7x7_s1"),
         "mobilenet_v1": ("conv2_1/dw", "conv2_2/dw", "conv3_1/dw", "conv4_1/dw", "conv5_1/dw",
                          "conv6/dw")},
    training=(("vgg16_pooled", 1), ("vgg16_pooled", 8), ("minivgg", 32), ("minivgg", 64),
              ("minivgg_bn", 64)),
    student=(("vgg16", "conv1_2"), ("vgg16", "conv3_2"), ("vgg16", "conv5_1"),
             ("alexnet_caffe", "conv1")),
    sides=(64, 128, 256, 512, 1024), counts=(1, 2, 4, 8, 16, 32, 64), count_side=224,
    rounds=7, seconds=0.1, pause=0.05)
QUICK = Plan(
    networks=("minivgg",), batches=(1,), convolutions=("minivgg",),
    ops={"minivgg": ("relu4_1", "pool4", "fc5")}, training=(("minivgg", 2),),
    student=(("minivgg", "conv4_1"),), sides=(32, 64), counts=(1, 2), count_side=32,
    rounds=1, seconds=0.0, pause=0.0)
FULL_GPU = FULL._replace(
    device="gpu", networks=("vgg16", "alexnet_caffe", "googlenet"), batches=(1, 8, 32, 128),
    alone=(1, 32), training=(("vgg16_pooled", 32), ("minivgg", 32), ("minivgg", 128)),
    sides=(512, 1024), best_sides=(8192, 16384), beside=("channels_last",), rounds=5, seconds=0.05,
    pause=0.0)
QUICK_GPU = QUICK._replace(device="gpu", sides=(32,), best_sides=(64, 64),
                           beside=("channels_last",))
PLANS = {("cpu", False): FULL, ("cpu", True): QUICK, ("gpu", False): FULL_GPU,
         ("gpu", True): QUICK_GPU}  # {(device, is quick): plan}
