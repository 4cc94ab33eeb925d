"""Picture files and arrays of pixels: reading, writing, resizing.

In memory a picture is a uint8 array (H, W, 3), red first. Pillow is imported inside the functions
that need it, so that `import minicnn` stays quick.
"""

from __future__ import annotations

import io
import os
import re
import warnings
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from minicnn.images.decoding import MAX_PIXELS, ImageError, to_rgb
from minicnn.images.writing import check_writable, write

if TYPE_CHECKING:
    import PIL.Image

Photo: TypeAlias = "str | Path | np.ndarray | PIL.Image.Image"  # what `to_pixels` reads

RESAMPLES = ("nearest", "box", "bilinear", "hamming", "bicubic", "lanczos")
FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG"}
SMALL, LARGE = 224, 256  # longer sides in pixels: of what is enlarged, and to at least what
ENLARGED = "enlarged by minicnn for viewing"  # so begins the comment, a sentence, of such a file
HEAD = 1000  # bytes of a file that have its comment


def load(path: str | Path, wanted: Callable | None = None) -> np.ndarray:
    """Read a picture file as RGB, as a viewer would show it.

    This applies the camera's (EXIF) orientation, puts transparent parts on white, scales 16-bit
    grey to 8 bits, and takes the first frame of an animation. Colour profiles are ignored.

    Parameters
    ----------
    path : str or path
    wanted : callable, optional
        From a size (H, W) to the size that such a picture will be resized to: a very large picture
        is then read at a reduced size, see `minicnn.images.decoding`.

    Returns
    -------
    image : (H, W, 3) uint8, 0..255, red first

    Raises
    ------
    ImageError
        No such file, a folder, not a picture, truncated, without pixels, or far too large.
    """
    path = Path(path)
    if not path.is_file():
        what = ("is a folder, not a picture" if path.is_dir() else
                "is a pipe or a device, not an ordinary file" if path.exists() else "no such file")
        raise ImageError(f"{path}: {what}; give the path of a PNG or JPEG file")
    if path.stat().st_size == 0:
        raise ImageError(f"{path}: the file is empty (0 bytes); copy or download it again")
    return _read(path, path, wanted)


def decode(data: bytes, name: str | Path = "picture") -> np.ndarray:
    """Read a picture from the bytes of its file, as `load` does from the file.

    Parameters
    ----------
    data : bytes
    name : str
        The picture's name in error messages.

    Returns
    -------
    image : (H, W, 3) uint8, 0..255, red first

    Raises
    ------
    ImageError
    """
    return _read(io.BytesIO(data), name)


def _read(file, name, wanted=None):
    from PIL import Image

    try:
        with warnings.catch_warnings():  # of a size that is allowed here
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            picture = Image.open(file)
        with picture:
            return to_rgb(picture, wanted)
    except ImageError as error:
        raise ImageError(f"{name}: {error}") from error
    except Image.UnidentifiedImageError as error:
        raise ImageError(f"{name}: not a picture in a known format, whatever its name says; "
                         "expected PNG, JPEG, GIF or the like") from error
    except Image.DecompressionBombError as error:
        raise ImageError(f"{name}: more than {2 * Image.MAX_IMAGE_PIXELS:,} pixels; make the "
                         "picture smaller first") from error
    except Exception as error:  # for damaged files decoders raise almost any error
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ImageError(f"{name}: cannot be read ({reason}); try a fresh copy") from error


def save(path: str | Path, image: np.ndarray, quality: int = 95, comment: str = "") -> None:
    """Write a picture as PNG or JPEG, completely or not at all.

    Parameters
    ----------
    path : str or path
        Must end in .png, .jpg or .jpeg, in an existing folder.
    image : (H, W, 3) or (H, W) uint8
    quality : int, 1..100
        For JPEG only, which is written without colour subsampling (4:4:4).
    comment : str
        A text that goes into the file.

    Raises
    ------
    ImageError
        Another suffix, another kind of array.
    ValueError, OSError
        The file cannot be written; an older file of this name stays unchanged.
    """
    kind = check_destination(path)
    if not 1 <= quality <= 100:
        raise ImageError(f"images.save: quality must be 1..100, got {quality}")
    pixels = np.asarray(image)
    if pixels.dtype != np.uint8:
        raise ImageError(f"images.save: expected uint8 pixels 0..255, got {pixels.dtype}; use "
                         "images.restore for a network's input, display.to_uint8 for other arrays")
    _check_shape(pixels, "images.save")
    options = {"quality": quality, "subsampling": 0} if kind == "JPEG" else {}
    if comment:
        options |= {"comment": comment} if kind == "JPEG" else {"pnginfo": _png_text(comment)}
    write(path, encode(pixels, kind, **options))


def _png_text(comment):
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_itxt("Comment", comment)
    return info


def encode(image: np.ndarray, kind: str = "PNG", **options: Any) -> bytes:
    """A picture, (H, W, 3) or (H, W) uint8, as the bytes of a PNG file, or of another of FORMATS
    with Pillow's options."""
    file = io.BytesIO()  # Pillow does not see that a full disk takes only a part of a JPEG
    to_pil(np.asarray(image)).save(file, format=kind, **options)
    return file.getvalue()


def check_destination(path: str | Path, formats: dict[str, str] = FORMATS) -> str:
    """Raise unless a picture can be saved at `path`; call it before hours of work, not after.

    Parameters
    ----------
    path : str or path
    formats : dict
        The allowed formats by suffix.

    Returns
    -------
    str
        The format of this suffix, "PNG" or "JPEG".

    Raises
    ------
    ImageError
        Another suffix.
    ValueError, OSError
        Nothing can be written there: see `writing.check_writable`.
    """
    kind = formats.get(Path(path).suffix.lower())
    if kind is None:
        raise ImageError(f"{path}: cannot tell the file format; end the name in one of "
                         f"{', '.join(formats)}")
    check_writable(path)
    return kind


def resize(image: np.ndarray, size: int | Sequence[int], resample: str = "bicubic",
           middle: Sequence[int] | None = None) -> np.ndarray:
    """Resize a picture to exactly (H, W); when reducing, every old pixel counts.

    Parameters
    ----------
    image : (H, W, 3), (H, W, 1) or (H, W) uint8
    size : int or (H, W)
    resample : one of RESAMPLES
    middle : (h, w), optional
        Return only the middle of the resized picture.

    Returns
    -------
    resized : uint8, with as many dimensions as `image`
    """
    from PIL import Image

    check_choice("resample", resample, RESAMPLES)
    height, width = height_width(size)
    if height * width > MAX_PIXELS:
        raise ImageError(f"images.resize: {height} x {width} is more than {MAX_PIXELS:,} pixels; "
                         "crop a very long picture first, or choose a smaller size")
    shape, box = (height, width), None
    if middle is not None:
        shape, box = middle, _middle_of(image.shape, (height, width), middle)
    resized = to_pil(image).resize(shape[::-1], Image.Resampling[resample.upper()], box)
    return np.array(resized).reshape(*shape, *image.shape[2:])


def _middle_of(have, size, middle):
    """(left, top, right, bottom) in an image of which `middle` is seen once it has `size`."""
    first = [(size[a] - middle[a]) // 2 for a in (0, 1)]
    return [(first[a] + end * middle[a]) * have[a] / size[a] for end in (0, 1) for a in (1, 0)]


def enlarged(image: np.ndarray, resample: str = "lanczos") -> np.ndarray:
    """A small picture, of less than 224 pixels on its longer side, for viewing: enlarged by the
    least whole factor that makes this side 256 or more. A larger picture is returned as it is.

    Parameters
    ----------
    image : (H, W, 3) or (H, W) uint8
    resample : one of RESAMPLES
        "nearest" where each pixel shall become a block.

    Returns
    -------
    uint8, with as many dimensions as `image`

    Examples
    --------
    >>> enlarged(np.zeros((48, 64, 3), np.uint8)).shape
    (192, 256, 3)
    """
    height, width = image.shape[:2]
    factor = -(-LARGE // max(height, width))
    if max(height, width) >= SMALL:
        return image
    return resize(image, (factor * height, factor * width), resample)


def warn_of_enlarged(image: Photo) -> None:
    """Warn of a readable picture that was enlarged for viewing: a network sees it otherwise."""
    if isinstance(image, (str, os.PathLike)):
        with open(image, "rb") as file:
            head = file.read(HEAD).decode("latin-1")
    else:
        head = str(getattr(image, "info", ""))  # of a PIL image
    if found := re.search(rf"{ENLARGED}[^.]*\.", head):
        warnings.warn(f"{getattr(image, 'filename', image)}: {found[0]} A network sees the two a "
                      "little differently", stacklevel=4)


# ---- conversion to (H, W, 3) uint8

def to_pixels(image: Photo, wanted: Callable | None = None) -> np.ndarray:
    """A path, a PIL image or an array as pixels (H, W, 3) uint8; ImageError for anything else.

    `wanted` as for `load`.
    """
    from PIL import Image

    if isinstance(image, (str, os.PathLike)):
        return load(image, wanted)
    if isinstance(image, Image.Image):
        return _pil_to_pixels(image, wanted)
    if isinstance(image, np.ndarray):
        return _array_to_pixels(image)
    raise ImageError("images.prepare: expected a path, a PIL image or a NumPy array, "
                     f"got {type(image).__name__}")


def _pil_to_pixels(image, wanted):
    try:
        return to_rgb(image.copy(), wanted)
    except (ValueError, OSError) as error:  # a file still to be read, a rare mode
        raise ImageError(f"images.prepare: a PIL image of mode {image.mode}: {error}") from error


def _array_to_pixels(image):
    _check_shape(image, "images.prepare")
    pixels = _fractions_to_pixels(image) if image.dtype.kind == "f" else image
    if pixels.dtype != np.uint8:
        raise ImageError(f"images.prepare: expected uint8 pixels 0..255, got {image.dtype}; "
                         "convert with .astype(np.uint8) if they are pixels 0..255")
    pixels = pixels.reshape(*pixels.shape[:2], -1)  # H,W -> H,W,1
    return pixels if pixels.shape[2] == 3 else np.repeat(pixels, 3, axis=2)  # H,W,1 -> H,W,3


def _fractions_to_pixels(image):
    if not (image.min() >= 0 and image.max() <= 1):  # in this form NaN fails, too
        raise ImageError(f"images.prepare: expected uint8 pixels 0..255, got {image.dtype} from "
                         f"{image.min():g} to {image.max():g}; pass raw pixels, not prepared ones")
    warnings.warn("images.prepare: floats within 0..1 count as fractions of 255; pass uint8 pixels "
                  "to be sure of the range", stacklevel=5)
    return np.rint(image * 255.0).astype(np.uint8)




def to_pil(pixels: np.ndarray) -> PIL.Image.Image:
    """Pixels (H, W, 3), (H, W, 1) or (H, W) as a PIL image."""
    from PIL import Image

    grey = pixels.ndim == 3 and pixels.shape[2] == 1
    return Image.fromarray(np.ascontiguousarray(pixels[..., 0] if grey else pixels))


# ---- checks

def check_choice(name: str, value: Any, choices: Collection) -> None:
    """Raise ImageError unless the value of a setting is one of its choices."""
    if value not in choices:
        raise ImageError(f"{name}: expected one of {', '.join(choices)}; got {value!r}")


def _check_shape(pixels, who):
    right = pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] in (1, 3))
    if not right or pixels.size == 0:
        hint = "; from a batch pass one picture, x[0]" if pixels.ndim == 4 else ""
        raise ImageError(f"{who}: expected (H, W, 3), (H, W, 1) or (H, W), got "
                         f"{pixels.shape}{hint}")


def check_finite(a: np.ndarray, who: str) -> None:
    """Raise ImageError, beginning with the caller's name `who`, unless all values are finite."""
    bad = a.size - np.count_nonzero(np.isfinite(a))
    if bad:
        raise ImageError(f"{who}: {bad} of {a.size} values are not finite; an earlier step "
                         "diverged (try a smaller step size)")


def height_width(size: int | Sequence[int]) -> tuple[int, int]:
    """A size as (H, W); a single whole number means a square. ImageError for anything else."""
    pair = np.atleast_1d(size)
    if pair.shape not in ((1,), (2,)) or pair.dtype.kind not in "iu" or pair.min() < 1:
        raise ImageError(f"size: expected a whole number or (H, W), each at least 1; got {size!r}")
    return int(pair[0]), int(pair[-1])
