"""Files that other programs wrote, cut at every hundredth of their length: one clear line each."""

import shutil

import pytest

from minicnn.files.errors import WeightsError
from minicnn.foreign import caffe
from minicnn.foreign.convert import convert

FILES = ["cifar10_mean.binaryproto", "cifar10_quick.caffemodel", "lenet_mnist.caffemodel",
         "keras_vgg19norm_to_conv3_1.h5", "torch_vgg19norm_to_conv3_1.pth",
         "tiny-vgg-tfjs/model.json", "tiny-vgg-tfjs/group1-shard1of1.bin"]


@pytest.mark.parametrize("name", FILES)
def test_a_real_file_cut_anywhere_is_refused(name, shared_data, tmp_path):
    source = shared_data / "weights" / "foreign" / name
    for path in source.parent.glob("*") if "tfjs" in name else ():
        shutil.copyfile(path, tmp_path / path.name)
    shortened = tmp_path / source.name
    whole = source.read_bytes()
    opened = tmp_path / "model.json" if "tfjs" in name else shortened
    for percent in range(100):
        shortened.unlink(missing_ok=True)  # a new file: the old one may be mapped still
        shortened.write_bytes(whole[:len(whole) * percent // 100])
        with pytest.raises(WeightsError) as error:
            caffe.read_mean(opened) if "mean" in name else convert(opened, model="vgg19")
        assert str(error.value).startswith(f"{opened}: ") and "\n" not in str(error.value)
        assert len(str(error.value)) < 1000
