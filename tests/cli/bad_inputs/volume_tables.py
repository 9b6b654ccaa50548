"""Volumes from tables: asegstats2table and aparcstats2table, and the tidy table."""

from __future__ import annotations

from .case import At, Case, Row, left_out, refused
from .spoiling import Spoil, both, bytes_as, edit, encoded, folder, holding, huge, line, packed, pipe, removed, text_as

TABLE, TIDY = "aseg.tsv", "volumes.tsv"
COLUMNS = (
    "Measure:volume\tLeft-Lateral-Ventricle\tRight-Lateral-Ventricle\tLeft-Thalamus\tRight-Thalamus"
    "\tCortexVol\tEstimatedTotalIntraCranialVol"
)
SCANS = [(patient, visit) for patient in ("A01", "A02") for visit in range(3)]
WIDE = (
    "\n".join(
        [
            COLUMNS,
            *(
                f"{who}_v{visit}.long.{who}_base\t9000.0\t8500.0\t{7000 - 40 * visit}.0\t6900.0\t450000.0\t1500000.0"
                for who, visit in SCANS
            ),
        ]
    )
    + "\n"
)
STRUCTURES = {"thalamus": 13_900, "lateral_ventricle": 17_500, "cortex": 450_000}
TALL = "patient\tvisit\tstructure\tvolume\tetiv\n" + "".join(
    f"{who}\t{visit}\t{name}\t{volume - 40 * visit}\t1500000\n"
    for who, visit in SCANS
    for name, volume in STRUCTURES.items()
)


def from_table(change: Spoil) -> Spoil:
    return both(edit("study.toml", 'subjects_dir = "fs"', f'tables = ["{TABLE}"]'), holding(TABLE, WIDE), change)


def from_tidy(change: Spoil) -> Spoil:
    return both(edit("study.toml", 'subjects_dir = "fs"', f'volumes = "{TIDY}"'), holding(TIDY, TALL), change)


def wide(name: str, change: Spoil, *places: tuple[int | None, str, str]) -> Case:
    return refused(f"table: {name}", from_table(change), *(At(TABLE, *place) for place in places))


def tidy(name: str, change: Spoil, *places: tuple[int | None, str, str]) -> Case:
    return refused(f"tidy: {name}", from_tidy(change), *(At(TIDY, *place) for place in places))


CASES: tuple[Case, ...] = (
    wide("absent", removed(TABLE), (None, "", "no such file")),
    wide("empty", holding(TABLE, ""), (None, "", "an empty file")),
    wide("a folder", folder(TABLE), (None, "", "a folder")),
    wide("a pipe", pipe(TABLE), (None, "", "a pipe")),
    wide("two gigabytes", huge(TABLE), (None, "", "2147 MB")),
    wide("packed", packed(TABLE), (None, "", "a binary file")),
    wide("UTF-16", encoded(TABLE, "utf-16"), (None, "", "UTF-16 text")),
    wide("header alone", holding(TABLE, COLUMNS + "\n"), (1, "", "a header and no rows")),
    wide("another table", holding(TABLE, "name\tvalue\nx\t1\n"), (1, "", "a header that begins with 'name'")),
    wide(
        "a scan twice",
        line(TABLE, WIDE.split("\n")[2]),
        (8, "", "the row 'A01_v1.long.A01_base' again, first in line 3"),
    ),
    wide(
        "cut off in a row",
        bytes_as(TABLE, lambda raw: raw[:-20]),
        (7, "", "found 5 cells; expected 7 as in the header"),
    ),
    wide(
        "decimal commas",
        edit(TABLE, "6920.0\t6900.0\t450000.0\t1500000.0\nA02_v0", "6920,0\t6900.0\t450000.0\t1500000.0\nA02_v0"),
        (4, "", "commas in decimals; expected points"),
    ),
    wide(
        "a word for a number",
        edit(TABLE, "6920.0\t6900.0\t450000.0\t1500000.0\nA02_v0", "many\t6900.0\t450000.0\t1500000.0\nA02_v0"),
        (4, "Left-Thalamus", "found 'many'; expected a number"),
    ),
    wide(
        "a column twice",
        text_as(TABLE, lambda text: text.replace("Right-Thalamus", "Left-Thalamus")),
        (1, "Left-Thalamus", "this column twice"),
    ),
    wide(
        "percent of eTIV",
        text_as(TABLE, lambda text: text.replace("\t1500000.0", "\t100.0")),
        (
            None,
            "EstimatedTotalIntraCranialVol",
            "volumes in percent of eTIV; expected volumes in mm^3; write it again without --etiv",
        ),
    ),
    wide(
        "turned",
        holding(TABLE, "Measure:volume\tA01_v0.long.A01_base\nLeft-Thalamus\t7000.0\n"),
        (2, "", "write it again without --transpose"),
    ),
    refused(
        "table: thickness, where volumes are asked for",
        from_table(text_as(TABLE, lambda text: text.replace("Measure:volume", "Measure:mean"))),
        At("study.toml", None, "data", "Left-Thalamus is in intensity, not mm^3, and 5 more of the kind"),
    ),
    left_out(
        "table: negative volume",
        from_table(
            edit(TABLE, "6920.0\t6900.0\t450000.0\t1500000.0\nA02_v0", "-6920.0\t6900.0\t450000.0\t1500000.0\nA02_v0")
        ),
        Row("processed", "A01", "2", "source_missing", TABLE, "thalamus"),
    ),
    left_out(
        "table: an empty cell",
        from_table(edit(TABLE, "6920.0\t6900.0\t450000.0\t1500000.0\nA02_v0", "\t6900.0\t450000.0\t1500000.0\nA02_v0")),
        Row("processed", "A01", "2", "source_missing", TABLE, "thalamus"),
    ),
    tidy("absent", removed(TIDY), (None, "", "no such file")),
    tidy(
        "no volume",
        edit(TIDY, "\tvolume\t", "\tvol\t"),
        (1, "volume", "no such column; expected one of patient, visit, structure, vol, etiv; add volume"),
    ),
    tidy("header alone", holding(TIDY, TALL.split("\n")[0] + "\n"), (1, "", "a header and no rows")),
    tidy(
        "a structure twice",
        line(TIDY, "A02\t2\tcortex\t449920\t1500000"),
        (20, "", "A02 visit 2 cortex again, first in line 19"),
    ),
    tidy(
        "negative volume",
        edit(TIDY, "A01\t1\tthalamus\t13860", "A01\t1\tthalamus\t-13860"),
        (5, "volume", "found '-13860'; expected a number of mm^3, 0 or more; no volume is negative"),
    ),
    tidy(
        "decimal comma",
        edit(TIDY, "A01\t1\tthalamus\t13860", "A01\t1\tthalamus\t13860,5"),
        (5, "volume", "write a decimal point"),
    ),
    tidy(
        "two eTIV of one scan",
        edit(TIDY, "A01\t1\tthalamus\t13860\t1500000", "A01\t1\tthalamus\t13860\t1400000"),
        *[(row, "etiv", "found 1500000, and 1400000 in line 5; expected one eTIV for A01 visit 1") for row in (6, 7)],
    ),
    tidy(
        "visit in words",
        edit(TIDY, "A01\t1\tthalamus", "A01\tone\tthalamus"),
        (5, "visit", "found 'one'; expected a whole number, 0 or more"),
    ),
    left_out(
        "tidy: a visit nobody knows",
        from_tidy(line(TIDY, "A02\t7\tcortex\t449920\t1500000")),
        Row("found", "n/a", "n/a", "scan_without_visit", "volumes.tsv, A02 visit 7"),
    ),
    left_out(
        "tidy: volume of zero",
        from_tidy(edit(TIDY, "A01\t1\tthalamus\t13860", "A01\t1\tthalamus\t0")),
        Row("processed", "A01", "1", "source_missing", TIDY, "thalamus"),
    ),
    left_out(
        "tidy: volume NaN",
        from_tidy(edit(TIDY, "A01\t1\tthalamus\t13860", "A01\t1\tthalamus\tNaN")),
        Row("processed", "A01", "1", "source_missing", TIDY, "thalamus"),
    ),
)
