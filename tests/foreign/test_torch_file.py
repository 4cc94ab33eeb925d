"""Weight files of PyTorch: those it writes itself, those of today, and those meant to do harm."""

import os
from collections import OrderedDict

import h5py
import numpy as np
import pytest
import weight_bytes as wb
from fuzz import runner
from fuzz import torch_file as fuzz

from minicnn.files.errors import WeightsError
from minicnn.foreign import torch_file

WRITERS = {"zip": wb.torch_zip, "row": wb.torch_row, "tar": wb.torch_tar}
FORMATS = {"zip": "PyTorch state dict (zip)", "tar": "PyTorch state dict (tar)",
           "row": "PyTorch state dict (pickles in a row)"}
OLD = {"_use_new_zipfile_serialization": False}


def write(path, data):
    path.write_bytes(data)
    return path


def same(found, expected):
    """Array by array the same bits, in the same order."""
    assert list(found) == list(expected)
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array, strict=True)


@pytest.fixture
def torch():
    """PyTorch, where it is installed."""
    return pytest.importorskip("torch")


# ---- files by hand: no PyTorch needed

@pytest.mark.parametrize("which", WRITERS)
def test_the_three_containers(tmp_path, which):
    path = write(tmp_path / "x.any", WRITERS[which]())
    found = torch_file.read(path)
    same(found.arrays, wb.small())
    assert (found.format, found.layout, found.notes) == (FORMATS[which], "OIHW", [])
    assert not any(array.flags.writeable for array in found.arrays.values())
    assert torch_file.recognises(path)


def test_other_files_are_not_recognised(tmp_path):
    for k, data in enumerate([b"", b"\x89HDF\r\n\x1a\n" + bytes(600), wb.npz(), wb.safetensors(),
                              wb.npy(np.zeros(3)), b"\x80", b"\x80\x09" * 99, b"PK\3\4",
                              b"text" * 200]):
        path = write(tmp_path / f"{k}.pth", data)
        assert not torch_file.recognises(path)
        with pytest.raises(WeightsError, match="cannot be read as a PyTorch file"):
            torch_file.read(path)
    assert not torch_file.recognises(tmp_path) and not torch_file.recognises(tmp_path / "none")
    for path, message in [(tmp_path, "is a folder"), (tmp_path / "none", "no such file")]:
        with pytest.raises(WeightsError, match=message):
            torch_file.read(path)


def test_numbers_of_a_machine_with_the_other_byte_order(tmp_path):
    arrays = {name: array.astype(array.dtype.newbyteorder(">"))
              for name, array in wb.small().items()}
    value = {name: wb.tensor(str(k), array, kind=f"{kind}Storage")
             for k, ((name, array), kind) in enumerate(zip(arrays.items(),
                                                           ("Float", "Half", "Long"), strict=True))}
    path = write(tmp_path / "f", wb.torch_zip(arrays, value, byteorder=b"big"))
    same(torch_file.read(path).arrays, arrays)


@pytest.mark.parametrize("which", WRITERS)
def test_every_truncation_is_refused_or_loses_nothing(tmp_path, which):
    data = WRITERS[which]()
    for percent in range(100):
        path = write(tmp_path / "f", data[:len(data) * percent // 100])
        with pytest.raises(WeightsError, match="^[^\n]*f: cannot be read as a PyTorch file: .*"):
            torch_file.read(path)


@pytest.mark.parametrize("which", WRITERS)
def test_programs_are_refused_in_every_place_and_not_run(tmp_path, which):
    """A gadget that would make a file, wherever the container has a pickle."""
    ran = tmp_path / "ran"
    program = wb.call(wb.name("posix", "system"), f"touch {ran}")
    value = {"w": wb.tensor("0", wb.small()["conv.weight"]), "x": program}
    files = {"zip": [wb.torch_zip(value=value), wb.torch_zip(value=program)],
             "row": [wb.torch_row(value=value), wb.torch_row(facts=program), wb.pickled(program),
                     wb.torch_row(keys=program)],
             "tar": [wb.torch_tar(value=program), wb.torch_tar(views=[program]),
                     wb.torch_tar(tensors=wb.pickled(program)),
                     wb.torch_tar(storages=wb.pickled(program))]}[which]
    for k, data in enumerate(files):
        path = write(tmp_path / f"{k}.pth", data)
        with pytest.raises(WeightsError, match="its pickle names 'posix.system': only tensors"):
            torch_file.read(path)
    assert not ran.exists()


def test_the_gadget_is_real(tmp_path, torch):
    """PyTorch runs it, told to read anything: the test above can fail."""
    ran = tmp_path / "ran"
    program = wb.call(wb.name("posix", "system"), f"touch {ran}")
    torch.load(write(tmp_path / "f", wb.torch_zip(value={"x": program})), weights_only=False)
    assert ran.exists()


def test_tensors_beyond_their_storage_are_refused(tmp_path):
    array = wb.small()["conv.weight"]
    for more in ({"offset": 1}, {"shape": (25,), "strides": (1,)}, {"count": 25},
                 {"shape": (2,), "strides": (24,)}, {"shape": (2**40,), "strides": (2**40,)}):
        for which in ("zip", "row"):
            data = WRITERS[which]({"w": array}, {"w": wb.tensor("0", array, **more)})
            with pytest.raises(WeightsError, match="'w': its shape .* needs more numbers than its |"
                                                   "numbers, but it ends before that|two types"):
                torch_file.read(write(tmp_path / "f", data))


def test_a_tensor_of_a_part_of_a_storage(tmp_path):
    """Numbers 4 to 8 of ten, and of these every second from number 1 on."""
    array = np.arange(10, dtype="<f4")
    value = {"w": wb.tensor("0", array, (2,), (2,), 1, more=(("part", 4, 5),))}
    found = torch_file.read(write(tmp_path / "f", wb.torch_row({"w": array}, value)))
    assert found.arrays["w"].tolist() == [5, 7]


def test_shapes_that_would_fill_the_memory_are_refused(tmp_path):
    """One number, repeated by strides of 0: honest in PyTorch, as long as it is not absurd."""
    array = np.float32([1.5])
    value = {"w": wb.tensor("0", array, (1000, 1000), (0, 0))}
    found = torch_file.read(write(tmp_path / "f", wb.torch_zip({"w": array}, value)))
    assert found.arrays["w"].shape == (1000, 1000) and (found.arrays["w"] == 1.5).all()
    for shape in [(2**20, 2**20), (2**62, 2**62), (2**63 - 1,)]:
        value = {"w": wb.tensor("0", array, shape, (0,) * len(shape))}
        with pytest.raises(WeightsError, match="its arrays would take"):
            torch_file.read(write(tmp_path / "f", wb.torch_zip({"w": array}, value)))


def test_names_that_cannot_be_shown_are_refused(tmp_path):
    for name in ("a\x1b]0;evil\x07", 3, "x" * 600):
        value = {name: wb.tensor("0", wb.small()["conv.weight"])}
        with pytest.raises(WeightsError, match="expected a name of printable characters") as error:
            torch_file.read(write(tmp_path / "f", wb.torch_zip(value=value)))
        assert "\x1b" not in str(error.value)


# ---- what is a state dict

def read_value(tmp_path, value):
    return torch_file.read(write(tmp_path / "f", wb.torch_zip(value=value)))


WEIGHT, BIAS = (wb.tensor(str(k), array) for k, array in enumerate(list(wb.small().values())[:2]))


@pytest.mark.parametrize("entry", ["state_dict", "model_state_dict", "model", "net", "the_only"])
def test_checkpoints(tmp_path, entry):
    value = {"epoch": 90, "arch": "vgg16", "long": "x" * 300, "best": None,
             entry: {"conv.weight": WEIGHT, "conv.bias": BIAS}}
    found = read_value(tmp_path, value)
    same(found.arrays, {name: wb.small()[name] for name in ("conv.weight", "conv.bias")})
    assert found.says == {"version": "3", "epoch": 90, "arch": "vgg16"}
    assert found.notes == [f"Only the entry '{entry}' of the file was read, the network."]


def test_a_checkpoint_with_a_tensor_beside_and_an_optimizer(tmp_path):
    """As the ImageNet example of PyTorch writes it."""
    value = {"state_dict": {"w": WEIGHT}, "best_acc1": BIAS,
             "optimizer": {"state": {0: {"momentum_buffer": WEIGHT}},
                           "param_groups": [{"lr": 0.1}]}}
    assert list(read_value(tmp_path, value).arrays) == ["w"]


def test_entries_that_are_no_tensors_are_left_out_and_said(tmp_path):
    found = read_value(tmp_path, {"w": WEIGHT, "bn._extra_state": None, "n": 3})
    assert list(found.arrays) == ["w"] and found.notes == [
        "2 entries that are not tensors are left out, the first 'bn._extra_state'."]


@pytest.mark.parametrize("value, message", [
    ([WEIGHT], "it holds a list, not a dict of tensors"),
    (WEIGHT, "it holds a Tensor, not a dict"),
    ({}, "no tensors in it; its entries are none"),
    ({"a": 1, "b": {}}, "no tensors in it; its entries are 'a', 'b'|none"),
    ({"a": {"w": WEIGHT}, "b": {"w": WEIGHT}}, "no tensors in it; its entries are 'a', 'b'"),
    ({"state_dict": [WEIGHT]}, "no tensors in it; its entries are 'state_dict'"),
])
def test_files_without_a_state_dict(tmp_path, value, message):
    with pytest.raises(WeightsError, match=message):
        read_value(tmp_path, value)


def test_a_dict_in_itself(tmp_path):
    value = b"}q\x00X\x0a\x00\x00\x00state_dicth\x00s"
    with pytest.raises(WeightsError, match="no tensors in it"):
        read_value(tmp_path, value)


def test_the_prefixes_of_wrappers_are_taken_off_and_said(tmp_path):
    found = read_value(tmp_path, {"module.a.w": WEIGHT, "module.b": BIAS})
    assert list(found.arrays) == ["a.w", "b"]
    assert found.notes == ["The prefix 'module.' of every name, from DataParallel, was removed."]
    found = read_value(tmp_path, {"module._orig_mod.w": WEIGHT})
    assert list(found.arrays) == ["w"] and len(found.notes) == 2
    found = read_value(tmp_path, {"module.a": WEIGHT, "b": BIAS})
    assert list(found.arrays) == ["module.a", "b"] and found.notes == []


# ---- files that PyTorch wrote

WAYS = {"zip": {}, "row": OLD, "zip of protocol 4": {"pickle_protocol": 4},
        "zip of protocol 5": {"pickle_protocol": 5}, "row of protocol 4": OLD | {
            "pickle_protocol": 4}}


@pytest.mark.parametrize("way", WAYS)
def test_a_state_dict_that_pytorch_wrote(tmp_path, torch, way):
    model = torch.nn.Sequential(torch.nn.Conv2d(3, 8, (3, 2)), torch.nn.BatchNorm2d(8),
                                torch.nn.Flatten(), torch.nn.Linear(8, 5))
    torch.save(model.state_dict(), tmp_path / "f.pth", **WAYS[way])
    found = torch_file.read(tmp_path / "f.pth")
    same(found.arrays, {name: value.numpy() for name, value in model.state_dict().items()})
    assert found.format == FORMATS[way[:3]] and torch_file.recognises(tmp_path / "f.pth")


@pytest.mark.parametrize("way", ["zip", "row"])
def test_parameters_views_and_shared_storages(tmp_path, torch, way):
    base = torch.arange(60, dtype=torch.float32).reshape(3, 4, 5)
    tensors = OrderedDict(
        base=base, turned=base.permute(2, 0, 1), part=base[1:, ::2, 3], same=base,
        spread=torch.tensor([1.0, 2.0]).expand(3, 2), none=torch.zeros(0, 4), one=torch.tensor(3.0),
        parameter=torch.nn.Parameter(base[0]), wanted=torch.ones(2, requires_grad=True))
    torch.save(tensors, tmp_path / "f.pth", **WAYS[way])
    found = torch_file.read(tmp_path / "f.pth").arrays
    same(found, {name: tensor.detach().numpy() for name, tensor in tensors.items()})
    assert np.shares_memory(found["base"], found["turned"])


@pytest.mark.parametrize("way", ["zip", "row"])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int64", "int32", "int16",
                                   "int8", "uint8", "bool"])
def test_types_of_numbers(tmp_path, torch, dtype, way):
    tensor = torch.tensor([[0, 1, -3.7], [5.5, 100, 1 / 3]]).to(getattr(torch, dtype))
    torch.save({"w": tensor}, tmp_path / "f.pth", **WAYS[way])
    same(torch_file.read(tmp_path / "f.pth").arrays, {"w": tensor.numpy()})


@pytest.mark.parametrize("way", ["zip", "row"])
def test_bfloat16_becomes_float32(tmp_path, torch, way):
    tensor = torch.randn(6, 5, generator=torch.manual_seed(0)).to(torch.bfloat16)
    torch.save({"w": tensor, "turned": tensor.T, "b": torch.tensor(1.5).bfloat16()},
               tmp_path / "f.pth", **WAYS[way])
    found = torch_file.read(tmp_path / "f.pth")
    same(found.arrays, {"w": tensor.float().numpy(), "turned": tensor.float().numpy().T,
                        "b": np.array(1.5, np.float32)})
    assert found.notes == ["Its bfloat16 numbers were widened to float32, which loses nothing."]


@pytest.mark.parametrize("make, message", [
    (lambda t: t.ones(2, dtype=t.complex64), "names 'torch.ComplexFloatStorage'"),
    (lambda t: t.ones(2).to(t.uint16), "names 'torch._utils._rebuild_tensor_v3'"),
    (lambda t: t.ones(2, 2).to_sparse(), "names 'torch._utils._rebuild_sparse_tensor'"),
    (lambda t: t.nn.Linear(2, 2), "names 'torch.nn.modules.linear.Linear': only tensors and dicts "
                                  ".* If it is a whole model, save model.state_dict"),
])
def test_what_pytorch_writes_and_weights_are_not(tmp_path, torch, make, message):
    torch.save({"w": make(torch)}, tmp_path / "f.pth")
    with pytest.raises(WeightsError, match=message):
        torch_file.read(tmp_path / "f.pth")


def test_files_written_without_checksums(tmp_path, torch):
    torch.serialization.set_crc32_options(False)
    try:
        torch.save({"w": torch.ones(3)}, tmp_path / "f.pth")
    finally:
        torch.serialization.set_crc32_options(True)
    assert (torch_file.read(tmp_path / "f.pth").arrays["w"] == 1).all()


@pytest.mark.parametrize("way", ["zip", "row"])
def test_one_damaged_number_in_a_zip_is_noticed(tmp_path, torch, way):
    """A zip keeps checksums; behind pickles in a row there are none, and nothing can tell."""
    torch.save({"w": torch.full((50,), 1.1)}, tmp_path / "f.pth", **WAYS[way])
    data = bytearray((tmp_path / "f.pth").read_bytes())
    data[data.rindex(np.float32([1.1] * 50).tobytes()) + 100] ^= 1
    path = write(tmp_path / "g.pth", data)
    if way == "zip":
        with pytest.raises(WeightsError, match="damaged .*: the checksum of 'f/data/0' does "
                                               "not match"):
            torch_file.read(path)
    else:
        assert (torch_file.read(path).arrays["w"] != np.float32(1.1)).sum() == 1


def test_every_truncation_of_what_pytorch_wrote(tmp_path, torch):
    for way in ("zip", "row"):
        torch.save(torch.nn.Conv2d(3, 8, 3).state_dict(), tmp_path / "f.pth", **WAYS[way])
        data = (tmp_path / "f.pth").read_bytes()
        for size in [*range(0, len(data), len(data) // 100), len(data) - 1]:
            with pytest.raises(WeightsError, match=f"^{tmp_path}/g: cannot be read"):
                torch_file.read(write(tmp_path / "g", data[:size]))


# ---- a real file, and files spoiled at random

LAYERS = {"2": ("block1_conv1", "conv1_1"), "5": ("block1_conv2", "conv1_2"),
          "9": ("block2_conv1", "conv2_1"), "12": ("block2_conv2", "conv2_2"),
          "16": ("block3_conv1", "conv3_1")}  # in PyTorch's file, in Keras', in the whole


def test_the_vgg19_that_pytorch_wrote_is_kerass_bit_for_bit(shared_data):
    """And the converter's: kernels and biases. Kernels lie as OIHW here, as HWIO in Keras' file."""
    folder = shared_data / "weights"
    found = torch_file.read(folder / "foreign" / "torch_vgg19norm_to_conv3_1.pth").arrays
    assert list(found) == [f"{n}.{part}" for n in ("0", *LAYERS) for part in ("weight", "bias")]
    with h5py.File(folder / "foreign" / "keras_vgg19norm_to_conv3_1.h5") as keras, \
            h5py.File(folder / "vgg19_norm_to_conv4_1.h5") as whole:
        for layer, (name, caffe) in LAYERS.items():
            kernel = keras[f"{name}/{name}/kernel:0"][()].transpose(3, 2, 0, 1)  # HWIO -> OIHW
            for other in (kernel, whole[f"{caffe}/weight"][()]):
                np.testing.assert_array_equal(found[f"{layer}.weight"], other, strict=True)
            for other in (keras[f"{name}/{name}/bias:0"], whole[f"{caffe}/bias"]):
                np.testing.assert_array_equal(found[f"{layer}.bias"], other[()], strict=True)


def test_files_spoiled_at_random_are_read_or_refused():
    outcome = runner.run(torch_file.read, fuzz.seeds, 200, seed=1)
    assert outcome["read"] + outcome["refused"] == 200 and min(outcome.values()) > 5


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no pipes with a name")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert not torch_file.recognises(tmp_path / "pipe")
    with pytest.raises(WeightsError, match="is a pipe or a device"):
        torch_file.read(tmp_path / "pipe")
