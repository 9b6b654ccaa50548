"""aseg.stats: cut off, of another kind, numbers that are none."""

from __future__ import annotations

from .case import At, Case, Row, harmless, left_out, refused
from .good_study import ASEG, LONG
from .spoiling import (
    bytes_as,
    crlf,
    dead_link,
    edit,
    encoded,
    folder,
    holding,
    huge,
    loop,
    nothing,
    packed,
    pipe,
    removed,
    text_as,
)

MINUS = "\N{MINUS SIGN}"
FILE = f"{LONG}/stats/aseg.stats"
THALAMUS = "6960.0  Left-Thalamus"


def damaged(name: str, spoil: object, row: int | None, said: str) -> Case:
    return refused(f"aseg.stats: {name}", spoil, At(ASEG, row, "", said))  # type: ignore[arg-type]


def without(structure: str) -> Row:
    return Row("processed", "A01", "1", "source_missing", FILE, structure)


CASES: tuple[Case, ...] = (
    damaged("empty", holding(ASEG, ""), None, "an empty file"),
    damaged("binary", holding(ASEG, b"\x00\x01\x02\xff" * 100), 1, "found no text"),
    damaged("packed", packed(ASEG), 1, "found no text"),
    damaged("another text", holding(ASEG, "patient\tvisit\n"), 1, "found no stats header"),
    damaged("UTF-16", encoded(ASEG, "utf-16"), 1, "text in UTF-16"),
    damaged(
        "cut in the header", text_as(ASEG, lambda text: text[: text.index("# NRows")]), 13, "a header and no table"
    ),
    damaged(
        "cut before the rows", text_as(ASEG, lambda text: text[: text.index("\n  1 ") + 1]), 16, "a table without rows"
    ),
    damaged(
        "cut between rows",
        text_as(ASEG, lambda text: text[: text.index("\n  4 ") + 1]),
        19,
        "found 3 rows; expected 4 as # NRows says: the file is cut off",
    ),
    damaged("cut in a row", text_as(ASEG, lambda text: text[:-8]), 20, "a last line without an end"),
    damaged("wrong NRows", edit(ASEG, "NRows 4", "NRows 3"), 20, "found 4 rows; expected 3"),
    damaged(
        "a row twice",
        text_as(ASEG, lambda text: text.replace("NRows 4", "NRows 5") + text.split("\n")[-2] + "\n"),
        21,
        "the structure Right-Thalamus twice",
    ),
    damaged("appended to itself", text_as(ASEG, lambda text: text * 2), 21, "a second run was appended"),
    damaged(
        "decimal comma in a row",
        edit(ASEG, THALAMUS, THALAMUS.replace(".", ",")),
        18,
        "'6960,0' in column Volume_mm3; expected a number; write numbers with a decimal point",
    ),
    damaged(
        "decimal comma in a measure",
        edit(ASEG, "450000.000000", "450000,000000"),
        6,
        "write numbers with a decimal point",
    ),
    damaged("minus of a typesetter", edit(ASEG, THALAMUS, f"{MINUS}{THALAMUS}"), 18, "write the minus sign as -"),
    damaged(
        "a word for a number",
        edit(ASEG, THALAMUS, THALAMUS.replace("6960.0", "many")),
        18,
        "found 'many' in column Volume_mm3",
    ),
    damaged("a folder", folder(ASEG), None, "found a folder"),
    damaged("a pipe", pipe(ASEG), None, "a pipe or a device"),
    damaged("a link to itself", loop(ASEG), None, "Too many levels of symbolic links"),
    damaged("two gigabytes", huge(ASEG), None, "found 2,147,483,648 bytes"),
    refused("aseg.stats: no permission", nothing, At(ASEG, None, "", "check its permissions"), forbidden=ASEG),
    refused(
        "aseg.stats: eTIV in litres",
        edit(ASEG, "1500000.000000", "1.5"),
        At(ASEG, 7, "eTIV", "found 1.5 mm^3; expected 300,000 to 4,000,000 mm^3"),
    ),
    harmless("aseg.stats: byte-order mark and CRLF", crlf(ASEG)),
    harmless(
        "aseg.stats: Latin-1 in the header",
        bytes_as(ASEG, lambda raw: raw.replace(b"# subjectname output", b"# user \xe9\xe8")),
    ),
    left_out("aseg.stats: absent", removed(ASEG), Row("processed", "A01", "1", "stats_missing", FILE)),
    damaged(
        "a dead link",
        dead_link(ASEG),
        None,
        "found a link to a file that is not there; expected a FreeSurfer stats file; fetch the file it leads to",
    ),
    left_out("aseg.stats: negative volume", edit(ASEG, THALAMUS, f"-{THALAMUS}"), without("thalamus")),
    left_out(
        "aseg.stats: volume of zero", edit(ASEG, THALAMUS, THALAMUS.replace("6960.0", "0.0")), without("thalamus")
    ),
    left_out("aseg.stats: volume NaN", edit(ASEG, THALAMUS, THALAMUS.replace("6960.0", "nan")), without("thalamus")),
    left_out(
        "aseg.stats: volume infinite", edit(ASEG, THALAMUS, THALAMUS.replace("6960.0", "inf")), without("thalamus")
    ),
    left_out(
        "aseg.stats: volumes in ml",
        edit(ASEG, "2 Units     mm^3", "2 Units     ml"),
        without("lateral_ventricle"),
        without("thalamus"),
    ),
    left_out(
        "aseg.stats: no row of the structure",
        text_as(ASEG, lambda text: text.replace("Left-Thalamus", "Left-Thalamvs")),
        without("thalamus"),
    ),
    left_out(
        "aseg.stats: no eTIV",
        text_as(ASEG, lambda text: "\n".join(row for row in text.split("\n") if "eTIV" not in row)),
        Row("processed", "A01", "1", "etiv_missing", FILE),
    ),
    left_out(
        "aseg.stats: eTIV NaN", edit(ASEG, "1500000.000000", "nan"), Row("processed", "A01", "1", "etiv_missing", FILE)
    ),
    refused(
        "aseg.stats: eTIV of zero",
        edit(ASEG, "1500000.000000", "0.0"),
        At(ASEG, 7, "eTIV", "found 0 mm^3; expected 300,000 to 4,000,000 mm^3"),
    ),
    refused(
        "aseg.stats: negative eTIV",
        edit(ASEG, "1500000.000000", "-1500000.0"),
        At(ASEG, 7, "eTIV", "found -1,500,000 mm^3"),
    ),
)
