"""A machine with a made-up driver and made-up CuPy packages."""

from importlib import metadata

from minicnn.backend import driver


def install(monkeypatch, version, packages):
    """The driver serves CUDA `version` (None: there is none); packages are {"cupy_cuda12x": "14"}
    and no others."""
    installed = {name.replace("_", "-"): number for name, number in packages.items()}

    def find(name):
        if name not in installed:
            raise metadata.PackageNotFoundError(name)
        return installed[name]

    monkeypatch.setattr(driver, "driver_version", lambda: version)
    monkeypatch.setattr(driver.metadata, "version", find)
