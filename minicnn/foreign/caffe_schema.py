"""Caffe's messages by field number, as far as minicnn reads them (src/caffe/proto/caffe.proto).

A .caffemodel is one NET, a .binaryproto one BLOB. Caffe has changed the form of a layer twice and
reads all three forms: LAYER is the current one; V1, before it, has numbers for the types; V0, the
first, is stored inside an otherwise empty V1.

Settings that do not matter here, such as the initialisation before training, are IGNORED. The
reader does not understand a setting that is not in these tables.
"""

from minicnn.foreign.protobuf import DOUBLES, FLOAT, FLOATS, IGNORED, INT, TEXT


def _all(kind, **numbers):
    """The fields of one kind: {number: (name, kind)}."""
    return {number: (name, kind) for name, number in numbers.items()}


SHAPE = _all(INT, dim=1)
BLOB = _all(INT, num=1, channels=2, height=3, width=4) | _all(FLOATS, data=5) | _all(
    DOUBLES, double_data=8) | _all(SHAPE, shape=7) | _all(IGNORED, diff=6, double_diff=9)

# ---- the settings of one kind of layer

CONVOLUTION = _all(
    INT, num_output=1, bias_term=2, pad=3, kernel_size=4, group=5, stride=6, pad_h=9, pad_w=10,
    kernel_h=11, kernel_w=12, stride_h=13, stride_w=14, axis=16, dilation=18) | _all(
    IGNORED, weight_filler=7, bias_filler=8, engine=15, force_nd_im2col=17)
POOLING = _all(
    INT, pool=1, kernel_size=2, stride=3, pad=4, kernel_h=5, kernel_w=6, stride_h=7, stride_w=8,
    pad_h=9, pad_w=10, global_pooling=12, round_mode=13) | _all(IGNORED, engine=11)
LRN = _all(INT, local_size=1, norm_region=4) | _all(FLOAT, alpha=2, beta=3, k=5) | _all(
    IGNORED, engine=6)
INNER_PRODUCT = _all(INT, num_output=1, bias_term=2, axis=5, transpose=6) | _all(
    IGNORED, weight_filler=3, bias_filler=4)
BATCH_NORM = _all(FLOAT, moving_average_fraction=2, eps=3) | _all(IGNORED, use_global_stats=1)
SCALE = _all(INT, axis=1, num_axes=2, bias_term=4) | _all(IGNORED, filler=3, bias_filler=5)
RELU = _all(FLOAT, negative_slope=1) | _all(IGNORED, engine=2)
SQUASHING = _all(IGNORED, engine=1)  # for Sigmoid and TanH
DROPOUT = _all(FLOAT, dropout_ratio=1) | _all(INT, scale_train=2)
SOFTMAX = _all(INT, axis=2) | _all(IGNORED, engine=1)
CONCAT = _all(INT, concat_dim=1, axis=2)
FLATTEN = _all(INT, axis=1, end_axis=2)

# ---- the source of the images, and their preprocessing

TRANSFORMATION = _all(FLOAT, scale=1, mean_value=5) | _all(TEXT, mean_file=4) | _all(
    INT, crop_size=3, force_color=6, force_gray=7) | _all(IGNORED, mirror=2)
DATA = _all(FLOAT, scale=2) | _all(TEXT, mean_file=3) | _all(INT, crop_size=5)
IMAGE_DATA = DATA | _all(INT, new_height=9, new_width=10, is_color=11)
MEMORY_DATA = _all(INT, channels=2, height=3, width=4)
DUMMY_DATA = _all(INT, num=2, channels=3, height=4, width=5) | _all(SHAPE, shape=6)
INPUT = _all(SHAPE, shape=1)
RULE = _all(INT, phase=1, min_level=2, max_level=3) | _all(TEXT, stage=4, not_stage=5)

# ---- the three forms of a layer

LAYER = _all(TEXT, name=1, type=2, bottom=3, top=4) | _all(INT, phase=10) | _all(
    RULE, include=8, exclude=9) | {
    7: ("blobs", BLOB),
    100: ("transform_param", TRANSFORMATION), 104: ("concat_param", CONCAT),
    106: ("convolution_param", CONVOLUTION), 107: ("data_param", DATA),
    108: ("dropout_param", DROPOUT), 109: ("dummy_data_param", DUMMY_DATA),
    115: ("image_data_param", IMAGE_DATA), 117: ("inner_product_param", INNER_PRODUCT),
    118: ("lrn_param", LRN), 119: ("memory_data_param", MEMORY_DATA),
    121: ("pooling_param", POOLING), 123: ("relu_param", RELU),
    124: ("sigmoid_param", SQUASHING), 125: ("softmax_param", SOFTMAX),
    127: ("tanh_param", SQUASHING), 135: ("flatten_param", FLATTEN),
    139: ("batch_norm_param", BATCH_NORM), 142: ("scale_param", SCALE),
    143: ("input_param", INPUT),
}
V0 = _all(TEXT, name=1, type=2, meanfile=18) | _all(
    INT, num_output=3, biasterm=4, pad=7, kernelsize=8, group=9, stride=10, pool=11, local_size=13,
    cropsize=20, concat_dim=65) | _all(
    FLOAT, dropout_ratio=12, alpha=14, beta=15, scale=17, k=22) | _all(BLOB, blobs=50)
V1 = _all(TEXT, bottom=2, top=3, name=4) | _all(INT, type=5) | _all(
    RULE, include=32, exclude=33) | {
    1: ("layer", V0), 6: ("blobs", BLOB),
    9: ("concat_param", CONCAT), 10: ("convolution_param", CONVOLUTION),
    11: ("data_param", DATA), 12: ("dropout_param", DROPOUT),
    15: ("image_data_param", IMAGE_DATA), 17: ("inner_product_param", INNER_PRODUCT),
    18: ("lrn_param", LRN), 19: ("pooling_param", POOLING),
    22: ("memory_data_param", MEMORY_DATA), 26: ("dummy_data_param", DUMMY_DATA),
    30: ("relu_param", RELU), 36: ("transform_param", TRANSFORMATION),
    37: ("tanh_param", SQUASHING), 38: ("sigmoid_param", SQUASHING),
    39: ("softmax_param", SOFTMAX),
}
V1_WORDS = """
    NONE ACCURACY BNLL CONCAT CONVOLUTION DATA DROPOUT EUCLIDEAN_LOSS FLATTEN HDF5_DATA HDF5_OUTPUT
    IM2COL IMAGE_DATA INFOGAIN_LOSS INNER_PRODUCT LRN MULTINOMIAL_LOGISTIC_LOSS POOLING RELU SIGMOID
    SOFTMAX SOFTMAX_LOSS SPLIT TANH WINDOW_DATA ELTWISE POWER SIGMOID_CROSS_ENTROPY_LOSS HINGE_LOSS
    MEMORY_DATA ARGMAX THRESHOLD DUMMY_DATA SLICE MVN ABSVAL SILENCE CONTRASTIVE_LOSS EXP
    DECONVOLUTION"""
V1_TYPES = dict(enumerate(V1_WORDS.split()))  # {number: the word in V1's text form}
NET = _all(TEXT, name=1, input=3) | _all(INT, input_dim=4) | _all(SHAPE, input_shape=8) | _all(
    V1, layers=2) | _all(LAYER, layer=100)
