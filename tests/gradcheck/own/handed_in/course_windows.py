"""Helper of course_layers: all windows of a batch of images, and the way back."""

import numpy as np


def windows_of(x, height, width, stride):
    """x (N, C, H, W) -> (N, C, OH, OW, height, width), a copy."""
    N, C, H, W = x.shape
    rows, columns = (H - height) // stride + 1, (W - width) // stride + 1
    found = np.empty((N, C, rows, columns, height, width), x.dtype)
    for i in range(height):
        for j in range(width):
            found[..., i, j] = x[:, :, i:i + stride * rows:stride, j:j + stride * columns:stride]
    return found


def back_from_windows(windows, shape, stride):
    """The sum of all windows in their places in an array of `shape`."""
    rows, columns, height, width = windows.shape[2:]
    x = np.zeros(shape, windows.dtype)
    for i in range(height):
        for j in range(width):
            x[:, :, i:i + stride * rows:stride, j:j + stride * columns:stride] += windows[..., i, j]
    return x
