"""The containers, written byte by byte: what is found in them, and what is refused.

Of the tar file here too what it has in common with the others.
"""

import struct

import numpy as np
import pytest
import weight_bytes as wb

from minicnn.foreign import torch_containers as containers
from minicnn.foreign import torch_tar
from minicnn.foreign.torch_containers import Storage, Tensor

ARRAYS = wb.small()
KEYS = {"zip": "012", "row": "012", "tar": [100, 101, 102]}
READ = {"zip": containers.zipped, "row": containers.in_a_row, "tar": torch_tar.tarred}
WRITE = {"zip": wb.torch_zip, "row": wb.torch_row, "tar": wb.torch_tar}


def contents(which, *args, **more):
    return READ[which](memoryview(WRITE[which](*args, **more)))


def refused(which, message, *args, **more):
    with pytest.raises(ValueError, match=message):
        contents(which, *args, **more)


@pytest.mark.parametrize("which", READ)
def test_tensors_and_where_their_numbers_lie(which):
    data = WRITE[which]()
    found = READ[which](memoryview(data))
    assert list(found.value) == list(ARRAYS)
    for key, (name, array) in zip(KEYS[which], ARRAYS.items(), strict=True):
        tensor = found.value[name]
        strides = tuple(s // array.itemsize for s in array.strides)
        assert tensor == Tensor(Storage(tensor.storage.key, array.dtype.str, array.size), 0,
                                array.shape, strides)
        start, size = found.places[key]
        assert tensor.storage.key == key and data[start:start + size] == array.tobytes()


@pytest.mark.parametrize("which", READ)
def test_pytorch_reads_the_files_of_these_tests(which, tmp_path):
    """They are what the containers are, and not what their reader takes for them."""
    torch = pytest.importorskip("torch")
    (tmp_path / "f").write_bytes(WRITE[which]())
    found = torch.load(tmp_path / "f", weights_only=which != "tar")
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(found[name].numpy(), array, strict=True)


@pytest.mark.parametrize("which", READ)
def test_other_values_come_along(which):
    found = contents(which, {}, value={"epoch": 3, "lr": [0.1, None, (True, "x")]})
    assert found.value == {"epoch": 3, "lr": [0.1, None, (True, "x")]}


@pytest.mark.parametrize("which", READ)
def test_an_empty_network(which):
    assert contents(which, {}).value == {}


def test_the_zip_says_its_version_and_byte_order():
    assert contents("zip").says == {"version": "3"}
    found = contents("zip", byteorder=b"big")
    assert [tensor.storage.kind for tensor in found.value.values()] == [">f4", ">f2", ">i8"]
    assert contents("zip", byteorder=None).value == contents("zip").value
    refused("zip", "byte order is 'middle', neither little nor big", byteorder=b"middle")


def test_a_storage_that_a_zip_lacks_or_holds_twice():
    refused("zip", "its member archive/data/1, with numbers, is missing", **{"data/1": None})
    two = wb.zipped({"a/data.pkl": wb.pickled({}), "b/data.pkl": wb.pickled({})})
    for data in (two, wb.zipped({"x": b""}), wb.zipped({"a/b/data.pkl": b""})):
        with pytest.raises(ValueError, match="without PyTorch's one member"):
            containers.zipped(memoryview(data))


def test_programs_of_torchscript_are_refused():
    refused("zip", "TorchScript program, .* save its state_dict", **{"constants.pkl": b""})


def test_packed_zips_are_refused():
    packed = wb.zipped({"a/data.pkl": wb.pickled({"x": "y" * 500})}, 8)
    with pytest.raises(ValueError, match="its members are compressed, which PyTorch never does"):
        containers.zipped(memoryview(packed))


def test_storages_may_be_parts_of_others():
    """(key of the part, first, count) behind the count."""
    array = np.arange(10, dtype="<f4")
    value = {"a": wb.tensor("0", array, (2,), (1,), more=(("part", 4, 5),)),
             "b": wb.tensor("0", array, more=(None,))}
    found = contents("row", {"w": array}, value)
    assert found.value["a"].storage == Storage("0", "<f4", 5, 4)
    assert found.value["b"].storage == Storage("0", "<f4", 10)
    for part in [("part", 8, 5), ("part", -1, 2), ("part", 1), "part", ("part", 1, "x"),
                 (1, 2.0, 3)]:
        refused("row", "a part outside of storage", {"w": array},
                {"a": wb.tensor("0", array, more=(part,))})


def test_old_and_plain_ways_to_make_a_tensor():
    array = ARRAYS["conv.bias"]
    storage = wb.encode(("storage", wb.name("torch.cuda", "HalfStorage"), "0", "cuda:1", 2)) + b"Q"
    old = wb.call(wb.name("torch._utils", "_rebuild_tensor"), storage, 0, [2], [1])
    size = wb.call(wb.name("torch", "Size"), [2])
    new = wb.call(wb.name("torch._utils", "_rebuild_tensor_v2"), storage, 0, size, (1,), True,
                  wb.ORDERED, {})
    parameter = wb.call(wb.name("torch._utils", "_rebuild_parameter"), old, True, wb.ORDERED)
    more = wb.call(wb.name("torch._utils", "_rebuild_parameter_with_state"), new, True, wb.ORDERED,
                   {"tag": 1})
    found = contents("zip", {"a": array}, {"a": old, "b": new, "c": parameter, "d": more})
    assert set(found.value.values()) == {Tensor(Storage("0", "<f2", 2), 0, (2,), (1,))}


STORAGE = wb.encode(("storage", wb.name("torch", "FloatStorage"), "0", "cpu", 24)) + b"Q"
REBUILD = wb.name("torch._utils", "_rebuild_tensor_v2")
FLOATS = {"conv.weight": ARRAYS["conv.weight"]}


@pytest.mark.parametrize("tensor, message", [
    (wb.call(REBUILD, "x", 0, (2,), (1,), False, {}), "from something that is not a storage"),
    (wb.call(REBUILD, STORAGE, 0, 2, (1,), False, {}), "do not match"),
    (wb.call(REBUILD, STORAGE, 0, (2,), None, False, {}), "do not match"),
    (wb.call(REBUILD, STORAGE, 0, (1,) * 17, (1,) * 17, False, {}), "do not match"),
    (wb.call(REBUILD, STORAGE, 0, (2,), (1, 1), False, {}), "do not match"),
    (wb.call(REBUILD, STORAGE, 0, (2,), (-1,), False, {}), "not whole numbers"),
    (wb.call(REBUILD, STORAGE, None, (2,), (1,), False, {}), "not whole numbers"),
    (wb.call(REBUILD, STORAGE, 0, (2.0,), (1,), False, {}), "not whole numbers"),
    (wb.call(REBUILD, STORAGE, 0, (2**64,), (1,), False, {}), "not whole numbers"),
    (wb.call(REBUILD, STORAGE, 0, (2,)), "missing 1 required"),
    (wb.call(REBUILD), "missing 4 required"),
    (wb.call(REBUILD, STORAGE, 0, (2,), (1,), False, {}, {}, 1), "takes from 4 to 7"),
    (wb.call(wb.name("torch", "Size"), 1, 2), "takes 1"),
    (wb.call(wb.name("torch._utils", "_rebuild_parameter"), STORAGE), "missing 2 required"),
    (STORAGE + wb.encode((None, {"count": 9})) + b"b", "would set a state"),
    (wb.call(REBUILD, STORAGE, 0, (2,), (1,), False, {}, {"neg": True}), "conjugated or negated"),
    (wb.call(wb.name("torch", "FloatStorage"), 5), "would call torch.FloatStorage"),
    (wb.call(wb.name("torch", "Size")), "missing 1 required"),
    (wb.encode(("storage", wb.name("torch", "FloatTensor"), "0", "cpu", 4)) + b"Q",
     "uses torch.FloatTensor as a type of storage"),
    (wb.encode(("storage", "torch.FloatStorage", "0", "cpu", 4)) + b"Q", "without a type"),
    (wb.encode(("storage", wb.name("torch", "FloatStorage"), ["0"], "cpu", 4)) + b"Q", "a key"),
    (wb.encode(("storage", wb.name("torch", "FloatStorage"), 2**70, "cpu", 4)) + b"Q", "a key"),
    (wb.encode(("storage", wb.name("torch", "FloatStorage"), "0", "cpu", "4")) + b"Q", "a size"),
    (wb.encode(("storage", wb.name("torch", "FloatStorage"), "0", "cpu", -4)) + b"Q", "a size"),
    (wb.encode(("module", "x")) + b"Q", "something that is not a storage"),
    (wb.encode("0") + b"Q", "something that is not a storage"),
    (wb.encode((STORAGE, wb.encode(("storage", wb.name("torch", "HalfStorage"), "0", "cpu", 24))
                + b"Q")), "gives storage '0' two types or sizes"),
    (wb.name("torch", "QInt8Storage"), "names 'torch.QInt8Storage'"),
    (wb.name("torch.storage", "UntypedStorage"), "names 'torch.storage.UntypedStorage'"),
])
def test_tensors_that_are_none_are_refused(tensor, message):
    refused("zip", message, FLOATS, {"w": tensor})
    refused("row", message, FLOATS, {"w": tensor})


def test_the_head_of_pickles_in_a_row():
    for data, message in [
            (wb.pickled(5), "it is a pickle, but does not begin with PyTorch's magic number"),
            (wb.pickled(wb.MAGIC) + wb.pickled(1002), "protocol is 1002, expected PyTorch's 1001"),
            (wb.pickled(wb.MAGIC) + wb.pickled([[]]),
             r"protocol is \[\[\]\], expected PyTorch's 1001"),
            (wb.pickled(wb.MAGIC), "damaged or cut short")]:
        with pytest.raises(ValueError, match=message):
            containers.in_a_row(memoryview(data))


def test_the_rows_of_numbers_must_be_those_of_the_tensors():
    refused("row", "a storage '7' that no tensor uses", keys=["7"])
    refused("row", "not a list of keys", keys={"0": 1})
    refused("row", "not a list of keys", keys=[[1]])
    refused("row", "4 bytes follow after its expected end", more=[b"more"])
    refused("row", "bytes follow after its expected end", keys=["0"])
    refused("row", "it is damaged or cut short", keys=["0", "1", "2", "0"])
    data = wb.torch_row(FLOATS)
    for count in (25, -1, 2**62, -2**63):
        broken = data[:-104] + struct.pack("<q", count) + data[-96:]
        with pytest.raises(ValueError, match="numbers, but it ends before that"):
            containers.in_a_row(memoryview(broken))
