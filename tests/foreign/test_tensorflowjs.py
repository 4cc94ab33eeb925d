"""TensorFlow.js layers models: shards joined, bits widened, the architecture, and bad manifests."""

import io
import json

import h5py
import keras_files
import numpy as np
import pytest
from keras_files import conv, dense, layer, normal, sequential
from PIL import Image

from minicnn.files.errors import WeightsError
from minicnn.foreign import tensorflowjs
from minicnn.images import Preprocessing

MODEL = sequential(conv("c1", 4, padding="same"), layer("BatchNormalization", "b1"),
                   layer("Flatten", "f"), dense("d", 5, activation="softmax"))
TINY_CLASSES = ["lifeboat", "ladybug", "pizza", "bell pepper", "school bus", "koala", "espresso",
                "red panda", "orange", "sports car"]


def manifest_of(arrays, **more):
    return [{"name": name, "shape": list(array.shape), "dtype": "float32"} | more
            for name, array in arrays.items()]


def write(folder, groups, model=MODEL, shards=1, **more):
    """model.json and shards: groups are (entries of the manifest, bytes)."""
    manifest = []
    for number, (entries, data) in enumerate(groups):
        size = -(-len(data) // shards)
        names = [f"group{number + 1}-shard{k + 1}of{shards}.bin" for k in range(shards)]
        for k, name in enumerate(names):
            (folder / name).write_bytes(data[k * size : (k + 1) * size])
        manifest.append({"paths": names, "weights": entries})
    text = json.dumps({"format": "layers-model", "generatedBy": "keras v2", "modelTopology": {
        "keras_version": "2.2.4", "model_config": model}, "weightsManifest": manifest} | more)
    (folder / "model.json").write_text(text, "utf-8")
    return folder / "model.json"


def plain(folder, shards=1, **more):
    """A model of float32 arrays, and these arrays."""
    arrays = keras_files.drawn(MODEL)
    data = b"".join(array.tobytes() for array in arrays.values())
    return write(folder, [(manifest_of(arrays), data)], shards=shards, **more), arrays


def same(found, arrays):
    assert list(found) == list(arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array, strict=True)


# ---- reading

@pytest.mark.parametrize("shards", [1, 2, 7])
def test_arrays_lie_across_the_files(tmp_path, shards):
    path, arrays = plain(tmp_path, shards)
    found = tensorflowjs.read(path)
    same(found.arrays, arrays)
    assert found.layout == "HWIO" and found.input_shape == (8, 10, 3) and found.notes == []
    assert found.says == {"model": "mine", "generated_by": "keras v2", "keras_version": "2.2.4"}
    assert [name for name, _ in found.layers] == ["c1", "b1", "f", "d", "d_softmax"]
    assert keras_files.network(found).forward(normal(1, 8, 10, 3)).output.shape == (1, 5)


def test_the_folder_will_do(tmp_path):
    _, arrays = plain(tmp_path)
    same(tensorflowjs.read(tmp_path).arrays, arrays)


def test_several_groups_and_a_model_saved_in_the_browser(tmp_path):
    """TensorFlow.js' own save() writes the configuration without a wrapper."""
    arrays = keras_files.drawn(MODEL)
    groups = [(manifest_of({name: array}), array.tobytes()) for name, array in arrays.items()]
    found = tensorflowjs.read(write(tmp_path, groups, modelTopology=MODEL))
    same(found.arrays, arrays)
    assert len(found.layers) == 5


def test_names_within_a_model_within_the_model(tmp_path):
    model = sequential(sequential(conv("c1", 4), name="base"), layer("Flatten", "f"), dense("d", 5))
    arrays = keras_files.drawn(model)
    entries = manifest_of({f"base/{name}" if name[0] == "c" else name: array
                           for name, array in arrays.items()})
    data = b"".join(array.tobytes() for array in arrays.values())
    same(tensorflowjs.read(write(tmp_path, [(entries, data)], model)).arrays, arrays)


@pytest.mark.parametrize("kind, levels", [("uint8", 255), ("uint16", 65535)])
def test_quantised_arrays(tmp_path, kind, levels):
    """Numbers of one byte put the next array at an odd place."""
    w, b = normal(3, 3, 3, 1), normal(4, seed=1)
    least, scale = float(w.min()), float((w.max() - w.min()) / levels)
    packed = np.round((w - least) / scale).astype(kind)
    entries = manifest_of({"c1/kernel": w}, quantization={
        "dtype": kind, "scale": scale, "min": least, "original_dtype": "float32"})
    entries += manifest_of({"c1/bias": b})
    found = tensorflowjs.read(write(tmp_path, [(entries, packed.tobytes() + b.tobytes())]))
    w_found = found.arrays["c1/kernel"]
    assert w_found.dtype == np.float32 and w_found.shape == w.shape
    np.testing.assert_allclose(w_found, packed * scale + least, atol=1e-6)  # float32 of up to 4
    np.testing.assert_allclose(w_found, w, atol=0.51 * scale)  # half a step
    np.testing.assert_array_equal(found.arrays["c1/bias"], b)
    assert found.arrays["c1/bias"].flags.aligned
    assert "1 of 2 arrays are stored with fewer bits" in found.notes[0]


def test_half_precision(tmp_path):
    w = normal(2, 2).astype(np.float16)
    entries = manifest_of({"d/kernel": w}, quantization={"dtype": "float16"})
    found = tensorflowjs.read(write(tmp_path, [(entries, w.tobytes())]))
    np.testing.assert_array_equal(found.arrays["d/kernel"], w.astype(np.float32), strict=True)
    assert "fewer bits" in found.notes[0]


def test_numbers_that_are_no_weights_are_left_out_and_passed_over(tmp_path):
    entries = [*manifest_of({"x/count": np.zeros(3)}, dtype="int32"),
               *manifest_of({"d/bias": np.zeros(2)})]
    data = np.arange(3, dtype=np.int32).tobytes() + np.float32([5, 6]).tobytes()
    found = tensorflowjs.read(write(tmp_path, [(entries, data)]))
    assert found.arrays["d/bias"].tolist() == [5, 6] and list(found.arrays) == ["d/bias"]
    assert "x/count is left out" in found.notes[0]


def test_a_model_that_is_no_chain_gives_its_arrays(tmp_path):
    path, arrays = plain(tmp_path, modelTopology={"model_config": sequential(layer("Lambda", "x"))})
    found = tensorflowjs.read(path)
    assert found.layers is None and "'x' is a Lambda" in found.notes[0]
    assert set(found.arrays) == set(arrays)


def test_weights_without_a_model(tmp_path):
    path, arrays = plain(tmp_path, modelTopology=None)
    found = tensorflowjs.read(path)
    same(found.arrays, arrays)
    assert found.layers is None and found.notes == []


def test_recognises(tmp_path):
    path, _ = plain(tmp_path)
    assert tensorflowjs.recognises(path) and tensorflowjs.recognises(tmp_path)
    for name, text in (("a.json", '{"a": 1}'), ("b.json", '["weightsManifest"]'), ("c", "")):
        (tmp_path / name).write_text(text)
        assert not tensorflowjs.recognises(tmp_path / name)
    assert not tensorflowjs.recognises(tmp_path / "none")


# ---- the real model

def test_tiny_vgg_knows_its_classes(shared_data):
    """CNN Explainer's network, 64 x 64 RGB in 0..1, on photos of classes it was trained for, 450
    of the validation set; chance is 10 %."""
    found = tensorflowjs.read(shared_data / "weights" / "foreign" / "tiny-vgg-tfjs")
    network = keras_files.network(found)
    assert network.input_shape == (64, 64, 3) and network.count() == 19_920
    network.preprocessing = Preprocessing((64, 64), "RGB", 0.0, 1 / 255)
    right = count = 0
    for k, x in validation(shared_data / "tiny100.h5", network):
        right += (network.probabilities(x).argmax(axis=1) == k).sum()
        count += len(x)
    assert count == 450 and right / count > 0.65  # measured 313 of 450


def validation(path, network):
    """(class, batch) for each class of Tiny VGG that the data set has."""
    with h5py.File(path) as file:
        classes = [name.decode() for name in file["classes"]]
        starts, labels, data = file["val/offsets"][()], file["val/labels"][()], file["val/bytes"]
        for k, name in enumerate(TINY_CLASSES):
            known = [i for i, words in enumerate(classes) if name in words]
            pictures = [data[starts[i] : starts[i + 1]].tobytes()
                        for i in np.flatnonzero(np.isin(labels, known))]
            if pictures:
                yield k, np.concatenate([
                    network.prepare(Image.open(io.BytesIO(picture)).convert("RGB"), "keep")
                    for picture in pictures])


# ---- bad manifests

PATHS = ["../model.bin", "/etc/passwd", "a/../../b.bin", "C:\\x.bin", "\\\\server\\x", "..\\x.bin",
         "https://host/x.bin", "C:x.bin", "\\x"]


@pytest.mark.parametrize("place", PATHS)
def test_files_elsewhere_are_not_read(tmp_path, place):
    path, _ = plain(tmp_path)
    text = json.loads(path.read_text())
    text["weightsManifest"][0]["paths"] = [place]
    path.write_text(json.dumps(text))
    with pytest.raises(WeightsError, match="model.json: .*names a file outside its folder"):
        tensorflowjs.read(path)


def change(key, value):
    """Set something of the first array in the manifest."""
    return lambda manifest: manifest[0]["weights"][0].update({key: value})


def packed(**settings):
    return change("quantization", settings)


BAD = {
    "a shape beyond all memory": (change("shape", [2**39, 2**39]), "take [0-9,]{20,} bytes"),
    "a negative side": (change("shape", [-3, 3]), "expected a shape"),
    "a side that is a word": (change("shape", ["3"]), "expected a shape"),
    "a shape that is a number": (change("shape", 3), "expected a shape"),
    "a hundred dimensions": (change("shape", [1] * 100), "expected a shape"),
    "a larger array": (change("shape", [9, 9, 9, 9]), "they are cut short"),
    "a smaller array": (change("shape", [1]), "they are not those of this model"),
    "an unknown type": (change("dtype", "bfloat16"), "is of type 'bfloat16'"),
    "strings": (change("dtype", "string"), "is of type 'string'"),
    "an unknown quantisation": (packed(dtype="int4", scale=1.0, min=0.0), "is quantised as"),
    "a scale that is a word": (packed(dtype="uint8", scale="1", min=0.0), "is quantised as"),
    "an infinite scale": (packed(dtype="uint8", scale=float("inf"), min=0.0), "is quantised as"),
    "a name of two lines": (change("name", "a\nb"), "is called"),
    "a name that is none": (change("name", 7), "is called"),
    "no name": (lambda m: m[0]["weights"][0].pop("name"), "cannot be read as"),
    "an array twice": (lambda m: m[0]["weights"].append(m[0]["weights"][0]), "one array twice"),
    "a file twice": (lambda m: m[0]["paths"].append(m[0]["paths"][0]), "one file twice"),
    "a file without a name": (lambda m: m[0].update(paths=[""]), "has an invalid file name, ''"),
    "a file that is a number": (lambda m: m[0].update(paths=[7]), "has an invalid file name, 7"),
    "no files": (lambda m: m[0].pop("paths"), "names no files"),
    "no arrays": (lambda m: m[0].update(weights=[]), "lists 0 arrays"),
    "two of one place": (change("name", "x/c1/bias"), "same role in the same layer"),
    "groups that are numbers": (lambda m: m.append(7), "names no files"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_manifests_get_one_clear_line(tmp_path, name):
    do, message = BAD[name]
    path, _ = plain(tmp_path)
    text = json.loads(path.read_text())
    do(text["weightsManifest"])
    path.write_text(json.dumps(text))
    with pytest.raises(WeightsError, match=f"model.json: .*{message}") as error:
        tensorflowjs.read(path)
    assert "\n" not in str(error.value) and len(str(error.value)) < 500


@pytest.mark.parametrize("text, message", [
    ("", "it is not JSON"), ("{", "it is not JSON"), ("[" * 100_000, "nests lists too deeply"),
    ("7", "has no weightsManifest"), ("{}", "has no weightsManifest"),
    ("\xff", "it is not text in UTF-8"),
    ('{"weightsManifest": [], "format": "graph-model"}', "graph of TensorFlow operations"),
    ('{"weightsManifest": []}', "lists 0 arrays"),
    ('{"weightsManifest": [], "modelTopology": 7}', "cannot be read as")])
def test_json_that_is_no_model(tmp_path, text, message):
    path = tmp_path / "model.json"
    path.write_text(text, "latin-1")
    with pytest.raises(WeightsError, match=f"model.json: .*{message}") as error:
        tensorflowjs.read(path)
    assert "\n" not in str(error.value)


def test_files_of_numbers_missing_or_cut_short(tmp_path):
    path, _ = plain(tmp_path, shards=2)
    second = tmp_path / "group1-shard2of2.bin"
    whole = second.read_bytes()
    for percent in range(100):
        second.write_bytes(whole[: len(whole) * percent // 100])
        with pytest.raises(WeightsError, match="shard2of2.bin have .* together: they are "
                                               "cut short"):
            tensorflowjs.read(path)
    second.write_bytes(whole + b"\0")
    with pytest.raises(WeightsError, match="not those of this model"):
        tensorflowjs.read(path)
    second.unlink()
    with pytest.raises(WeightsError, match="1 of its 2 files of numbers are missing, the first "
                                           "'group1-shard2of2.bin'"):
        tensorflowjs.read(path)
    with pytest.raises(WeightsError, match="none/model.json: .*no such file"):
        tensorflowjs.read(tmp_path / "none" / "model.json")


def test_json_cut_short_anywhere(tmp_path):
    path, _ = plain(tmp_path)
    text = path.read_text()
    for percent in range(100):
        path.write_text(text[: len(text) * percent // 100])
        with pytest.raises(WeightsError, match="model.json: .*it is not JSON"):
            tensorflowjs.read(path)
