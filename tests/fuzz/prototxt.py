"""Fuzz the reader of .prototxt: python tests/fuzz/prototxt.py --count 20000 --seed 0"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # tests/

from fuzz import runner

from minicnn.foreign import prototxt

TEXT = """# a small network
name: "small"
layer { name: "data" type: "Input" top: "data" input_param { shape { dim: [1, 3, 9, 8] } } }
layer {
  name: "conv1" type: "Convolution" bottom: "data" top: "conv1"
  param { lr_mult: 1.0 } include { phase: TEST }
  convolution_param { num_output: 4 kernel_size: 3 pad: 1 weight_filler { type: 'xavier' } }
}
layer { name: "relu1" type: "ReLU" bottom: "conv1" top: "conv1" }
layer { name: "a" type: "Convolution" bottom: "conv1" top: "a"
        convolution_param < num_output: 2; kernel_size: 1 > }
layer { name: "b" type: "Pooling" bottom: "conv1" top: "b"
        pooling_param { pool: MAX kernel_size: 3 stride: 1 pad: 1 } }
layer { name: "join" type: "Concat" bottom: "a" bottom: "b" top: "join" }
layer { name: "norm" type: "LRN" bottom: "join" top: "norm" lrn_param { alpha: 1e-4 } }
layer { name: "fc" type: "InnerProduct" bottom: "norm" top: "fc"
        inner_product_param { num_output: 0x5 } }
layer { name: "prob" type: "Softmax" bottom: "fc" top: "prob" }
"""
OLD = """name: 'old' input: "data" input_dim: 1 input_dim: 1 input_dim: 8 input_dim: 8
layers { name: "c" type: CONVOLUTION bottom: "data" top: "c" blobs_lr: 1
         convolution_param { num_output: 4 kernel_size: 3 } }
layers { layer { name: "p" type: "pool" kernelsize: 2 stride: 2 } bottom: "c" top: "p" }
"""


def read(path):
    """Look whether it is one, then read it all the same."""
    prototxt.recognises(path)
    return prototxt.read(path)


def seeds(gadget):
    """Texts of every form; nothing in this format could run anything."""
    return [TEXT.encode(), OLD.split("layers { layer")[0].encode(), OLD.encode()]


if __name__ == "__main__":
    runner.main(read, seeds, __doc__)
