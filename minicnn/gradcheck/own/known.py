"""The ops that are known by name: their arrays and settings, and other names for these.

`OPS` are the ops that have a page, a plain implementation in `minicnn.ops`; `MORE` are ops of
courses that have none. `ALIASES` are other names for settings, `ARRAYS` for arrays, `SIZES` for the
sizes from which a class makes its own weights; a pair of names stands for height and width.
"""

from typing import NamedTuple


class Known(NamedTuple):
    """An op's arrays and settings, and the lower-case beginnings of names that mean the op."""

    arrays: tuple
    settings: tuple
    called: tuple


WINDOWS = ("window", "stride", "pad", "rounding")
NORM = ("x", "gamma", "beta")
CONV = ("x", "w", "b"), ("stride", "pad", "groups", "dilation")
STATISTICS = ("mean", "variance")
OPS = {
    "conv": Known(*CONV, ("conv",)),
    "conv_transpose": Known(CONV[0], (*CONV[1], "size"), (
        "conv_transpose", "conv2d_transpose", "transposed_conv", "transpose_conv", "deconv")),
    "dense": Known(("x", "w", "b"), (), ("dense", "affine", "linear", "fully_connected", "fc")),
    "pool": Known(("x",), WINDOWS, ("max_pool", "maxpool", "pool")),
    "average_pool": Known(("x",), (*WINDOWS, "border"), (
        "average_pool", "averagepool", "avg_pool", "avgpool", "mean_pool", "meanpool")),
    "global_average_pool": Known(("x",), (), ("global_average_pool", "global_avg_pool")),
    "relu": Known(("x",), (), ("relu",)),
    "lrn": Known(("x",), ("size", "alpha", "beta", "k", "convention"), ("lrn", "local_response")),
    "batch_norm": Known((*NORM, *STATISTICS), ("epsilon", "training"), (
        "batch_norm", "batchnorm", "spatial_batchnorm", "spatial_batch_norm")),
    "dropout": Known(("x",), ("rate", "seed"), ("dropout",)),
    "softmax": Known(("x",), (), ("softmax",)),
    "sigmoid": Known(("x",), (), ("sigmoid",)),
    "tanh": Known(("x",), (), ("tanh",)),
    "cross_entropy": Known(("x", "labels"), (), (
        "cross_entropy", "softmax_loss", "softmax_with_loss", "softmax_cross_entropy",
        "softmax_with_cross_entropy")),
    "resize": Known(("x",), ("size",), ("resize", "upsample_bilinear", "bilinear")),
    "concat": Known(("parts",), ("axis",), ("concat",)),
    "add": Known(("parts",), (), ("add",)),
}
BLOCK = ("x", "w", "b", *NORM[1:], *STATISTICS), ("epsilon", "training")
POOLED = ("window", "pool_stride")  # the pooling of a block; `stride` is its convolution's
MORE = {
    "layer_norm": Known(NORM, ("epsilon",), ("layer_norm", "layernorm")),
    "group_norm": Known(NORM, ("groups", "epsilon"), (
        "group_norm", "groupnorm", "spatial_groupnorm", "spatial_group_norm")),
    "svm_loss": Known(("x", "labels"), (), ("svm_loss", "svm", "hinge_loss", "multiclass_svm")),
    "affine_relu": Known(("x", "w", "b"), (), ("affine_relu", "linear_relu", "dense_relu")),
    "affine_bn_relu": Known(*BLOCK, ("affine_bn_relu", "affine_batchnorm_relu", "linear_bn_relu")),
    "conv_relu": Known(("x", "w", "b"), ("stride", "pad"), ("conv_relu",)),
    "conv_bn_relu": Known(BLOCK[0], ("stride", "pad", *BLOCK[1]), (
        "conv_bn_relu", "conv_batchnorm_relu")),
    "conv_relu_pool": Known(("x", "w", "b"), ("stride", "pad", *POOLED), ("conv_relu_pool",)),
}
BEYOND = {"batch_norm": ("momentum",), "affine_bn_relu": ("momentum",),  # settings of no page
          "conv_bn_relu": ("momentum",), "dropout": ("training",)}
LOSSES = ("cross_entropy", "svm_loss")
FLAT = ("dense", "affine_relu", "affine_bn_relu")  # x is flattened to (N, D)
PARTS = ("concat", "add")  # their inputs are one list
DEFAULTS = {"stride": 1, "pad": 0, "epsilon": 1e-5, "training": False, "rate": 0.5, "seed": 0,
            "groups": 1, "dilation": 1, "pool_stride": None, "axis": -1}

HEIGHT_WIDTH = (("pool_height", "pool_width"), ("pool_h", "pool_w"), ("kernel_h", "kernel_w"),
                ("filter_h", "filter_w"), ("kh", "kw"), ("ph", "pw"))
ALIASES = {
    "stride": ("stride", "strides", "s"),
    "pad": ("pad", "padding"),
    "groups": ("groups", "group", "G", "num_groups", "n_groups"),
    "dilation": ("dilation", "dilations"),
    "window": ("window", *HEIGHT_WIDTH, "pool_size", "kernel_size", "size", "filter_size", "kernel",
               "ksize", "window_size", "k"),
    "pool_stride": ("pool_stride",),
    "rounding": ("rounding", "ceil_mode"),
    "border": ("border", "count_include_pad"),
    "size": ("size", "n", "local_size", "output_size", "out_size", "new_size", ("out_h", "out_w")),
    "epsilon": ("epsilon", "eps"),
    "training": ("training", "train", "train_flg", "is_training", "train_flag", "mode"),
    "momentum": ("momentum",),
    "rate": ("rate", "drop", "ratio", "dropout_ratio", "drop_prob", "drop_rate", "dropout_rate",
             "p_drop", "keep_prob", "keep", "keep_p", "p_keep", "prob", "p"),
    "seed": ("seed", "random_state"),
    "axis": ("axis", "dim"),
}
KEEPS = ("keep_prob", "keep", "keep_p", "p_keep")  # these names mean the share that is kept
ARRAYS = {
    "w": ("w", "W", "weight", "weights", "kernel", "kernels", "filters"),
    "b": ("b", "bias", "biases"),
    "gamma": ("gamma", "scale", "weight", "weights"),
    "beta": ("beta", "shift", "bias", "biases"),
    "mean": ("mean", "running_mean", "moving_mean"),
    "variance": ("variance", "var", "running_var", "running_variance", "moving_variance",
                 "moving_var"),
    "labels": ("labels", "label", "y", "t", "target", "targets", "y_true", "teacher",
               "one_hot", "onehot", "y_onehot", "t_onehot", "targets_onehot", "labels_onehot",
               "y_one_hot", "targets_one_hot", "labels_one_hot", "target_onehot"),
    "parts": ("parts", "xs", "inputs", "arrays"),
}
SIZES = {
    "in": ("in_channels", "in_features", "input_channels", "in_ch", "in_c", "in_dim", "in_size",
           "input_dim", "input_size", "n_in", "n_inputs", "num_inputs", "in_planes", "fan_in",
           "nin", "D_in", "C_in", "c_in"),
    "out": ("out_channels", "out_features", "output_channels", "out_ch", "out_c", "out_dim",
            "out_size", "output_dim", "output_size", "n_out", "n_outputs", "num_outputs",
            "out_planes", "fan_out", "nout", "num_filters", "n_filters", "units", "D_out", "C_out",
            "c_out"),
    "kernel": ("kernel_size", "filter_size", "kernel", "ksize", "k", "field", *HEIGHT_WIDTH),
    "features": ("num_features", "num_channels", "n_features", "n_channels", "normalized_shape",
                 "features", "channels", "dim", "size"),
}
DICTS = ("param", "params", "hparameters", "hyperparameters", "hyper_parameters")  # how dicts end
FAMILIES = {  # the keys of a course's dicts of settings, by the beginning of the parameter's name
    "conv": {"stride": "stride", "pad": "pad"},
    "pool": {"window": ("pool_height", "pool_width"), "stride": "stride"},
    "bn": {"training": "mode", "epsilon": "eps", "momentum": "momentum", "mean": "running_mean",
           "variance": "running_var"},
    "ln": {"epsilon": "eps"},
    "gn": {"epsilon": "eps"},
    "dropout": {"training": "mode", "rate": "p", "seed": "seed"},
    "lrn": {name: name for name in ("size", "alpha", "beta", "k")},
}
FAMILY = {"conv": "conv", "pool": "pool", "average_pool": "pool", "lrn": "lrn", "batch_norm": "bn",
          "layer_norm": "ln", "group_norm": "gn", "dropout": "dropout", "conv_relu": "conv"}

WINDOW_KEYS = ("f", "pool_size", "kernel_size", "window", "size", "k")  # else height and width

ENDINGS = ("", "1d", "2d", "layer", "2dlayer", "ing", "ing2d", "olution", "olution2d",
           "olutionlayer", "ization", "alization", "enate")


def known(op):
    """The Known of an op that has a page or is usual in courses; None for any other."""
    return OPS.get(op) or MORE.get(op)


def op_of(name, exactly=False):
    """The op that a name means, by the longest beginning that is known; None if none is.

    A function's name must be the known one exactly, up to "2d", "layer" and the like; a class's
    may go on: Convolution, MaxPool2D.
    """
    plain = name.lower().replace("_", "").removeprefix("my").removeprefix("custom")
    found, longest = None, 0
    for op, about in (OPS | MORE).items():
        for called in about.called:
            begins = called.replace("_", "")
            if plain.startswith(begins) and len(begins) > longest and (
                    not exactly or plain[len(begins):] in ENDINGS):
                found, longest = op, len(begins)
    return found
