"""What a result is made from, as a key: the function, the item, and the software."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import sys
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from atrobayes.models.frame import Frame

# numbers may hang on each of these
LIBRARIES = ("atrobayes", "numpy", "scipy", "pandas", "xarray", "bambi", "pymc", "pytensor", "nutpie", "numba")
_ROOMS = ("models", "inference")
_KINDS = "fiub"  # of numpy: float, signed and unsigned integer, bool


def key_of(function: Callable[..., Any], item: str) -> str:
    """Key of one result: SHA-256 of what it is made from.

    Parameters
    ----------
    function : callable
        Of a module.
    item : str
        Says what the item is, as `digest` does; equal items have equal ones.
    """
    parts = {"function": name_of(function), "item": item, "versions": dict(versions())}
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def name_of(function: Callable[..., Any]) -> str:
    """Name of a look: the function's, with its module within atrobayes."""
    return f"{function.__module__}.{function.__qualname__}".removeprefix("atrobayes.").removeprefix("inference.")


@functools.cache
def versions() -> Mapping[str, str]:
    """Versions of everything that numbers may hang on, and a hash of our own statistics' source."""
    python = ".".join(map(str, sys.version_info[:2]))
    packages = {name: _version(name) for name in LIBRARIES}
    return MappingProxyType({"python": python, **packages, "source": _source()})


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "none"


def _source() -> str:
    """SHA-256 over the files of the rooms that compute: a formula that was mended makes old results stale."""
    package = Path(__file__).parents[1]
    state = hashlib.sha256()
    for path in sorted(path for room in _ROOMS for path in (package / room).rglob("*.py")):
        state.update(path.relative_to(package).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return state.hexdigest()


def digest(value: Any) -> str:
    """SHA-256 of a frozen value: dataclasses, containers, arrays, texts and numbers, whatever they are nested in.

    Parameters
    ----------
    value : object
        Frames count by their digest and the labels of their patients, what has an `identity()` (Settings) by that,
        functions by their names.

    Raises
    ------
    TypeError
        If it holds something else.
    """
    return hashlib.sha256(json.dumps(_plain(value)).encode()).hexdigest()


def _plain(value: Any) -> Any:
    """Lists, texts and numbers that say what a value is, kind included."""
    kind = type(value).__name__
    if value is None or isinstance(value, bool | int | str | Path):
        return [kind, str(value)]
    if isinstance(value, float):
        return [kind, float(value).hex()]
    if isinstance(value, np.ndarray | np.generic):
        return [kind, *_plain_array(np.asarray(value))]
    if isinstance(value, Mapping | set | frozenset):
        pairs = value.items() if isinstance(value, Mapping) else [(one, None) for one in value]
        return [kind, sorted((json.dumps(_plain(one)), json.dumps(_plain(of_it))) for one, of_it in pairs)]
    if isinstance(value, list | tuple):
        return [kind, *map(_plain, value)]
    return [kind, _plain_object(value)]


def _plain_array(values: np.ndarray) -> list[Any]:
    if values.dtype.kind not in _KINDS:
        return [values.shape, *map(_plain, values.ravel().tolist())]
    return [values.shape, str(values.dtype), hashlib.sha256(np.ascontiguousarray(values).tobytes()).hexdigest()]


def _plain_object(value: Any) -> Any:
    if isinstance(value, Frame):
        return [value.digest, value.patients]  # no number hangs on the labels, but tables name them
    if hasattr(value, "identity"):
        return _plain(value.identity())
    if hasattr(value, "model_dump"):  # a table of the study file
        return _plain(value.model_dump())
    if dataclasses.is_dataclass(value):
        return {one.name: _plain(getattr(value, one.name)) for one in dataclasses.fields(value)}
    if callable(value) and hasattr(value, "__qualname__"):
        return f"{value.__module__}.{value.__qualname__}"
    raise TypeError(f"no digest of a {type(value).__name__}: give a key of your own")
