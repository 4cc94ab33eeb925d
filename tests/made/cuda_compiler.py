"""NVIDIA's runtime compiler NVRTC through ctypes: it needs neither a GPU nor a driver.

It comes with CUDA, and as the package nvidia-cuda-nvrtc-cu12, which `pip install minicnn[test]`
brings on Linux for x86-64.
"""

import ctypes
import ctypes.util
import sys
from functools import cache
from pathlib import Path

import pytest

FOLDERS = ("nvidia/cuda_nvrtc/lib", "nvidia/cu13/lib", "nvidia/cuda_nvrtc/bin", "nvidia/cu13/bin")
OPTIONS = ("--std=c++17", "--ftz=true")  # as CuPy compiles
OLD_GPUS = "nvrtc: warning: Architectures prior to"  # said of compute_70, not of the source


@cache
def nvrtc():
    """The library; the test skips where there is none."""
    for path in candidates():
        try:
            for part in Path(path).parent.glob("libnvrtc-builtins.so.*"):  # it looks elsewhere
                ctypes.CDLL(str(part))
            return ctypes.CDLL(str(path))
        except OSError:
            continue
    pytest.skip("needs NVIDIA's compiler NVRTC (pip install nvidia-cuda-nvrtc-cu12)")


def candidates():
    """Where the library may lie: among the installed packages, then where the system looks."""
    for entry in sys.path:
        for folder in FOLDERS:
            for pattern in ("libnvrtc.so.*", "nvrtc64_*.dll"):
                yield from (path for path in sorted(Path(entry, folder).glob(pattern))
                            if "alt" not in path.name)
    found = ctypes.util.find_library("nvrtc")
    if found:
        yield found


def architectures():
    """The GPU generations that this compiler knows, as numbers: 70 is Volta, 80 Ampere, 90
    Hopper."""
    count = ctypes.c_int()
    check(nvrtc().nvrtcGetNumSupportedArchs(ctypes.byref(count)))
    numbers = (ctypes.c_int * count.value)()
    check(nvrtc().nvrtcGetSupportedArchs(numbers))
    return list(numbers)


def compile_source(source, architecture):
    """(PTX code, what the compiler said): no code where there is an error."""
    program = ctypes.c_void_p()
    check(nvrtc().nvrtcCreateProgram(ctypes.byref(program), source.encode(), b"kernel.cu", 0,
                                     None, None))
    try:
        options = (*OPTIONS, f"--gpu-architecture=compute_{architecture}")
        texts = (ctypes.c_char_p * len(options))(*(option.encode() for option in options))
        failed = nvrtc().nvrtcCompileProgram(program, len(options), texts)
        log = text_of(program, nvrtc().nvrtcGetProgramLogSize, nvrtc().nvrtcGetProgramLog)
        said = [line for line in log.splitlines() if not line.startswith(OLD_GPUS)]
        ptx = "" if failed else text_of(program, nvrtc().nvrtcGetPTXSize, nvrtc().nvrtcGetPTX)
        return ptx, "\n".join(said).strip()
    finally:
        check(nvrtc().nvrtcDestroyProgram(ctypes.byref(program)))


def text_of(program, ask_size, ask):
    """One of the texts that a compiled program has."""
    size = ctypes.c_size_t()
    check(ask_size(program, ctypes.byref(size)))
    text = ctypes.create_string_buffer(size.value)
    check(ask(program, text))
    return text.value.decode()


def check(result):
    """Every function of NVRTC returns 0 when it succeeds."""
    assert result == 0, f"NVRTC returned {result}"
