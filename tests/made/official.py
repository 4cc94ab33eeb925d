"""An official weight file, a manifest that knows it, and its class names, all made here."""

import hashlib
import json
from contextlib import contextmanager

import numpy as np
import weight_bytes
from file_server import Answer, ranged, serving

from minicnn import models
from minicnn.files import manifest
from minicnn.foreign.names import SOURCES

SOURCE = next(row for row in SOURCES if row.words == "torchvision's squeezenet11")
NAMES = [f"class_{k}" for k in range(1000)]
LABELS = json.dumps({str(k): [f"n{k:08}", name] for k, name in enumerate(NAMES)}).encode()


def squeezenet(seed=0):
    """(the bytes of a .pth with torchvision's names, the arrays by ours)."""
    rng = np.random.default_rng(seed)
    shapes = models.squeezenet11().param_shapes
    theirs, ours = {}, {}
    for name, layer in SOURCE.names.items():
        w = rng.standard_normal(shapes[layer]["w"], np.float32)
        b = rng.standard_normal(shapes[layer]["b"], np.float32)
        ours |= {f"{layer}/w": w, f"{layer}/b": b}
        theirs |= {f"{name}.weight": w.transpose(3, 2, 0, 1).copy(),  # H,W,C,O -> O,C,H,W
                   f"{name}.bias": b}
    return weight_bytes.torch_zip(theirs), ours


def hashes(data):
    """The entry of a manifest on the hashes of a file."""
    return {"sha256": hashlib.sha256(data).hexdigest()}


def plain(preprocessing):
    """A Preprocessing as JSON has it."""
    return json.loads(json.dumps(preprocessing.to_dict()))


def companion(role, file, addresses, data=None):
    """A manifest's entry on a companion, with its hash where its bytes are told."""
    return {"role": role, "file": file, "addresses": addresses, "size": None,
            "hashes": {} if data is None else hashes(data)}


def entry(data, url, **others):
    """A manifest's entry on the file of `squeezenet`."""
    return {"words": "a file made for a test", "model": "squeezenet11", "last": "conv10",
            "file": "squeeze.pth", "addresses": [url], "size": len(data),
            "hashes": hashes(data), "licence": "MIT (of a test)",
            "preprocessing": plain(SOURCE.preprocessing),
            "accuracy": {"top1": 58.2, "top5": None, "how": "one centre crop", "source": "a page"},
            "companions": ["names"]} | others


def write(path, files, companions, preferred=None):
    """A manifest's file."""
    path.write_text(json.dumps({"version": 1, "preferred": preferred or {},
                                "companions": companions, "files": files}), encoding="utf-8")
    return path


def mean_image(path, pixel, shape=(3, 256, 256)):
    """Write a mean image, noise around a mean pixel, as Caffe's .npy has it; the noise."""
    noise = np.random.default_rng(0).uniform(-20, 20, shape)
    np.save(path, noise - noise.mean(axis=(1, 2), keepdims=True)
            + np.reshape(pixel, (-1, 1, 1))[:len(noise)])
    return noise


class World:
    """A server with an official file on it, a manifest that knows it, and a cache."""

    def __init__(self, server, folder, monkeypatch, data):
        self.server, self.folder, self.monkeypatch = server, folder, monkeypatch
        self.data = data
        self.cache = folder / "cache"
        monkeypatch.setenv("MINICNN_CACHE", str(self.cache))
        self.url = server.page("/squeeze.pth", ranged(self.data))
        self.names_url = server.page("/names.json", Answer(LABELS))
        self.say()

    def say(self, names=None, **changes):
        """Write the manifest, and make it the one that is read."""
        names = names or companion("labels", "names.json", [self.names_url], LABELS)
        mean = companion("mean", "mean.npy", [self.server.root + "/mean.npy"])
        files = {"mine": entry(self.data, self.url, **changes),
                 "other": entry(b"other", self.url, file="other.pth")}
        where = self.folder / f"manifest{len(list(self.folder.iterdir()))}.json"
        write(where, files, {"names": names, "mean": mean}, {files["mine"]["model"]: "mine"})
        self.monkeypatch.setattr(manifest, "PLACES", (where,))

    def file(self, name="squeeze.pth", data=None):
        """A user's file; the official one where nothing is said."""
        data = self.data if data is None else data
        (self.folder / "user").mkdir(exist_ok=True)
        path = self.folder / "user" / name
        path.write_bytes(data)
        return path

    def left(self):
        """The names of all files in the cache."""
        return sorted(str(path.relative_to(self.cache)) for path in self.cache.rglob("*")
                      if path.is_file())


@contextmanager
def world(folder, monkeypatch, data):
    """A World, while its server runs."""
    monkeypatch.setenv("no_proxy", "*")
    with serving() as server:
        yield World(server, folder, monkeypatch, data)
