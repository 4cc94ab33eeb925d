"""GoogLeNet: the paper's table 1."""

import nets
import numpy as np
import pytest
import torchvision_twin

from minicnn import models
from minicnn.foreign.convert import convert
from minicnn.network import Network

OUTPUTS = {  # name: side, channels
    "conv1/7x7_s2": (112, 64), "pool1/3x3_s2": (56, 64), "conv2/3x3": (56, 192),
    "pool2/3x3_s2": (28, 192), "inception_3a/output": (28, 256), "inception_3b/output": (28, 480),
    "pool3/3x3_s2": (14, 480), "inception_4a/output": (14, 512), "inception_4b/output": (14, 512),
    "inception_4c/output": (14, 512), "inception_4d/output": (14, 528),
    "inception_4e/output": (14, 832), "pool4/3x3_s2": (7, 832), "inception_5a/output": (7, 832),
    "inception_5b/output": (7, 1024), "pool5/7x7_s1": (1, 1024)}


def test_count_is_the_published_one():
    assert models.googlenet().count() == 6_998_552


@pytest.mark.parametrize("name", OUTPUTS)
def test_output_sizes(name):
    side, channels = OUTPUTS[name]
    assert models.googlenet().shapes[name] == (side, side, channels)


def test_inception_3a_is_the_table_s_row():
    shapes = models.googlenet().param_shapes
    assert {name.removeprefix("inception_3a/"): shapes[name]["w"] for name in shapes
            if name.startswith("inception_3a")} == {
        "1x1": (1, 1, 192, 64), "3x3_reduce": (1, 1, 192, 96), "3x3": (3, 3, 96, 128),
        "5x5_reduce": (1, 1, 192, 16), "5x5": (5, 5, 16, 32), "pool_proj": (1, 1, 192, 32)}


def test_paths_are_concatenated_in_the_order_of_the_table():
    module = [row._replace(inputs=[place.replace("pool2/3x3_s2", "image") for place in row.inputs])
              for row in models.googlenet().rows if row.name.startswith("inception_3a/")]
    assert sum(row.inputs == ["image"] for row in module) == 4
    network = nets.trained(Network("module", module, (5, 5, 192)), dtype=np.float32)
    run = network.forward(nets.images(1, (5, 5, 192), dtype=np.float32))
    parts = [run[f"inception_3a/relu_{kind}"] for kind in ("1x1", "3x3", "5x5", "pool_proj")]
    np.testing.assert_array_equal(run.output, np.concatenate(parts, axis=-1))


def test_logits_come_before_the_softmax_and_there_are_nine_modules():
    network = models.googlenet()
    assert network.logits == "loss3/classifier" and network.shapes["loss3/classifier"] == (1000,)
    assert sum(name.endswith("/output") for name in network.names) == 9


def test_photos_are_prepared_as_the_authors_did():
    p = models.googlenet().preprocessing
    assert (p.size, p.order, p.rule, p.resize_to) == ((224, 224), "BGR", "crop", 256)
    assert tuple(p.mean) == (104, 117, 123) and set(p.scale) == {1.0}


# ---- torchvision's

def test_torchvision_s_count_is_the_published_one():
    """6,624,904, without the statistics of the batch norms."""
    network = models.googlenet_torch()
    assert network.count() == 6_624_904 + 14_560
    assert "Trainable params: 6,624,904" in network.summary()


@pytest.mark.parametrize("name", sorted(set(OUTPUTS) - {"pool4/3x3_s2", "pool5/7x7_s1"}))
def test_torchvision_s_has_the_sizes_of_the_paper_s(name):
    side, channels = OUTPUTS[name]
    assert models.googlenet_torch().shapes[name] == (side, side, channels)


def test_torchvision_s_converted_computes_what_it_does_there(tmp_path):
    """From its state dict, with the auxiliary classifiers that its published file has too."""
    torch = pytest.importorskip("torch")
    twin = torchvision_twin.Twin(torchvision_twin.googlenet, 1000)
    aux = {f"aux{k}.{name}": np.zeros(shape, np.float32) for k, width in ((1, 512), (2, 528))
           for name, shape in (("conv.conv.weight", (128, width, 1, 1)), ("fc1.bias", (1024,)))}
    torch.save({name: torch.tensor(array) for name, array in (twin.state | aux).items()},
               tmp_path / "net.pth")
    network, table = convert(tmp_path / "net.pth")
    assert network.name == "googlenet_torch" and network.count() == 6_639_464
    for words in ("names are those of torchvision's googlenet.",
                  "aux2.fc1 is used only in training", "(transform_input=True)"):
        assert any(words in note for note in table.notes)
    torchvision_twin.check(network, twin, (90, 107))  # where rounding up and down differ


def test_torchvision_s_photos_lie_between_minus_1_and_1():
    """Normalised as for its other networks, then turned round by its `transform_input`."""
    mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    pixel = np.array([10, 100, 250])
    x = (pixel / 255 - mean) / std * (std / 0.5) + (mean - 0.5) / 0.5
    ours = models.googlenet_torch().prepare(np.full((256, 256, 3), pixel, np.uint8))
    np.testing.assert_allclose(ours[0, 7, 9], x, rtol=1e-5)  # float32
    assert ours.shape == (1, 224, 224, 3)
