"""Clinical tables as files: absent, of another kind, in another encoding, cut to other columns."""

from __future__ import annotations

from .case import At, Case, harmless, refused
from .good_study import PATIENTS, VISITS
from .spoiling import (
    bytes_as,
    column,
    crlf,
    dead_link,
    edit,
    encoded,
    folder,
    holding,
    huge,
    line,
    loop,
    nothing,
    packed,
    pipe,
    removed,
    text_as,
)

CASES: tuple[Case, ...] = (
    refused("patients: absent", removed("patients.tsv"), At("patients.tsv", None, "", "found no such file")),
    refused("visits: absent", removed("visits.tsv"), At("visits.tsv", None, "", "found no such file")),
    refused("relapses: named, absent", removed("relapses.tsv"), At("relapses.tsv", None, "", "found no such file")),
    refused("edss: a dead link", dead_link("edss.tsv"), At("edss.tsv", None, "", "a link to a file that is not there")),
    refused("visits: a folder", folder("visits.tsv"), At("visits.tsv", None, "", "found a folder; expected a table")),
    refused(
        "patients: a link to itself",
        loop("patients.tsv"),
        At("patients.tsv", None, "", "too many levels of symbolic links"),
    ),
    refused(
        "relapses: a pipe", pipe("relapses.tsv"), At("relapses.tsv", None, "", "a pipe or device, no ordinary file")
    ),
    refused("visits: two gigabytes", huge("visits.tsv"), At("visits.tsv", None, "", "a file of 2147 MB")),
    refused(
        "visits: no permission", nothing, At("visits.tsv", None, "", "no permission to read it"), forbidden="visits.tsv"
    ),
    refused("patients: empty", holding("patients.tsv", ""), At("patients.tsv", None, "", "an empty file")),
    refused("visits: blank", holding("visits.tsv", "\n\n  \n"), At("visits.tsv", None, "", "an empty file")),
    refused(
        "visits: header alone",
        holding("visits.tsv", VISITS.split("\n")[0]),
        At("visits.tsv", None, "", "found no rows"),
    ),
    harmless("relapses: header alone, so nobody had one", holding("relapses.tsv", "patient\tdate\n")),
    refused(
        "visits: UTF-16",
        encoded("visits.tsv", "utf-16"),
        At("visits.tsv", None, "", "found UTF-16 text; expected UTF-8 text; save it as UTF-8"),
    ),
    refused(
        "visits: UTF-16 without its mark",
        encoded("visits.tsv", "utf-16-le"),
        At("visits.tsv", None, "", "a zero byte at position 1: no text, or text in UTF-16"),
    ),
    refused(
        "patients: Latin-1",
        bytes_as("patients.tsv", lambda raw: raw.replace(b"CLAD", b"CL\xc4D")),
        At("patients.tsv", None, "", "a byte that is not UTF-8 at position"),
    ),
    refused(
        "patients: a spreadsheet",
        holding("patients.tsv", b"PK\x03\x04\x14\x00\x06\x00\x08\x00"),
        At("patients.tsv", None, "", "a zero byte at position"),
    ),
    refused("visits: packed", packed("visits.tsv"), At("visits.tsv", None, "", "zero byte")),
    harmless("patients: byte-order mark and CRLF", crlf("patients.tsv")),
    harmless("visits: byte-order mark and CRLF", crlf("visits.tsv")),
    harmless("visits: lines of an old Macintosh", bytes_as("visits.tsv", lambda raw: raw.replace(b"\n", b"\r"))),
    harmless(
        "visits: blank lines and blanks around cells",
        text_as("visits.tsv", lambda text: text.replace("\n", "\n\n").replace("A01\t1", " A01 \t1 ")),
    ),
    harmless("visits: no end of the last line", text_as("visits.tsv", lambda text: text.rstrip("\n"))),
    harmless(
        "visits: rows in another order",
        text_as("visits.tsv", lambda text: "\n".join([text.split("\n")[0], *reversed(text.rstrip().split("\n")[1:])])),
    ),
    refused(
        "visits: commas",
        text_as("visits.tsv", lambda text: text.replace("\t", ",")),
        At("visits.tsv", 1, "", "commas or semicolons in the header; expected tabs"),
    ),
    refused(
        "patients: semicolons",
        text_as("patients.tsv", lambda text: text.replace("\t", ";")),
        At("patients.tsv", 1, "", "commas or semicolons in the header; expected tabs"),
    ),
    refused(
        "visits: cut off in a row",
        bytes_as("visits.tsv", lambda raw: raw[:-12]),
        At("visits.tsv", 7, "", "found 7 cells; expected 10 as in the header; add or remove tabs"),
    ),
    refused(
        "visits: a cell too many",
        line("visits.tsv", "\t".join(["A02", "3", *["n/a"] * 9])),
        At("visits.tsv", 8, "", "found 11 cells; expected 10"),
    ),
    refused(
        "patients: a column twice", column("patients.tsv", "age"), At("patients.tsv", 1, "", "the column 'age' twice")
    ),
    refused(
        "visits: no patient",
        edit("visits.tsv", "patient\t", "subject\t"),
        At("visits.tsv", 1, "patient", "no such column; expected a column 'patient'"),
    ),
    refused(
        "visits: Visit", edit("visits.tsv", "\tvisit\t", "\tVisit\t"), At("visits.tsv", 1, "visit", "rename 'Visit'?")
    ),
    refused(
        "edss: no edss",
        holding("edss.tsv", "patient\tdate\nA01\t2017-10-04\n"),
        At("edss.tsv", 1, "edss", "no such column"),
    ),
    refused(
        "patients: no header",
        holding("patients.tsv", PATIENTS.partition("\n")[2]),
        At("patients.tsv", 1, "patient", "no such column"),
    ),
    refused(
        "patients: no group, but groups",
        edit("patients.tsv", "group", "arm"),
        At("patients.tsv", 1, "group", "no such column; expected a column 'group', as study.toml names groups"),
    ),
    refused(
        "patients: the cohort's own word",
        column("patients.tsv", "volume"),
        At("patients.tsv", 1, "volume", "the column name 'volume'; expected a name that is free"),
    ),
    refused(
        "patients: a slash in a name",
        column("patients.tsv", "M/F"),
        At("patients.tsv", 1, "M/F", "expected a name that is free, without /"),
    ),
    refused(
        "patients: a column of the visits",
        column("patients.tsv", "new_t2"),
        At("patients.tsv", 1, "new_t2", "it in visits.tsv only"),
    ),
    harmless(
        "visits: a column nobody knows",
        column("visits.tsv", "scanner_mood"),
    ),
    harmless(
        "visits: nearly a known column",
        column("visits.tsv", "Relapses"),
        said="visits.tsv: column 'Relapses' is kept as an extra; did you mean 'relapses'?",
    ),
)
