"""Image files, unpacked whole and measured against what their header promises before nibabel makes arrays of them."""

from __future__ import annotations

import gzip
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NoReturn, cast

import numpy as np
from numpy.typing import NDArray

from atrobayes.errors import DataError, Fault

if TYPE_CHECKING:
    from nibabel.spatialimages import SpatialImage

# Four times a head at 0.4 mm; whatever claims to be larger is a damaged header, or made to fill the memory.
MOST_VOXELS = 2**29
# What may stand beside the voxels: FreeSurfer's tags behind them, NIfTI's extensions before them.
_SLACK = 2**24
_CHUNK = 2**20
_MGH_HEAD, _NIFTI1_HEAD, _NIFTI2_HEAD = 284, 348, 540
# Nonsense in a header overflows before it is refused.
_QUIET = np.errstate(over="ignore", invalid="ignore")
_SIZES_MM = (0.01, 100.0)
_ANEW = "make the file anew, or copy it again"


@_QUIET
def read_mgh(path: Path) -> SpatialImage:
    """Read a FreeSurfer volume, `.mgz` or `.mgh`, whole.

    Returns
    -------
    nibabel image (i, j, k)
        Its zooms are those of the file: a header without voxel sizes is refused, not taken for 1 mm.

    Raises
    ------
    DataError
        If the file is absent, damaged, cut off, not of this format, not of three dimensions, or larger
        than a head can be.
    """
    from nibabel.freesurfer.mghformat import MGHImage, header_dtype

    what = "a FreeSurfer volume (.mgz)"
    with _reading(path, what) as stream:
        head = stream.read(_MGH_HEAD)
        if len(head) < _MGH_HEAD:
            _fail(path, f"{len(head)} bytes", what)
        fields = np.frombuffer(head[: header_dtype.itemsize], header_dtype)[0]
        if fields["version"] != 1 or int(fields["type"]) not in {0, 1, 3, 4, 10}:
            _fail(path, "no header of this format", what)
        _check_shape(path, tuple(map(int, fields["dims"])))
        if not fields["goodRASFlag"]:
            _fail(path, "a header without voxel sizes", "a volume that says how large its voxels are")
        _check_zooms(path, fields["delta"])
        bytes_a_voxel = {0: 1, 4: 2, 10: 2}.get(int(fields["type"]), 4)
        size = _MGH_HEAD + bytes_a_voxel * int(np.prod(fields["dims"], dtype=np.int64))
        return MGHImage.from_bytes(head + _rest(path, stream, len(head), size))


@_QUIET
def read_nifti(path: Path) -> SpatialImage:
    """Read a NIfTI image of one file, `.nii` or `.nii.gz`, whole.

    Returns
    -------
    nibabel image (i, j, k)
        Its affine leads to mm; a fourth dimension of length one may follow the three.

    Raises
    ------
    DataError
        If the file is absent, damaged, cut off, not of this format, not of three dimensions, larger than
        a head can be, in other units than mm, or has two different voxel sizes in its header.
    """
    from nibabel.nifti1 import Nifti1Image
    from nibabel.nifti2 import Nifti2Image

    what = "a NIfTI image (.nii or .nii.gz)"
    with _reading(path, what) as stream:
        head = stream.read(_NIFTI1_HEAD)
        if len(head) < _NIFTI1_HEAD:
            _fail(path, f"{len(head)} bytes", what)
        length = {int.from_bytes(head[:4], order) for order in ("little", "big")}
        if not length & {_NIFTI1_HEAD, _NIFTI2_HEAD}:
            _fail(path, "no header of this format", what)
        kind = Nifti2Image if _NIFTI2_HEAD in length else Nifti1Image
        if kind is Nifti2Image:
            head += stream.read(_NIFTI2_HEAD - _NIFTI1_HEAD)
        # unchecked, for nibabel's checks mend: a voxel of 0 mm becomes one of 1 mm
        size = _nifti_size(path, cast("Any", kind.header_class)(head, check=False))
        image = kind.from_bytes(head + _rest(path, stream, len(head), size))
    _check_spacing(path, image)
    return image


def voxel_volume(image: SpatialImage) -> float:
    """Volume of a voxel in mm³, as the affine has it."""
    affine = cast("NDArray[np.float64]", image.affine)
    return float(abs(np.linalg.det(affine[:3, :3])))


def _nifti_size(path: Path, header: Any) -> int:
    """Bytes the file must have; what else the header says is checked on the way."""
    if bytes(header["magic"])[:3].rstrip(b"\0") not in {b"n+1", b"n+2"}:
        _fail(path, "the header of an image in two files", "header and voxels in one file (.nii or .nii.gz)")
    _check_shape(path, tuple(map(int, header.get_data_shape())))
    if header.get_data_dtype().kind not in "iufb":
        _fail(path, f"voxels of type {header.get_value_label('datatype')}", "numbers")
    _check_zooms(path, header.get_zooms()[:3])
    unit = header.get_xyzt_units()[0]
    if unit not in {"mm", "unknown"}:  # many programs leave the unit empty and mean mm
        _fail(path, f"voxel sizes in {unit}", "in mm", "convert the image")
    offset = float(header["vox_offset"])
    if not 0 <= offset <= _SLACK:
        _fail(path, f"voxels from byte {offset:g} on", "voxels behind the header")
    offset = max(offset, header.single_vox_offset)
    return int(offset) + header.get_data_dtype().itemsize * int(np.prod(header.get_data_shape(), dtype=np.int64))


def _check_shape(path: Path, shape: tuple[int, ...]) -> None:
    told = " × ".join(map(str, shape))
    if len(shape) < 3 or any(length != 1 for length in shape[3:]):
        _fail(path, f"dimensions {told}", "an image of three dimensions", "take out the one volume that is meant")
    if min(shape) < 1:
        _fail(path, f"dimensions {told}", "at least one voxel each way")
    if np.prod([float(length) for length in shape]) > MOST_VOXELS:
        _fail(path, f"dimensions {told}", f"at most {MOST_VOXELS:,} voxels")


def _check_zooms(path: Path, zooms: Any) -> None:
    sizes = np.asarray(zooms, np.float64)
    low, high = _SIZES_MM
    if not ((sizes >= low) & (sizes <= high)).all():
        _fail(path, f"voxel sizes {_told(sizes)}", f"between {low:g} and {high:g} mm")


def _check_spacing(path: Path, image: SpatialImage) -> None:
    """Sizes of voxels stand in a NIfTI header twice, and programs do change one without the other."""
    affine = cast("NDArray[np.float64]", image.affine)
    zooms, sizes = _zooms(image.header), np.linalg.norm(affine[:3, :3], axis=0)
    if not (np.isfinite(affine).all() and np.allclose(zooms, sizes, rtol=1e-3, atol=0) and voxel_volume(image) > 0):
        found = f"voxel sizes {_told(zooms)} (pixdim) and {_told(sizes)} (affine)"
        _fail(path, found, "the same twice", "make the image anew with one of them")


def _zooms(header: Any) -> NDArray[np.float64]:
    return np.asarray(header.get_zooms()[:3], np.float64)


def _told(sizes: NDArray[np.float64]) -> str:
    return " × ".join(f"{size:.6g}" for size in sizes) + " mm"


def _rest(path: Path, stream: BinaryIO, done: int, size: int) -> bytes:
    """Read what follows the header, to the end, so that the checksum of a packed file is looked at."""
    parts, have = [], done
    while chunk := stream.read(_CHUNK):
        parts.append(chunk)
        have += len(chunk)
        if have > size + _SLACK:
            _fail(path, f"more than the {size:,} bytes its header speaks of", "one image", _ANEW)
    if have < size:
        _fail(path, f"{have:,} bytes", f"{size:,} as its header says: the file is cut off", _ANEW)
    return b"".join(parts)


@contextmanager
def _reading(path: Path, what: str) -> Iterator[BinaryIO]:
    from nibabel.filebasedimages import ImageFileError
    from nibabel.freesurfer.mghformat import MGHError
    from nibabel.spatialimages import HeaderDataError
    from nibabel.wrapstruct import WrapStructError

    try:
        mode = path.stat().st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):  # a pipe would be waited for without end
            _fail(path, "a pipe or a device", what, "mend the path")
        with path.open("rb") as raw:
            packed = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            with gzip.GzipFile(fileobj=raw) if packed else raw as stream:
                yield cast("BinaryIO", stream)
    except FileNotFoundError:
        _fail(path, "no such file", what, "mend the path, or put the file there")
    except PermissionError:
        raise  # the file may be sound: it is not for us to judge
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        _fail(path, f"a damaged packed file ({str(error).rstrip('.')})", what, _ANEW)
    except OSError as error:
        _fail(path, f"a file that cannot be read ({error.strerror})", what, "check the file and the disk it is on")
    except (HeaderDataError, ImageFileError, MGHError, WrapStructError, ValueError, KeyError) as error:
        _fail(path, f"a damaged header ({error})", what)


def _fail(path: Path, found: str, expected: str, todo: str = _ANEW) -> NoReturn:
    raise DataError(Fault(found, expected, todo, str(path)))
