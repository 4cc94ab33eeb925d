"""A converted network does not need its file any more, though readers give views of the file.

Bytes of a mapped file that another program cuts off end the process that looks at them (SIGBUS), so
this is tried in one of its own.
"""

import subprocess
import sys

import caffe_files
import mat_files
import numpy as np
import pytest
import weight_bytes

from minicnn.foreign import caffe, caffe_schema, torch_file

PROGRAM = """
import os, sys
import numpy as np
from minicnn.foreign.convert import convert
path, mean = sys.argv[1], sys.argv[2] or None
network, table = convert(path, mean=mean, probe="none")
for file in sys.argv[1:2 + (mean is not None)]:
    os.truncate(file, 0)
output = network.forward(network.prepare(np.full((80, 90, 3), 128, np.uint8))).output
assert all(np.isfinite(value).all() for name in network.param_shapes
           for value in network.params[name].values())
print(output.shape, network.labels, table)
"""
RNG = np.random.default_rng(0)
VGG19 = {f"features.{number}.{part}": RNG.standard_normal(shape).astype(np.float32)
         for number, kernel in ((0, (64, 3, 3, 3)), (2, (64, 64, 3, 3)), (5, (128, 64, 3, 3)))
         for part, shape in (("weight", kernel), ("bias", kernel[:1]))}
FILES = {
    "vgg19.zip.pth": weight_bytes.torch_zip(VGG19), "vgg19.row.pth": weight_bytes.torch_row(VGG19),
    "vgg19.tar.pth": weight_bytes.torch_tar(VGG19),
    "vgg19.safetensors": weight_bytes.safetensors(VGG19, metadata={"format": "pt"}),
    "vgg19.npz": weight_bytes.npz(VGG19), "packed-vgg19.npz": weight_bytes.npz(VGG19, True),
    "net.caffemodel": caffe_files.encode(caffe_files.small()),
    "net.mat": mat_files.file(mat_files.small()),
}
MEAN = caffe_files.encode(caffe_files.blob(np.full((1, 3, 8, 8), 100.0)), caffe_schema.BLOB)


@pytest.fixture
def alone(tmp_path):
    """A file by its name in FILES, in a folder of its own, and "" or its mean's path."""
    def write(name):
        (tmp_path / name).write_bytes(FILES[name])
        (tmp_path / "mean").write_bytes(MEAN)
        return str(tmp_path / name), str(tmp_path / "mean") if "caffe" in name else ""
    return write


@pytest.mark.thorough
@pytest.mark.skipif(sys.platform == "win32", reason="a mapped file cannot be cut there")
@pytest.mark.parametrize("name", FILES)
def test_the_file_may_be_cut_off_once_it_is_converted(alone, name):
    ended = subprocess.run([sys.executable, "-c", PROGRAM, *alone(name)], capture_output=True,
                           text=True, check=False)
    assert ended.returncode == 0 and ended.stdout, ended.stderr


def test_a_mean_image_is_no_view_of_its_file(tmp_path):
    """A grey one lies there as here, so nothing else would copy it."""
    grey = caffe_files.encode(caffe_files.blob(np.full((1, 1, 4, 4), 100.0)), caffe_schema.BLOB)
    (tmp_path / "mean.binaryproto").write_bytes(grey)
    image, pixel = caffe.read_mean(tmp_path / "mean.binaryproto")
    assert image.shape == (4, 4, 1) and pixel == 100 and image.flags.writeable


def test_what_readers_give_are_views(tmp_path):
    """Which is why the above needs a test."""
    (tmp_path / "a.pth").write_bytes(FILES["vgg19.zip.pth"])
    arrays = torch_file.read(tmp_path / "a.pth").arrays
    assert len(arrays) == 6 and not any(array.flags.writeable for array in arrays.values())
