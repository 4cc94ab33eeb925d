"""Caffe's messages by field number, as far as they are read here (src/caffe/proto/caffe.proto).

NET is the whole of a .caffemodel, BLOB that of a .binaryproto. Caffe changed how it writes a layer
twice, and reads all three: LAYER is today's, V1 its forerunner with numbers for the types, V0 the
first, which lies inside an otherwise empty V1.

Settings that change nothing here, such as how weights were drawn before training, are IGNORED; a
setting that is not in these tables is one that the reader does not understand.
"""

from minicnn.foreign.protobuf import DOUBLES, FLOAT, FLOATS, IGNORED, INT, TEXT

SHAPE = {1: ("dim", INT)}
BLOB = {
    1: ("num", INT), 2: ("channels", INT), 3: ("height", INT), 4: ("width", INT),
    5: ("data", FLOATS), 6: ("diff", IGNORED), 7: ("shape", SHAPE),
    8: ("double_data", DOUBLES), 9: ("double_diff", IGNORED),
}

# ---- the settings of one kind of layer

CONVOLUTION = {
    1: ("num_output", INT), 2: ("bias_term", INT), 3: ("pad", INT), 4: ("kernel_size", INT),
    5: ("group", INT), 6: ("stride", INT), 7: ("weight_filler", IGNORED),
    8: ("bias_filler", IGNORED), 9: ("pad_h", INT), 10: ("pad_w", INT), 11: ("kernel_h", INT),
    12: ("kernel_w", INT), 13: ("stride_h", INT), 14: ("stride_w", INT), 15: ("engine", IGNORED),
    16: ("axis", INT), 17: ("force_nd_im2col", IGNORED), 18: ("dilation", INT),
}
POOLING = {
    1: ("pool", INT), 2: ("kernel_size", INT), 3: ("stride", INT), 4: ("pad", INT),
    5: ("kernel_h", INT), 6: ("kernel_w", INT), 7: ("stride_h", INT), 8: ("stride_w", INT),
    9: ("pad_h", INT), 10: ("pad_w", INT), 11: ("engine", IGNORED), 12: ("global_pooling", INT),
    13: ("round_mode", INT),
}
LRN = {
    1: ("local_size", INT), 2: ("alpha", FLOAT), 3: ("beta", FLOAT), 4: ("norm_region", INT),
    5: ("k", FLOAT), 6: ("engine", IGNORED),
}
INNER_PRODUCT = {
    1: ("num_output", INT), 2: ("bias_term", INT), 3: ("weight_filler", IGNORED),
    4: ("bias_filler", IGNORED), 5: ("axis", INT), 6: ("transpose", INT),
}
BATCH_NORM = {1: ("use_global_stats", IGNORED), 2: ("moving_average_fraction", FLOAT),
              3: ("eps", FLOAT)}
SCALE = {1: ("axis", INT), 2: ("num_axes", INT), 3: ("filler", IGNORED), 4: ("bias_term", INT),
         5: ("bias_filler", IGNORED)}
RELU = {1: ("negative_slope", FLOAT), 2: ("engine", IGNORED)}
SQUASHING = {1: ("engine", IGNORED)}  # of Sigmoid and of TanH
DROPOUT = {1: ("dropout_ratio", FLOAT), 2: ("scale_train", INT)}
SOFTMAX = {1: ("engine", IGNORED), 2: ("axis", INT)}
CONCAT = {1: ("concat_dim", INT), 2: ("axis", INT)}
FLATTEN = {1: ("axis", INT), 2: ("end_axis", INT)}

# ---- where the images come from, and how they were prepared

TRANSFORMATION = {
    1: ("scale", FLOAT), 2: ("mirror", IGNORED), 3: ("crop_size", INT), 4: ("mean_file", TEXT),
    5: ("mean_value", FLOAT), 6: ("force_color", INT), 7: ("force_gray", INT),
}
OLD_TRANSFORMATION = {2: ("scale", FLOAT), 3: ("mean_file", TEXT), 5: ("crop_size", INT)}
DATA = OLD_TRANSFORMATION
IMAGE_DATA = OLD_TRANSFORMATION | {9: ("new_height", INT), 10: ("new_width", INT),
                                   11: ("is_color", INT)}
MEMORY_DATA = {2: ("channels", INT), 3: ("height", INT), 4: ("width", INT)}
DUMMY_DATA = {2: ("num", INT), 3: ("channels", INT), 4: ("height", INT), 5: ("width", INT),
              6: ("shape", SHAPE)}
INPUT = {1: ("shape", SHAPE)}
RULE = {1: ("phase", INT), 2: ("min_level", INT), 3: ("max_level", INT), 4: ("stage", TEXT),
        5: ("not_stage", TEXT)}

# ---- a layer, in its three forms

LAYER = {
    1: ("name", TEXT), 2: ("type", TEXT), 3: ("bottom", TEXT), 4: ("top", TEXT),
    7: ("blobs", BLOB), 8: ("include", RULE), 9: ("exclude", RULE), 10: ("phase", INT),
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
V0 = {
    1: ("name", TEXT), 2: ("type", TEXT), 3: ("num_output", INT), 4: ("biasterm", INT),
    7: ("pad", INT), 8: ("kernelsize", INT), 9: ("group", INT), 10: ("stride", INT),
    11: ("pool", INT), 12: ("dropout_ratio", FLOAT), 13: ("local_size", INT),
    14: ("alpha", FLOAT), 15: ("beta", FLOAT), 17: ("scale", FLOAT), 18: ("meanfile", TEXT),
    20: ("cropsize", INT), 22: ("k", FLOAT), 50: ("blobs", BLOB), 65: ("concat_dim", INT),
}
V1 = {
    1: ("layer", V0), 2: ("bottom", TEXT), 3: ("top", TEXT), 4: ("name", TEXT), 5: ("type", INT),
    6: ("blobs", BLOB), 9: ("concat_param", CONCAT), 10: ("convolution_param", CONVOLUTION),
    11: ("data_param", DATA), 12: ("dropout_param", DROPOUT),
    15: ("image_data_param", IMAGE_DATA), 17: ("inner_product_param", INNER_PRODUCT),
    18: ("lrn_param", LRN), 19: ("pooling_param", POOLING),
    22: ("memory_data_param", MEMORY_DATA), 26: ("dummy_data_param", DUMMY_DATA),
    30: ("relu_param", RELU), 32: ("include", RULE), 33: ("exclude", RULE),
    36: ("transform_param", TRANSFORMATION), 37: ("tanh_param", SQUASHING),
    38: ("sigmoid_param", SQUASHING), 39: ("softmax_param", SOFTMAX),
}
V1_TYPES = {  # the numbers, and the words of V1's text form
    3: "CONCAT", 4: "CONVOLUTION", 5: "DATA", 6: "DROPOUT", 8: "FLATTEN", 9: "HDF5_DATA",
    12: "IMAGE_DATA", 1: "ACCURACY", 14: "INNER_PRODUCT", 15: "LRN", 17: "POOLING", 18: "RELU",
    19: "SIGMOID", 20: "SOFTMAX", 21: "SOFTMAX_LOSS", 22: "SPLIT", 23: "TANH", 24: "WINDOW_DATA",
    25: "ELTWISE", 26: "POWER", 29: "MEMORY_DATA", 30: "ARGMAX", 31: "THRESHOLD",
    32: "DUMMY_DATA", 33: "SLICE", 34: "MVN", 35: "ABSVAL", 36: "SILENCE", 38: "EXP",
    39: "DECONVOLUTION", 2: "BNLL", 7: "EUCLIDEAN_LOSS", 10: "HDF5_OUTPUT", 11: "IM2COL",
    13: "INFOGAIN_LOSS", 16: "MULTINOMIAL_LOGISTIC_LOSS", 27: "SIGMOID_CROSS_ENTROPY_LOSS",
    28: "HINGE_LOSS", 37: "CONTRASTIVE_LOSS",
}
NET = {1: ("name", TEXT), 2: ("layers", V1), 3: ("input", TEXT), 4: ("input_dim", INT),
       8: ("input_shape", SHAPE), 100: ("layer", LAYER)}
