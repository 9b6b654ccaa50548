"""Results of many independent calls, kept so that a run that was killed goes on where it stood.

A look's file holds one line for each result: its key, the SHA-256 of its text, and the table as text. Lines
are added as results come, so a run that is killed loses what was being computed and no more; a line cut off or
changed does not fit its hash and is computed anew. At the end the lines are put in the order of their keys.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from atrobayes.files import write_text


@dataclass(frozen=True)
class LookStore:
    """A folder of results, a file for each look.

    Attributes
    ----------
    folder : Path
        Holds `<look>.txt`.
    scratch : Path or None
        Where files are written before they get their name.
    asked : dict of str to set of str
        Look → keys asked for so far: what `keep_only_asked` keeps.
    """

    folder: Path
    scratch: Path | None = None
    asked: dict[str, set[str]] = field(default_factory=dict)

    def path(self, look: str) -> Path:
        """Where the results of a look are kept."""
        return self.folder / f"{look}.txt"

    def find(self, look: str, keys: Iterable[str]) -> dict[str, str]:
        """Texts of the results that are kept and whole, by key."""
        wanted = set(keys)
        self.asked.setdefault(look, set()).update(wanted)
        return {key: text for key, text in self._lines(look).items() if key in wanted}

    def add(self, look: str, texts: Mapping[str, str]) -> None:
        """Keep results at once: key → text."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.path(look).open("ab") as stream:
            # the line end comes first: a line cut off by a killed run must not take the next one with it
            stream.write("".join("\n" + _line(key, text) for key, text in texts.items()).encode())

    def settle(self, look: str) -> None:
        """Put the lines of a look in order: the same bytes however often the run was killed."""
        self._write(look, self._lines(look))

    def keep_only_asked(self) -> None:
        """Remove results that belong to no item any more, of every look asked for since the store was made."""
        for look, keys in self.asked.items():
            self._write(look, {key: text for key, text in self._lines(look).items() if key in keys})

    def _lines(self, look: str) -> dict[str, str]:
        """Key → text of every whole line."""
        path = self.path(look)
        if not path.is_file():
            return {}
        lines = (line.split(b"\t") for line in path.read_bytes().split(b"\n"))
        return {
            key.decode(): text.decode()
            for key, digest, text in (line for line in lines if len(line) == 3)
            if _digest(key, text) == digest
        }

    def _write(self, look: str, texts: Mapping[str, str]) -> None:
        whole = "".join(_line(key, texts[key]) + "\n" for key in sorted(texts))
        path = self.path(look)
        if not whole:
            path.unlink(missing_ok=True)
        elif not path.is_file() or path.read_bytes() != whole.encode():
            write_text(path, whole, self.scratch)


def _line(key: str, text: str) -> str:
    return f"{key}\t{_digest(key.encode(), text.encode()).decode()}\t{text}"


def _digest(key: bytes, text: bytes) -> bytes:
    return hashlib.sha256(key + b"\t" + text).hexdigest().encode()
