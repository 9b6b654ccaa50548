"""The posterior files of a results folder, looked up by what they were made from."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr


@dataclass(frozen=True)
class Store:
    """A folder of posteriors.

    Attributes
    ----------
    folder : Path
        Holds `<analysis>--<method>--<engine>.nc`.
    scratch : Path or None
        Where files are written before they get their name.
    """

    folder: Path
    scratch: Path | None = None

    def path(self, name: str) -> Path:
        """Where the fit of that name is kept."""
        return self.folder / f"{name}.nc"

    def keep_only(self, names: set[str]) -> None:
        """Remove fits that are no longer asked for."""
        for path in self.folder.glob("*.nc"):
            if path.stem not in names:
                path.unlink()


def content_hash(tree: xr.DataTree) -> str:
    """SHA-256 of every array, coordinate and root attribute of a tree, whatever the file's layout."""
    state = hashlib.sha256()
    for group in sorted(tree.subtree, key=lambda node: node.path):
        state.update(group.path.encode())
        for name in sorted(map(str, group.to_dataset(inherit=False).variables)):
            values = group[name].to_numpy()
            if values.dtype.kind not in "fiub":
                values = np.array("\0".join(map(str, values.ravel().tolist())))
            state.update(f"{name}{group[name].dims}{values.shape}".encode() + values.tobytes())
    for name in sorted(set(map(str, tree.attrs)) - {"content_sha256"}):
        state.update(f"{name}={tree.attrs[name]}".encode())
    return state.hexdigest()
