"""Keras' HDF5 files of every version: the arrays, their names, the architecture, and damage."""

import json

import h5py
import keras_files
import numpy as np
import pytest
from keras_files import conv, dense, functional, grouped, layer, normal, sequential

from minicnn.files.errors import WeightsError
from minicnn.foreign import keras_hdf5
from minicnn.images import Preprocessing
from minicnn.models import vgg16

MODEL = sequential(conv("c1", 4, padding="same"), layer("BatchNormalization", "b1", scale=False),
                   layer("ReLU", "r1"), layer("MaxPooling2D", "p1", pool_size=[2, 2]),
                   layer("Flatten", "f"), dense("d", 5, activation="softmax"))
ORDER = ["c1/kernel", "c1/bias", "b1/beta", "b1/moving_mean", "b1/moving_variance", "d/kernel",
         "d/bias"]


def arrays():
    return keras_files.drawn(MODEL)


def vgg_like(names):
    """Two of VGG's layers under the names of a version."""
    values = iter([normal(3, 3, 3, 4, seed=1), normal(4, seed=2), normal(8, 5, seed=3),
                   normal(5, seed=4)])
    layers = {"block1_conv1": names, "block1_pool": [], "fc1": names}
    return {group: {name.format(group): next(values) for name in given}
            for group, given in layers.items()}


VERSIONS = {  # names of a kernel and of a bias
    "1": ["{}_W_1:0", "{}_b_1:0"], "2": ["{0}/kernel:0", "{0}/bias:0"],
    "2, second model": ["{0}_1/kernel:0", "{0}_1/bias:0"], "3": ["{0}/kernel", "{0}/bias"],
    "3.0": ["kernel", "bias"]}


# ---- weights alone

@pytest.mark.parametrize("version", VERSIONS)
def test_weights_under_the_names_of_every_version(tmp_path, version):
    layers = vgg_like(VERSIONS[version])
    path = keras_files.weights_file(tmp_path / "w.h5", layers, version=version[0])
    found = keras_hdf5.read(path)
    assert list(found.arrays) == ["block1_conv1/kernel", "block1_conv1/bias", "fc1/kernel",
                                  "fc1/bias"]
    originals = [array for group in layers.values() for array in group.values()]
    for array, original in zip(found.arrays.values(), originals, strict=True):
        np.testing.assert_array_equal(array, original, strict=True)
    assert (found.format, found.layout, found.layers) == ("Keras HDF5 (weights)", "HWIO", None)
    assert found.says == {"model": "", "backend": "tensorflow", "keras_version": version[0]}


def test_a_file_that_names_no_version_is_of_version_1(tmp_path):
    path = keras_files.weights_file(tmp_path / "w.h5", vgg_like(VERSIONS["1"]), version="")
    assert keras_hdf5.read(path).says == {"model": "", "backend": "", "keras_version": "1"}


def test_the_order_is_that_of_the_layers_not_of_the_alphabet(tmp_path):
    layers = {f"conv2d_{k}": {f"conv2d_{k}/kernel:0": normal(1, 1, 2, 2)} for k in (10, 9, 2, 11)}
    found = keras_hdf5.read(keras_files.weights_file(tmp_path / "w.h5", layers))
    assert list(found.arrays) == [f"{name}/kernel" for name in layers]


def test_attributes_in_parts(tmp_path):
    """Keras splits a list of names above 64 KB; two thousand long names are 200 KB."""
    layers = {f"layer_{k:04}_{'x' * 90}": {} for k in range(2000)}
    last = list(layers)[-1]
    layers[last] = {f"{last}/part_{k:03}_{'y' * 90}": np.ones(1, np.float32) for k in range(400)}
    path = keras_files.weights_file(tmp_path / "w.h5", layers)
    with h5py.File(path) as file:
        assert "layer_names3" in file.attrs and "layer_names" not in file.attrs
        assert "weight_names1" in file[last].attrs
    assert keras_hdf5.recognises(path) and len(keras_hdf5.read(path).arrays) == 400


def test_half_precision_is_kept_and_whole_numbers_are_left_out(tmp_path):
    layers = {"c": {"c/kernel:0": normal(1, 1, 2, 2).astype(np.float16)},
              "n": {"n/mean:0": normal(3), "n/count:0": np.int64(9)}}
    found = keras_hdf5.read(keras_files.weights_file(tmp_path / "w.h5", layers))
    assert found.arrays["c/kernel"].dtype == np.float16 and "n/mean" in found.arrays
    assert found.notes == ["Array n/n/count:0 is left out: it holds no floating point numbers."]


def test_bfloat16_which_keras_stores_as_two_bytes_each_is_told(tmp_path):
    layers = {"c": {"c/kernel:0": np.zeros((2, 2), "V2")}}
    path = keras_files.weights_file(tmp_path / "w.h5", layers)
    with pytest.raises(WeightsError, match=r"known to minicnn \(\|V2: perhaps bfloat16\); save"):
        keras_hdf5.read(path)


def test_keras_3_saves_weights_in_another_way(tmp_path):
    """No order, no roles; ten before two in the alphabet. A batch norm has three arrays or four."""
    layers = {"conv2d": [normal(3, 3, 3, 4), normal(4)], "conv2d_10": [normal(3, 3, 4, 2)],
              "conv2d_2": [normal(3, 3, 4, 4), normal(4)], "dense": [normal(8, 2), normal(2)],
              "batch_normalization": [normal(4, seed=k) for k in range(3)],
              "sequential/layers/batch_normalization": [normal(4, seed=k) for k in range(4)],
              "dropout/seed_generator": [np.zeros(2, np.uint32)], "normal": [normal(2), normal(2)],
              "count": [np.int64(7)]}
    found = keras_hdf5.read(keras_files.version_3_file(tmp_path / "w.weights.h5", layers))
    assert found.notes == ["Array layers/count/vars/0 is left out: it holds no floating point "
                           "numbers."]
    assert list(found.arrays) == [
        "batch_normalization/beta", "batch_normalization/moving_mean",
        "batch_normalization/moving_variance", "conv2d/kernel", "conv2d/bias", "conv2d_2/kernel",
        "conv2d_2/bias", "conv2d_10/kernel", "dense/kernel", "dense/bias", "normal/0", "normal/1",
        "sequential/batch_normalization/gamma", "sequential/batch_normalization/beta",
        "sequential/batch_normalization/moving_mean",
        "sequential/batch_normalization/moving_variance"]
    np.testing.assert_array_equal(found.arrays["conv2d_2/kernel"], normal(3, 3, 4, 4))
    np.testing.assert_array_equal(found.arrays["batch_normalization/moving_mean"],
                                  normal(4, seed=1))
    assert found.says["keras_version"] == "3" and found.layers is None


@pytest.mark.parametrize("root", keras_hdf5.KERAS_3)
def test_later_versions_of_it_say_the_layers_names(tmp_path, root):
    path = keras_files.version_3_file(
        tmp_path / "w.weights.h5", {"conv2d": [normal(3, 3, 3, 4)], "conv2d_1": [normal(4, 4)]},
        {"conv2d": "stem", "conv2d_1": "conv2d"}, root)
    assert list(keras_hdf5.read(path).arrays) == ["stem/kernel", "conv2d/kernel"]


def test_its_order_is_that_of_the_numbers_not_of_the_layers_names(tmp_path):
    """Keras numbers the layers of a class as they come in the model; the names are the user's."""
    groups = [f"conv2d_{k}" if k else "conv2d" for k in range(12)]
    names = dict(zip(groups, "lkjihgfedcba", strict=True))
    path = keras_files.version_3_file(
        tmp_path / "w.weights.h5", {group: [normal(3, 3, 4, 4)] for group in groups}, names)
    assert [place[0] for place in keras_hdf5.read(path).arrays] == list("lkjihgfedcba")


# ---- whole models

@pytest.mark.parametrize("version", ["2", "3"])
def test_a_whole_model_gives_its_network(tmp_path, version):
    style = "mine/{layer}/{role}" if version == "3" else "{layer}/{role}:0"
    path = keras_files.model_file(tmp_path / "m.h5", grouped(arrays(), style), MODEL,
                                  version=version)
    found = keras_hdf5.read(path)
    assert [name for name, _ in found.layers] == ["c1", "b1", "r1", "p1", "f", "d", "d_softmax"]
    assert list(found.arrays) == ORDER and found.says["model"] == "mine"
    assert found.format == "Keras HDF5 (whole model)" and found.input_shape == (8, 10, 3)
    p = keras_files.network(found).forward(normal(2, 8, 10, 3)).output
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-6)  # float32


def test_a_rescaling_says_how_photos_are_prepared(tmp_path):
    model = sequential(layer("Rescaling", "r", scale=1 / 255), conv("c1", 4))
    groups = grouped({"c1/kernel": normal(3, 3, 3, 4), "c1/bias": normal(4)})
    found = keras_hdf5.read(keras_files.model_file(tmp_path / "m.h5", groups, model))
    assert found.preprocessing == Preprocessing((8, 10), "RGB", 0.0, 1 / 255, None, "squash",
                                                "bilinear")


def test_a_model_within_the_model_is_one_group(tmp_path):
    """As after model.add(conv_base); the batch norm's statistics come last in the group."""
    base = sequential(conv("c1", 4, padding="same"), layer("BatchNormalization", "b1"),
                      name="base")
    model = functional(base, layer("Flatten", "f"), dense("d", 5))
    drawn = keras_files.drawn(model)
    inside = ["c1/kernel", "c1/bias", "b1/gamma", "b1/beta", "b1/moving_mean", "b1/moving_variance"]
    groups = {"base": {f"{place}:0": drawn[place] for place in inside}, "f": {},
              "d": {"d/kernel:0": drawn["d/kernel"], "d/bias:0": drawn["d/bias"]}}
    found = keras_hdf5.read(keras_files.model_file(tmp_path / "m.h5", groups, model))
    assert list(found.arrays) == [*inside, "d/kernel", "d/bias"]
    keras_files.network(found)
    alone = {"base": {"c1/kernel:0": drawn["c1/kernel"]}}  # its only layer: the model tells it
    found = keras_hdf5.read(keras_files.model_file(tmp_path / "n.h5", alone, model))
    assert list(found.arrays) == ["c1/kernel"]


def test_a_model_that_is_no_chain_gives_its_arrays_and_says_why(tmp_path):
    model = sequential(conv("c1", 4), layer("Lambda", "mine", function=["4wEAAAA", None, None]))
    groups = grouped({"c1/kernel": normal(3, 3, 3, 4), "c1/bias": normal(4)})
    found = keras_hdf5.read(keras_files.model_file(tmp_path / "m.h5", groups, model))
    assert found.layers is None and list(found.arrays) == ["c1/kernel", "c1/bias"]
    assert found.notes == ["Its architecture is not read: layer 'mine' is a Lambda: it contains "
                           "Python code, which is never run."]


# ---- Theano

def test_kernels_of_theano_are_turned_back(tmp_path):
    w = normal(3, 3, 2, 4)
    groups = grouped({"c/kernel": w, "c/bias": w[0, 0, 0]})
    found = keras_hdf5.read(keras_files.weights_file(tmp_path / "w.h5", groups, backend="theano"))
    np.testing.assert_array_equal(found.arrays["c/kernel"][0, 2], w[2, 0])
    assert "180 degrees" in found.notes[0]


def test_what_theano_leaves_open_is_refused(tmp_path):
    path = keras_files.weights_file(tmp_path / "w.h5", grouped({"d/kernel": normal(8, 2)}),
                                    backend="theano")
    with pytest.raises(WeightsError, match="w.h5: .*which order its dense layers read an image"):
        keras_hdf5.read(path)
    first = {"c/kernel": normal(4, 3, 3, 3), "c/bias": normal(4)}
    path = keras_files.weights_file(tmp_path / "v.h5", grouped(first), version="")
    with pytest.raises(WeightsError, match=r"c/kernel \(4, 3, 3, 3\) does not have one kernel"):
        keras_hdf5.read(path)


# ---- the real file

def test_the_file_keras_wrote_has_the_kernels_of_the_converted_one(shared_data):
    """Another route of the same weights, of which three layers are said to be exact."""
    folder = shared_data / "weights"
    found = keras_hdf5.read(folder / "foreign" / "keras_vgg19norm_to_conv3_1.h5")
    names = ["1_conv1", "1_conv2", "2_conv1", "2_conv2", "3_conv1"]
    with h5py.File(folder / "vgg19_norm_to_conv4_1.h5") as file:
        for name in names:
            ours = f"conv{name[0]}_{name[-1]}"
            w = found.arrays[f"block{name}/kernel"].transpose(3, 2, 0, 1)  # H,W,I,O -> O,I,H,W
            np.testing.assert_array_equal(w, file[ours]["weight"][()], strict=True)
            np.testing.assert_array_equal(found.arrays[f"block{name}/bias"], file[ours]["bias"][()])
    assert list(found.arrays)[:2] == ["block1_conv0/kernel", "block1_conv0/bias"]
    assert len(found.arrays) == 12 and found.says["keras_version"] == "2.0.8-tf"


def test_the_shapes_of_the_official_vgg16(tmp_path):
    """Its names are Keras 1's; each kernel fits our network's layer of the same place."""
    ours = {name: shapes for name, shapes in vgg16(top=False, size=32).param_shapes.items()}
    theirs = [f"block{name[4]}_conv{name[-1]}" for name in ours]
    groups = {place: {f"{place}_W_1:0": np.zeros(shapes["w"], np.float32),
                      f"{place}_b_1:0": np.zeros(shapes["b"], np.float32)}
              for place, shapes in zip(theirs, ours.values(), strict=True)}
    found = keras_hdf5.read(keras_files.weights_file(tmp_path / "w.h5", groups, version=""))
    assert sum(array.size for array in found.arrays.values()) == 14_714_688
    assert list(found.arrays)[-1] == "block5_conv3/bias"


# ---- recognising

def test_recognises_keras_and_nothing_else(tmp_path):
    yes = [keras_files.weights_file(tmp_path / "a.h5", vgg_like(VERSIONS["2"])),
           keras_files.model_file(tmp_path / "b.h5", grouped(arrays()), MODEL),
           keras_files.version_3_file(tmp_path / "c.h5", {"conv2d": [normal(3, 3, 1, 1)]})]
    assert all(keras_hdf5.recognises(path) for path in yes)
    with h5py.File(yes[0]) as file:
        assert keras_hdf5.recognises(file)
    ours, plain, text = tmp_path / "ours.h5", tmp_path / "plain.h5", tmp_path / "text.h5"
    for path, attrs in ((ours, {"format": "minicnn", "layers": "[]"}),
                        (plain, {"layers": "[]", "layout": "OIHW", "source": "x"})):
        with h5py.File(path, "w") as file:
            file.attrs.update(attrs)
            file.create_group("layers")
    text.write_text("text")
    assert not any(keras_hdf5.recognises(path) for path in (ours, plain, text, tmp_path))
    with pytest.raises(WeightsError, match="plain.h5: .*HDF5, but not Keras': it has no "
                                           "attribute layer_names"):
        keras_hdf5.read(plain)


# ---- damage and malice

def damaged(tmp_path, change):
    """A whole model that something has been done to."""
    groups = grouped(arrays()) | {"f": {}}
    path = keras_files.model_file(tmp_path / "m.h5", groups, MODEL)
    with h5py.File(path, "r+") as file:
        change(file, file["model_weights"])
    return path


def link_away(file, weights):
    """The kernel is another file's."""
    del weights["c1/c1/kernel:0"]
    weights["c1/c1/kernel:0"] = h5py.ExternalLink("other.h5", "w")


def group_away(file, weights):
    del weights["c1"]
    weights["c1"] = h5py.ExternalLink("other.h5", "/")


def weights_away(file, weights):
    del file["model_weights"]
    file["model_weights"] = h5py.ExternalLink("other.h5", "/")


def vast(file, weights):
    del weights["c1/c1/kernel:0"]
    weights.create_dataset("c1/c1/kernel:0", (2**31, 2**30, 3, 4), "f4", chunks=(1, 1, 3, 4))


def endless_json(file, weights):
    file.attrs["model_config"] = "[" * 100_000


def long_names(file, weights):
    weights["c1"].attrs["weight_names"] = [b"../" * 100]


DAMAGE = {
    "a link to another file": (link_away, "c1/c1/kernel:0 is a link to elsewhere"),
    "a group in another file": (group_away, "c1 is a link to elsewhere"),
    "all weights in another file": (weights_away, "model_weights is a link to elsewhere"),
    "a shape beyond all memory": (vast, "its arrays would take .* bytes, and the file has"),
    "JSON without an end": (endless_json, "its model_config nests lists too deeply"),
    "JSON that is none": (lambda f, w: f.attrs.update(model_config="{"),
                          "model_config is not JSON"),
    "JSON that is a number": (lambda f, w: f.attrs.update(model_config=7.0), "expected text"),
    "names that climb": (long_names, "not the path of an array"),
    "names that are numbers": (lambda f, w: w.attrs.update(layer_names=[1, 2]), "expected text"),
    "a layer listed and not there": (lambda f, w: w.__delitem__("c1"), "c1 is missing"),
    "a layer that is an array": (lambda f, w: (w.__delitem__("f"), w.__setitem__("f", 1.0)),
                                 "weight_names is missing"),
    "an array not there": (lambda f, w: w.__delitem__("c1/c1/bias:0"), "c1/bias:0 is missing"),
    "an array listed twice": (lambda f, w: w["d"].attrs.update(weight_names=[b"d/kernel:0"] * 2),
                              "two arrays are the kernel of layer d"),
    "no weights": (lambda f, w: w.attrs.update(layer_names=[b"f"]), "there are no weights in it"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damage_and_malice_get_one_clear_line(tmp_path, name):
    change, message = DAMAGE[name]
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["w"] = normal(3, 3, 3, 4)
        other.attrs["weight_names"] = [b"w"]
    path = damaged(tmp_path, change)
    with pytest.raises(WeightsError, match=f"m.h5: .*{message}") as error:
        keras_hdf5.read(path)
    assert "\n" not in str(error.value) and len(str(error.value)) < 500


def test_damage_in_files_of_version_3(tmp_path):
    path = keras_files.version_3_file(tmp_path / "w.h5", {"a": [normal(2, 2)], "b": [normal(2, 2)]},
                                      {"a": "same", "b": "same"})
    with pytest.raises(WeightsError, match="are the kernel of layer same: .*/a/vars/0 and"):
        keras_hdf5.read(path)
    path = keras_files.version_3_file(tmp_path / "v.h5", {"dropout/seed_generator": [normal(2)]})
    with pytest.raises(WeightsError, match="there are no weights in it"):
        keras_hdf5.read(path)
    with h5py.File(tmp_path / "u.h5", "w") as file:
        file.create_dataset("layers/dense/vars", (2**40,), "f4", chunks=(8,))
    with pytest.raises(WeightsError, match="/layers/dense/vars is not a group of arrays"):
        keras_hdf5.read(tmp_path / "u.h5")
    with h5py.File(path, "r+") as file:  # a group that contains itself
        file["layers/dropout/again"] = file["layers"]
        file["layers/dropout/vars/0"] = normal(2, 2)
    assert list(keras_hdf5.read(path).arrays) == ["dropout/kernel"]


def test_a_file_cut_short_anywhere(tmp_path):
    path = keras_files.model_file(tmp_path / "m.h5", grouped(arrays()), MODEL)
    whole = path.read_bytes()
    for percent in range(100):
        path.write_bytes(whole[: len(whole) * percent // 100])
        with pytest.raises(WeightsError, match="m.h5: ") as error:
            keras_hdf5.read(path)
        assert "\n" not in str(error.value)


def test_json_of_any_shape_is_no_crash(tmp_path):
    """What a configuration says is data: the wrong kind in any place is a note."""
    text = json.dumps(MODEL)
    for old, new in (('"layers": [', '"layers": [null, '),
                     ('"config": {', '"config": [{}], "x": {'), ('"class_name"', '"class"'),
                     ("[2, 2]", "[[2], {}]"), ("[3, 3]", "1e999"),
                     ('[null, 8, 10, 3]', '{"a": 1}'), ('"c1"', "null"), ('"same"', '["same"]')):
        assert old in text
        groups = grouped({"d/kernel": normal(3, 3)})
        path = keras_files.model_file(tmp_path / "m.h5", groups, {})
        with h5py.File(path, "r+") as file:
            file.attrs["model_config"] = text.replace(old, new, 1)
        found = keras_hdf5.read(path)
        assert found.layers is None and "architecture is not read" in found.notes[0]
