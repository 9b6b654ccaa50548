"""Ways to spoil a file of the good study."""

from __future__ import annotations

import gzip
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from .case import Spoil

TWO_GIGABYTES = 2 * 1024**3


def edit(name: str, old: str, new: str) -> Spoil:
    """Put other words in place of words that stand there once."""

    def spoil(study: Path) -> None:
        text = (study / name).read_text()
        assert 1 == text.count(old), (name, old, text.count(old))
        (study / name).write_text(text.replace(old, new))

    return spoil


def text_as(name: str, change: Callable[[str], str]) -> Spoil:
    """Change the whole text of a file, which must make a difference."""

    def spoil(study: Path) -> None:
        text = (study / name).read_text()
        changed = change(text)
        assert changed != text
        (study / name).write_text(changed)

    return spoil


def bytes_as(name: str, change: Callable[[bytes], bytes]) -> Spoil:
    """Change the bytes of a file."""
    return lambda study: (study / name).write_bytes(change((study / name).read_bytes()))


def holding(name: str, content: str | bytes) -> Spoil:
    """Give a file another content, or make it."""

    def spoil(study: Path) -> None:
        (study / name).parent.mkdir(parents=True, exist_ok=True)
        (study / name).write_bytes(content if isinstance(content, bytes) else content.encode())

    return spoil


def cell(name: str, line: int, column: str, text: str) -> Spoil:
    """Write something else into one cell of a table."""

    def change(whole: str) -> str:
        lines = [row.split("\t") for row in whole.split("\n")]
        lines[line - 1][lines[0].index(column)] = text
        return "\n".join(map("\t".join, lines))

    return text_as(name, change)


def column(name: str, header: str, *cells: str) -> Spoil:
    """Add a column to a table; rows without a cell of their own get n/a."""

    def change(whole: str) -> str:
        first, *rows = whole.rstrip("\n").split("\n")
        told = [*cells, *["n/a"] * (len(rows) - len(cells))]
        return (
            "\n".join([f"{first}\t{header}", *(f"{row}\t{text}" for row, text in zip(rows, told, strict=True))]) + "\n"
        )

    return text_as(name, change)


def line(name: str, text: str) -> Spoil:
    """Add a line at the end of a file."""
    return text_as(name, lambda whole: f"{whole}{text}\n")


def both(*spoils: Spoil) -> Spoil:
    """One after the other."""
    return lambda study: [spoil(study) for spoil in spoils]


def nothing(study: Path) -> None:
    """The study itself is good."""


def removed(name: str) -> Spoil:
    """Take a file or folder away."""

    def spoil(study: Path) -> None:
        path = study / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()

    return spoil


def moved(name: str, new: str) -> Spoil:
    """Give a file or folder another name."""
    return lambda study: (study / name).rename(study / new)


def folder(name: str) -> Spoil:
    """Put a folder where a file should be."""
    return both(removed(name), lambda study: (study / name).mkdir())


def pipe(name: str) -> Spoil:
    """Put a pipe where a file should be: whoever reads it waits for ever."""
    return both(removed(name), lambda study: os.mkfifo(study / name))


def loop(name: str) -> Spoil:
    """Put a link to itself where a file should be."""
    return both(removed(name), lambda study: (study / name).symlink_to(study / name))


def dead_link(name: str) -> Spoil:
    """Put a link to nothing where a file should be."""
    return both(removed(name), lambda study: (study / name).symlink_to(study / "elsewhere"))


def huge(name: str) -> Spoil:
    """Make a file of 2 GB that takes no room on the disk."""
    return lambda study: os.truncate(study / name, TWO_GIGABYTES)


def packed(name: str) -> Spoil:
    """Pack a file and leave it under its name."""
    return bytes_as(name, gzip.compress)


def encoded(name: str, encoding: str) -> Spoil:
    """Save a text in another encoding."""
    return bytes_as(name, lambda raw: raw.decode().encode(encoding))


def crlf(name: str) -> Spoil:
    """End lines as Windows does, after a byte-order mark."""
    return bytes_as(name, lambda raw: b"\xef\xbb\xbf" + raw.replace(b"\n", b"\r\n"))
