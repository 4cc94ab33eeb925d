"""Caffe's settings become ours, with Caffe's conventions; what has no counterpart is refused."""

import pytest

from minicnn.foreign.caffe_layers import build
from minicnn.foreign.settings import Misfit
from minicnn.network.layers import (
    LRN,
    AveragePool,
    BatchNorm,
    Conv,
    Dense,
    Dropout,
    Flatten,
    GlobalAveragePool,
    MaxPool,
    ReLU,
    Sigmoid,
    Softmax,
    Tanh,
)


def built(kind, param=None, shape=None, **settings):
    layer = {"type": [kind]}
    if param:
        layer[param] = [{key: value if isinstance(value, list) else [value]
                         for key, value in settings.items()}]
    return build(layer, "x", shape)


def conv(**settings):
    return built("Convolution", "convolution_param", num_output=8, **settings)


def pool(shape=None, **settings):
    return built("Pooling", "pooling_param", shape, **settings)


def same(layer, expected):
    assert type(layer) is type(expected) and layer.settings() == expected.settings()


def test_convolutions():
    same(conv(kernel_size=3), Conv(8, 3))
    same(conv(kernel_size=5, pad=2, stride=4, group=2, bias_term=0),
         Conv(8, 5, stride=4, pad=2, groups=2, bias=False))
    same(conv(kernel_size=3, dilation=2, bias_term="false"), Conv(8, 3, dilation=2, bias=False))


def test_sizes_are_height_then_width():
    same(conv(kernel_h=1, kernel_w=7, pad_h=0, pad_w=3, stride_h=2, stride_w=1),
         Conv(8, (1, 7), stride=(2, 1), pad=(0, 3)))
    same(conv(kernel_size=[1, 7], pad=[0, 3], stride=[2, 1]),
         Conv(8, (1, 7), stride=(2, 1), pad=(0, 3)))
    same(conv(kernel_h=3, kernel_w=3, pad_w=1), Conv(8, 3, pad=(0, 1)))


def test_poolings_round_up_unless_told():
    same(pool(kernel_size=3, stride=2), MaxPool(3, 2, rounding="ceil"))
    same(pool(kernel_size=2), MaxPool(2, 1, rounding="ceil"))  # Caffe's step is 1 by default
    same(pool(pool=1, kernel_size=3, stride=2, pad=1), AveragePool(3, 2, pad=1, rounding="ceil"))
    same(pool(pool="AVE", kernel_size=7), AveragePool(7, 1, rounding="ceil"))
    same(pool(kernel_size=3, round_mode="FLOOR"), MaxPool(3, 1))
    same(pool(kernel_size=3, round_mode=1), MaxPool(3, 1))


def test_global_poolings():
    same(pool(pool="AVE", global_pooling="true"), GlobalAveragePool())
    same(pool((6, 6, 4), global_pooling=1), MaxPool(6))
    same(pool((6, 5, 4), global_pooling=1), MaxPool((6, 5)))
    with pytest.raises(Misfit, match="'x' .Pooling.: a maximum over the whole map needs the map's"):
        pool(global_pooling=1)


def test_lrn_has_caffes_defaults_and_its_alpha():
    same(built("LRN"), LRN(5, alpha=1.0, beta=0.75, k=1.0, convention="caffe"))
    same(built("LRN", "lrn_param", local_size=3, alpha=1e-4, beta=0.5, k=2),
         LRN(3, alpha=1e-4, beta=0.5, k=2.0, convention="caffe"))


def test_the_other_layers():
    same(built("InnerProduct", "inner_product_param", num_output=10), Dense(10))
    same(built("InnerProduct", "inner_product_param", num_output=10, bias_term=0),
         Dense(10, bias=False))
    same(built("BatchNorm"), BatchNorm(epsilon=1e-5, momentum=0.999))
    same(built("BatchNorm", "batch_norm_param", eps=1e-3, moving_average_fraction=0.9),
         BatchNorm(epsilon=1e-3, momentum=0.9))
    same(built("Dropout", "dropout_param", dropout_ratio=0.4), Dropout(0.4))
    for kind, expected in [("ReLU", ReLU()), ("Dropout", Dropout(0.5)), ("Softmax", Softmax()),
                           ("SoftmaxWithLoss", Softmax()), ("Flatten", Flatten()),
                           ("Sigmoid", Sigmoid()), ("TanH", Tanh())]:
        same(built(kind), expected)


@pytest.mark.parametrize("kind, param, settings, message", [
    ("Eltwise", None, {}, "is of Caffe's type 'Eltwise'; the known types are Convolution"),
    ("Convolution", None, {}, "num_output: expected a whole number from 1 to 1,000,000, got none"),
    ("Convolution", "convolution_param", {"num_output": 8}, "kernel_size: .*, got none"),
    ("Convolution", "convolution_param", {"num_output": 0, "kernel_size": 3}, "num_output.*got 0"),
    ("Convolution", "convolution_param", {"num_output": 8, "kernel_size": [1, 2, 3]},
     r"kernel_size: expected one or two whole numbers, got \[1, 2, 3\]"),
    ("Convolution", "convolution_param", {"num_output": [8, 9], "kernel_size": 3},
     "num_output is given 2 times"),
    ("Convolution", "convolution_param", {"num_output": 8, "kernel_size": 3, "stride": 0},
     "stride: .*from 1 to .*, got 0"),
    ("Convolution", "convolution_param", {"num_output": 8, "kernel_size": 3, "axis": 2},
     "axis 2 is not supported"),
    ("Convolution", "convolution_param", {"num_output": 8, "kernel_size": 3, "field 19": None},
     "convolution_param has the unknown setting 'field 19'"),
    ("Convolution", "convolution_param", {"num_output": 2**40, "kernel_size": 3}, "num_output"),
    ("Pooling", "pooling_param", {"pool": 2, "kernel_size": 3}, "stochastic pooling"),
    ("Pooling", "pooling_param", {"pool": "MEDIAN"}, "pool: expected one of MAX, AVE, STOCH"),
    ("Pooling", "pooling_param", {"pool": 7}, "pool: expected one of .*, got 7"),
    ("LRN", "lrn_param", {"norm_region": "WITHIN_CHANNEL"}, "norm_region WITHIN_CHANNEL is not"),
    ("LRN", "lrn_param", {"norm_region": 1}, "norm_region WITHIN_CHANNEL is not"),
    ("LRN", "lrn_param", {"local_size": 4}, "local_size: expected an odd number, got 4"),
    ("LRN", "lrn_param", {"alpha": float("nan")},
     "alpha: expected a number between -1e30 and 1e30, got nan"),
    ("LRN", "lrn_param", {"alpha": "MAX"},
     "alpha: expected a number between -1e30 and 1e30, got 'MAX'"),
    ("InnerProduct", "inner_product_param", {"num_output": 8, "axis": 2}, "axis 2 is not"),
    ("InnerProduct", "inner_product_param", {"num_output": 8, "bias_term": "maybe"},
     "bias_term: expected true or false, got 'maybe'"),
    ("ReLU", "relu_param", {"negative_slope": 0.1}, "negative_slope 0.1 is not supported"),
    ("Dropout", "dropout_param", {"scale_train": 0}, "scale_train false is not supported"),
    ("Softmax", "softmax_param", {"axis": 2}, "axis 2 is not"),
    ("Flatten", "flatten_param", {"axis": 2}, "axis 2 is not"),
    ("Flatten", "flatten_param", {"end_axis": 2}, "end_axis 2 is not"),
    ("TanH", "tanh_param", {"steep": 1}, "tanh_param has the unknown setting 'steep'"),
])
def test_what_has_no_counterpart_is_refused_by_name(kind, param, settings, message):
    with pytest.raises(Misfit, match=f"layer 'x' .*{message}"):
        built(kind, param, **settings)
