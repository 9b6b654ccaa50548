"""A folder that is filled whole or not at all, and never over somebody's files."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from atrobayes.errors import UsageError


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """Give a draft folder to write into; give it its name when the block succeeds.

    Parameters
    ----------
    folder : Path
        New or empty; its parents are made.

    Raises
    ------
    UsageError
        If the folder holds anything or is a file; nothing is written then.
    """
    folder = folder.absolute()
    _refuse_unless_empty(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as scratch:
        draft = Path(scratch) / "study"
        draft.mkdir()
        yield draft
        _move(draft, folder)


def _refuse_unless_empty(folder: Path) -> None:
    if folder.is_dir():
        if any(folder.iterdir()):
            raise UsageError(f"{folder}: found files in it; expected a new or an empty folder; name another one")
    elif folder.exists():
        raise UsageError(f"{folder}: found a file; expected a new or an empty folder; name another one")


def _move(draft: Path, folder: Path) -> None:
    """Rename the finished draft; into a folder that exists, its contents, study.toml last."""
    if not folder.exists():
        draft.replace(folder)
        return
    for item in sorted(draft.iterdir(), key=lambda item: (item.name == "study.toml", item.name)):
        item.replace(folder / item.name)
