"""Mutates stats files and reads them: python benchmarks/fuzz_stats.py --inputs 200000 --seed 1

Whatever the bytes, the reader gives a table whose parts fit together, or refuses it with a DataError; anything else
ends the run with the seed and number of the input. Takes the .stats files under `--files`, else those of an example
cohort. The suite runs 2,000 inputs of the same (tests/data_prep/test_stats_fuzz.py).
"""

from __future__ import annotations

import argparse
import math
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from unittest.mock import patch

import numpy as np

from atrobayes.data_prep.example import simulate_cohort
from atrobayes.data_prep.example_aparc import aparc_text, draw_shares
from atrobayes.data_prep.example_aseg import aseg_text
from atrobayes.data_prep.stats_files import StatsFile, parse_stats
from atrobayes.data_prep.stats_text import _Reading
from atrobayes.errors import DataError

PATH = Path("fuzzed.stats")
# words that have broken readers before
NASTY = (
    *("nan", "-inf", "1e999", "-5", "0", "1_000", "7000,5", "9" * 5000, "0x1F", "1.2.3", "--", ""),
    *(
        "\N{MINUS SIGN}5",
        "\N{SUPERSCRIPT TWO}",
        "\N{FULLWIDTH DIGIT SEVEN}",
        "\N{NO-BREAK SPACE}",
        "\N{LINE SEPARATOR}",
    ),
    *(
        "#",
        "# ",
        "Measure",
        "TableCol",
        "ColHeaders",
        "NRows",
        "StructName",
        "Units",
        ",",
        ", ",
        "\0",
        "\r",
        "\t",
        "\v",
    ),
)
Mutation = Callable[[Random, bytes], bytes]


def flip_bytes(rng: Random, raw: bytes) -> bytes:
    changed = bytearray(raw)
    for _ in range(rng.randint(1, 8)):
        if changed:
            changed[rng.randrange(len(changed))] = rng.randrange(256)
    return bytes(changed)


def cut(rng: Random, raw: bytes) -> bytes:
    return raw[: rng.randint(0, len(raw))]


def insert_bytes(rng: Random, raw: bytes) -> bytes:
    place = rng.randint(0, len(raw))
    return raw[:place] + rng.randbytes(rng.randint(1, 6)) + raw[place:]


def of_lines(change: Callable[[Random, list[bytes]], object]) -> Mutation:
    """Mutation of the list of lines, in place."""

    def mutate(rng: Random, raw: bytes) -> bytes:
        lines = raw.splitlines(keepends=True) or [b""]
        change(rng, lines)
        return b"".join(lines)

    return mutate


def drop_line(rng: Random, lines: list[bytes]) -> None:
    del lines[rng.randrange(len(lines))]


def double_line(rng: Random, lines: list[bytes]) -> None:
    lines.insert(rng.randrange(len(lines)), rng.choice(lines))


def cut_at_line(rng: Random, lines: list[bytes]) -> None:
    del lines[rng.randrange(len(lines)) :]


def swap_lines(rng: Random, lines: list[bytes]) -> None:
    one, other = rng.randrange(len(lines)), rng.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]


def change_word(rng: Random, lines: list[bytes]) -> None:
    place = rng.randrange(len(lines))
    words = lines[place].split(b" ")
    words[rng.randrange(len(words))] = rng.choice(NASTY).encode()
    lines[place] = b" ".join(words)


def swap_words(rng: Random, lines: list[bytes]) -> None:
    place = rng.randrange(len(lines))
    words = lines[place].split()
    rng.shuffle(words)
    lines[place] = b" ".join(words) + b"\n"


MUTATIONS: tuple[Mutation, ...] = (
    flip_bytes,
    cut,
    insert_bytes,
    *map(of_lines, (drop_line, double_line, cut_at_line, swap_lines, change_word, change_word, swap_words)),
    lambda _, raw: raw + raw,
    lambda _, raw: raw.replace(b"\n", b"\r\n"),
)


def mutated(rng: Random, originals: Sequence[bytes]) -> bytes:
    """One original with one to three mutations; sometimes the head of one and the tail of another."""
    raw = rng.choice(originals)
    if rng.random() < 0.05:
        raw = cut(rng, raw) + rng.choice(originals)[rng.randrange(2000) :]
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        raw = rng.choice(MUTATIONS)(rng, raw)
    return raw


def check(stats: StatsFile) -> None:
    """Fail where the parts of an accepted file do not fit together."""
    assert stats.rows or stats.measures or stats.units
    assert stats.rows.keys() == stats.lines.keys()
    columns = stats.units.keys() - {"StructName"}
    assert all(row.keys() == columns for row in stats.rows.values())
    for name in stats.names:
        value = stats.value(name)
        assert value is not None
        assert value.line > 0
        assert not math.isinf(value.value)


def fuzz(originals: Sequence[bytes], inputs: int, seed: int) -> Counter[str]:
    """Read mutated files.

    Returns
    -------
    Counter
        How many "reached the table": all their header lines were taken; how many were "accepted" and "refused".
    """
    rng = Random(seed)  # noqa: S311
    counts: Counter[str] = Counter()
    check_table = _Reading.check_table

    def counted(reading: _Reading, last: int) -> None:
        counts["reached the table"] += 1
        check_table(reading, last)

    with patch.object(_Reading, "check_table", counted):
        for number in range(inputs):
            raw = mutated(rng, originals)
            try:
                check(parse_stats(PATH, raw))
                counts["accepted"] += 1
            except DataError:
                counts["refused"] += 1
            except Exception as error:
                error.add_note(f"input {number} of seed {seed}, {len(raw)} bytes")
                raise
    return counts


def generated() -> list[bytes]:
    """The stats files of one visit of the example."""
    volumes = {str(name): float(value) for name, value in simulate_cohort(4).long.iloc[0].items()}
    shares = draw_shares(np.random.default_rng(1))
    texts = [aseg_text("x", volumes, [3, 5]), aseg_text("x", volumes, None)]
    texts += [aparc_text("x", hemi, volumes, shares) for hemi in ("lh", "rh")]
    return [text.encode() for text in texts]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--files", type=Path, help="folder searched for .stats files")
    asked = parser.parse_args()
    found = sorted(asked.files.rglob("*.stats")) if asked.files else []
    originals = [path.read_bytes() for path in found] or generated()
    start = time.perf_counter()
    counts = fuzz(originals, asked.inputs, asked.seed)
    seconds = time.perf_counter() - start
    print(f"{asked.inputs:,} inputs from {len(originals)} files, seed {asked.seed}, {seconds:.0f} s, one core")
    for kind, count in counts.items():
        print(f"{kind}: {count:,} ({count / asked.inputs:.1%})")
    print("any exception but DataError: 0")


if __name__ == "__main__":
    main()
