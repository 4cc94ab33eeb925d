"""Layers as students hand them in, as the text of a file: right ones, wrong ones, and worse."""

RELU = '''
import numpy as np

def relu_forward(x):
    return np.maximum(x, 0), x

def relu_backward(dout, x):
    return dout * (x > 0)
'''
WRONG_RELU = RELU.replace("dout * (x > 0)", "2 * dout * (x > 0)")
GREEDY_TANH = '''
import numpy as np

class Tanh:
    def forward(self, x):
        self.y = np.tanh(x)
        return self.y

    def backward(self, dout):
        dout *= 1 - self.y**2
        return dout
'''
CONV = '''
import numpy as np

def conv_forward_naive(x, w, b, conv_param):
    s, p = conv_param["stride"], conv_param["pad"]
    N, C, H, W = x.shape
    F, _, KH, KW = w.shape
    padded = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
    OH, OW = (H + 2 * p - KH) // s + 1, (W + 2 * p - KW) // s + 1
    out = np.zeros((N, F, OH, OW), x.dtype)
    for i in range(OH):
        for j in range(OW):
            window = padded[:, :, i * s:i * s + KH, j * s:j * s + KW]
            out[:, :, i, j] = np.tensordot(window, w, axes=([1, 2, 3], [1, 2, 3])) + b
    return out, (x, w, b, conv_param)

def conv_backward_naive(dout, cache):
    x, w, b, conv_param = cache
    s, p = conv_param["stride"], conv_param["pad"]
    N, C, H, W = x.shape
    F, _, KH, KW = w.shape
    padded = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
    dpadded, dw = np.zeros_like(padded), np.zeros_like(w)
    for i in range(dout.shape[2]):
        for j in range(dout.shape[3]):
            window = padded[:, :, i * s:i * s + KH, j * s:j * s + KW]
            dw += np.tensordot(dout[:, :, i, j], window, axes=(0, 0))
            dpadded[:, :, i * s:i * s + KH, j * s:j * s + KW] += np.tensordot(
                dout[:, :, i, j], w, axes=(1, 0))
    return dpadded[:, :, p:p + H, p:p + W], dw, dout.sum(axis=(0, 2, 3))
'''
CROPPED_CONV = CONV.replace("dpadded[:, :, p:p + H, p:p + W]", "dpadded[:, :, :H, :W]")
OWN = '''
import numpy as np

def swish_forward(x):
    gate = (1 + np.tanh(x / 2)) / 2
    return x * gate, (x, gate)

def swish_backward(dout, cache):
    x, gate = cache
    return dout * gate * (1 + x * (1 - gate))
'''
WRONG_OWN = OWN.replace("return dout * gate", "return 1.01 * dout * gate")
ENDS = '''
import os

class Sigmoid:
    calls = 0

    def forward(self, x):
        self.y = 1 / (1 + np.exp(-x))
        return self.y

    def backward(self, dout):
        Sigmoid.calls += 1
        if x_large(self.y):
            os._exit(0)
        return dout * self.y * (1 - self.y)

def x_large(y):
    return y.size > 30
'''
HANGS = ENDS.replace("os._exit(0)", "while True: pass")
CHATTER = '''
print("relu     right     right\\x1b[2J" * 100)
'''
