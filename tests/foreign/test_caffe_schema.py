"""The tables are consistent, and the numbers that files depend on most are as Caffe has them."""

import pytest

from minicnn.foreign import caffe_schema as schema
from minicnn.foreign.protobuf import DOUBLES, FLOAT, FLOATS, IGNORED, INT, TEXT

MESSAGES = {name: value for name, value in vars(schema).items()
            if isinstance(value, dict) and name.isupper() and name != "V1_TYPES"}


@pytest.mark.parametrize("name", MESSAGES)
def test_a_message_names_each_field_once(name):
    names = [field for field, _ in MESSAGES[name].values()]
    assert len(names) == len(set(names)) and min(MESSAGES[name]) > 0
    for _, kind in MESSAGES[name].values():
        assert isinstance(kind, dict) or kind in (INT, TEXT, FLOAT, FLOATS, DOUBLES, IGNORED)


def test_messages_do_not_hold_themselves():
    """A schema's depth is how deep a file can make the reader go."""
    def depth(message, above=()):
        assert id(message) not in above
        below = [depth(kind, (*above, id(message))) for _, kind in message.values()
                 if isinstance(kind, dict)]
        return 1 + max(below, default=0)
    assert depth(schema.NET) == 5  # a network, V1's layer, V0's, a blob, its shape


@pytest.mark.parametrize("message, numbers", [
    (schema.NET, {"name": 1, "layers": 2, "input": 3, "input_dim": 4, "input_shape": 8,
                  "layer": 100}),
    (schema.LAYER, {"name": 1, "type": 2, "bottom": 3, "top": 4, "blobs": 7}),
    (schema.V1, {"layer": 1, "bottom": 2, "top": 3, "name": 4, "type": 5, "blobs": 6,
                 "convolution_param": 10, "inner_product_param": 17, "lrn_param": 18,
                 "pooling_param": 19, "relu_param": 30}),
    (schema.V0, {"name": 1, "type": 2, "blobs": 50}),
    (schema.BLOB, {"num": 1, "channels": 2, "height": 3, "width": 4, "data": 5, "diff": 6,
                   "shape": 7, "double_data": 8}),
    (schema.CONVOLUTION, {"num_output": 1, "bias_term": 2, "pad": 3, "kernel_size": 4, "group": 5,
                          "stride": 6, "pad_h": 9, "pad_w": 10, "kernel_h": 11, "kernel_w": 12,
                          "stride_h": 13, "stride_w": 14, "dilation": 18}),
    (schema.POOLING, {"pool": 1, "kernel_size": 2, "stride": 3, "pad": 4, "global_pooling": 12,
                      "round_mode": 13}),
    (schema.LRN, {"local_size": 1, "alpha": 2, "beta": 3, "norm_region": 4, "k": 5}),
    (schema.INNER_PRODUCT, {"num_output": 1, "bias_term": 2, "axis": 5, "transpose": 6}),
])
def test_field_numbers(message, numbers):
    found = {name: number for number, (name, _) in message.items()}
    assert {name: found.get(name) for name in numbers} == numbers


def test_the_numbers_of_v1s_types():
    words = {"CONVOLUTION": 4, "DROPOUT": 6, "INNER_PRODUCT": 14, "LRN": 15, "POOLING": 17,
             "RELU": 18, "SOFTMAX": 20, "DATA": 5, "CONCAT": 3}
    assert {word: number for number, word in schema.V1_TYPES.items() if word in words} == words
