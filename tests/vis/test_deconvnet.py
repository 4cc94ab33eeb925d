"""The deconvnet against the paper's steps done one by one with the scalar loops."""

import nets
import numpy as np
import pytest
import small

from minicnn import images, naive, vis
from minicnn.layers import Conv, ReLU
from minicnn.network import LayerNameError, Network
from minicnn.ops import lrn, relu
from minicnn.vis.deconvnet import region, seed_unit, strongest_position

NETWORK, PHOTO = small.network(), small.photo()
EXACT = small.network(dtype=np.float64)  # the same weights for the loops, which run in float64


# ---- from scratch: up with the loops, then down as in section 2.1

def filtered(name, dy, x):
    """The layer's kernels, transposed."""
    layer, params = EXACT[name], EXACT[name].params
    return naive.conv_backward(dy, x, params["w"], params["b"], layer.stride, layer.pad,
                               layer.groups)[0]


def unpooled(name, dy, x):
    layer = EXACT[name]
    switches = naive.pool_switches(x, layer.window, layer.stride, layer.pad, layer.rounding)
    return naive.pool_unpool(dy, switches, x.shape, layer.window, layer.stride, layer.pad)


def denormalised(name, dy, x, rule):
    settings = EXACT[name].settings()
    if rule == "gradient":
        return naive.lrn_backward(dy, x, **settings)
    if rule == "through":
        return dy
    scaled = np.zeros_like(dy)  # by the factor that each channel was multiplied with on the way up
    for n, h, w, c in np.ndindex(dy.shape):
        near = x[n, h, w, max(0, c - 1) : c + 2]
        scaled[n, h, w, c] = dy[n, h, w, c] * (1 + 0.9 / 3 * (near**2).sum()) ** -0.75
    return scaled


def rectified(dy):
    return np.maximum(dy, 0)


def down(run, layer, seed, rule):
    """`seed` at "fc", "relu2" or "mix/relu_3x3", down to the pixels."""
    empty = np.zeros((1, 8, 10, 3)), np.zeros((1, 8, 10, 4)), np.zeros((1, 8, 10, 2))
    one, three, project = empty
    if layer == "fc":
        seed = naive.dense_backward(seed, run["relu2"], **EXACT["fc"].params)[0]
        layer = "relu2"
    if layer == "relu2":
        mixed = filtered("conv2", rectified(seed), run["mix"])
        one, three, project = mixed[..., :3], mixed[..., 3:7], mixed[..., 7:]
    else:
        three = seed
    pooled = (filtered("mix/1x1", rectified(one), run["pool1"])
              + filtered("mix/3x3", rectified(three), run["pool1"])
              + unpooled("mix/pool", filtered("mix/project", rectified(project), run["mix/pool"]),
                         run["pool1"]))
    spread = denormalised("norm1", unpooled("pool1", pooled, run["norm1"]), run["relu1"], rule)
    return filtered("conv1", rectified(spread), run["image"])


@pytest.mark.parametrize("layer, channel, rule", [
    ("relu2", 1, "gradient"), ("relu2", 1, "through"), ("relu2", 1, "scale"),
    ("mix/relu_3x3", 2, "gradient"), ("fc", None, "gradient"), ("fc", None, "scale")])
def test_the_projection_is_the_paper_s_done_step_by_step(layer, channel, rule):
    run = EXACT.forward(NETWORK.prepare(PHOTO).astype(np.float64))
    channel = int(run["fc"].argmax()) if channel is None else channel
    record = vis.deconvnet(NETWORK, PHOTO, layer, channel, lrn=rule)
    seed = np.zeros_like(run[layer])
    unit = (0, *record.settings["position"], channel)
    seed[unit] = run[layer][unit]
    assert run[layer][unit] == run[layer][0, ..., channel].max() > 0  # the strongest, and active
    expected = down(run, layer, seed, rule)
    assert np.abs(expected).max() > 0
    # the library's pass is float32: 1e-7 a step, a dozen steps
    np.testing.assert_allclose(record.x, expected, rtol=0, atol=1e-5 * np.abs(expected).max())


# ---- the other rules, and what the walk leaves alone

@pytest.mark.parametrize("relu_rule", relu.RULES)
@pytest.mark.parametrize("lrn_rule", lrn.RULES)
def test_a_rule_is_that_of_run_backward(relu_rule, lrn_rule):
    record = vis.deconvnet(NETWORK, PHOTO, "relu2", 1, (1, 2), relu_rule, lrn_rule)
    run = NETWORK.forward(NETWORK.prepare(PHOTO), to="relu2")
    seed = np.zeros_like(run["relu2"])
    seed[0, 1, 2, 1] = run["relu2"][0, 1, 2, 1]
    np.testing.assert_array_equal(record.x, run.backward({"relu2": seed}, relu_rule, lrn_rule))


def test_the_gradient_rule_is_the_unit_times_its_slope():
    """A unit's activation times its derivative: central differences of half its square."""
    x = EXACT.prepare(PHOTO).astype(np.float64)

    def energy(x):
        return float(EXACT.forward(x, to="relu2").output[0, 1, 2, 1]) ** 2 / 2

    direction, h = nets.like(x), 1e-6
    slope = (energy(x + h * direction) - energy(x - h * direction)) / (2 * h)
    projection = vis.deconvnet(NETWORK, PHOTO, "relu2", 1, (1, 2), "gradient").x
    assert slope != 0
    assert float((projection * direction).sum()) == pytest.approx(slope, rel=1e-4)  # float32


def test_biases_play_no_part_on_the_way_down():
    """One convolution and a ReLU: the projection is the kernel, times the unit's activation."""
    network = nets.trained(Network("one", [("conv", Conv(2, 3)), ("relu", ReLU())], (7, 8, 3),
                                   NETWORK.preprocessing), dtype=np.float32)
    network["conv"].params["b"][:] = 100
    record = vis.deconvnet(network, PHOTO, "relu", 1, (2, 3), size="keep")
    value = network.forward(network.prepare(PHOTO, "keep")).output[0, 2, 3, 1]
    np.testing.assert_allclose(record.x[0, 2:5, 3:6], value * network["conv"].params["w"][..., 1],
                               rtol=1e-6)  # float32
    assert value > 50


def receptive_field(position):
    """Rows and columns of the image that a unit of relu2 can see, from the layers' settings."""
    spans = []
    for p, size in zip(position, (16, 20), strict=True):
        low, high = p, p  # conv2 3/2, then 3x3 around (a pooling too), pool1 3/2, conv1 pad 1
        for stride, pad, kernel in [(2, 0, 3), (1, 1, 3), (2, 0, 3), (1, 1, 3)]:
            low, high = low * stride - pad, high * stride - pad + kernel - 1
        spans.append(slice(max(low, 0), min(high, size - 1) + 1))
    return tuple(spans)


@pytest.mark.parametrize("position", [(0, 0), (1, 2), (2, 3)])
@pytest.mark.parametrize("rule", relu.RULES)
def test_only_pixels_in_the_receptive_field_are_not_zero(position, rule):
    run = NETWORK.forward(NETWORK.prepare(PHOTO), to="relu2")
    channel = int(run["relu2"][0][position].argmax())
    x = vis.deconvnet(NETWORK, PHOTO, "relu2", channel, position, rule).x[0]
    rows, columns = receptive_field(position)
    assert x[rows, columns].any()
    x[rows, columns] = 0
    assert not x.any()


# ---- what comes back

def test_the_record():
    record = vis.deconvnet(NETWORK, PHOTO, "relu2", 1)
    activation = NETWORK.forward(NETWORK.prepare(PHOTO))["relu2"]
    position = record.settings["position"]
    assert activation[0][position][1] == activation[..., 1].max()
    assert f"relu2 channel 1 at {position}" in record.caption and "rule deconvnet" in record.caption
    assert record.image.shape == (16, 20, 3) and record.image.dtype == np.uint8
    assert record.trace is None and not record.interrupted


def test_the_picture_is_red_first_with_zero_as_grey():
    """The network is BGR: the picture's planes are the projection's in reverse."""
    record = vis.deconvnet(NETWORK, PHOTO, "relu2", 1)
    flipped = record.x[0, ..., ::-1]
    assert (record.image[flipped == 0] == 128).all()
    assert (record.image[flipped > 0] >= 128).all() and (record.image[flipped < 0] <= 128).all()
    assert record.image.max() > 200 or record.image.min() < 56  # the strongest are near full


def test_a_photo_and_the_network_stay_as_they_were():
    photo, before = PHOTO.copy(), {k: v.copy() for k, v in nets.parameters(NETWORK).items()}
    vis.deconvnet(NETWORK, photo, "relu2", 1)
    np.testing.assert_array_equal(photo, PHOTO)
    for place, value in nets.parameters(NETWORK).items():
        np.testing.assert_array_equal(value, before[place])


def test_a_photo_file_gives_the_same_as_its_pixels(tmp_path):
    images.save(tmp_path / "p.png", PHOTO)
    records = [vis.deconvnet(NETWORK, p, "relu2", 1) for p in (PHOTO, tmp_path / "p.png")]
    np.testing.assert_array_equal(records[0].x, records[1].x)


# ---- helpers

def test_region_is_the_rectangle_of_what_is_not_faint():
    x = np.zeros((1, 6, 7, 3))
    assert region(x) == (0, 6, 0, 7)  # nothing there: the whole picture
    x[0, 2, 5, 1], x[0, 4, 3, 0], x[0, 5, 6, 2] = -0.1, 1, 1e-9
    assert region(x) == (2, 5, 3, 6)
    assert region(x, share=0) == (2, 6, 3, 7)
    assert region(x, share=0.5) == (4, 5, 3, 4)


def test_seed_unit_is_zero_but_for_the_unit_and_a_copy():
    a = np.abs(nets.images(1, (3, 4, 5)))
    seed, value = seed_unit(a, "layer", 2, (1, 3))
    assert value == a[0, 1, 3, 2] == seed[0, 1, 3, 2] and np.count_nonzero(seed) == 1
    assert not np.shares_memory(seed, a)


def test_strongest_position_of_several_is_the_first_and_dense_layers_have_none():
    a = np.zeros((1, 3, 4, 2))
    a[0, 1, 3, 1] = a[0, 2, 0, 1] = 5
    assert strongest_position(a, "layer", 1) == (1, 3)
    assert strongest_position(np.ones((1, 6)), "fc", 4) == ()


# ---- what is refused

@pytest.mark.parametrize("layer, channel, position, words", [
    ("relu3", 0, None, "small has no layer 'relu3'; near it: .*relu2"),
    ("relu2", 5, None, "relu2 has 5 channels, counted from 0; there is no 5"),
    ("relu2", -1, (0, 0), "relu2 has 5 channels, counted from 0; there is no -1"),
    ("relu2", 0, (3, 0), r"relu2 has 3x4 positions, counted from 0; there is no \(3, 0\)"),
    ("relu2", 0, (0, -1), r"relu2 has 3x4 positions, .* no \(0, -1\)"),
    ("relu2", 0, (1,), r"relu2 has 3x4 positions"),
    ("fc", 0, (0, 0), r"fc has no positions")])
def test_a_unit_that_is_not_there(layer, channel, position, words):
    with pytest.raises(ValueError, match=words):
        vis.deconvnet(NETWORK, PHOTO, layer, channel, position)


def test_a_wrong_layer_is_a_layer_name_error():
    with pytest.raises(LayerNameError):
        vis.deconvnet(NETWORK, PHOTO, "nowhere", 0)


def test_a_silent_unit_is_named():
    network = small.network()
    network["conv2"].params["b"][3] = -1e3
    with pytest.raises(ValueError, match="channel 3 of relu2 is silent there .*; choose another"):
        vis.deconvnet(network, PHOTO, "relu2", 3)


@pytest.mark.parametrize("rules", [{"relu": "leaky"}, {"lrn": "skip"}])
def test_an_unknown_rule_is_named(rules):
    with pytest.raises(ValueError, match="must be one of gradient, .* got '(leaky|skip)'"):
        vis.deconvnet(NETWORK, PHOTO, "relu2", 1, **rules)


@pytest.mark.parametrize("layer", ["relu2", "mix", "fc"])
def test_the_most_active_channel_is_taken_where_none_is_given(layer):
    activation = NETWORK.forward(NETWORK.prepare(PHOTO), to=layer).output[0]
    channel = int(activation.reshape(-1, activation.shape[-1]).max(axis=0).argmax())
    record = vis.deconvnet(NETWORK, PHOTO, layer)
    assert record.settings["channel"] == channel
    np.testing.assert_array_equal(record.x, vis.deconvnet(NETWORK, PHOTO, layer, channel).x)
