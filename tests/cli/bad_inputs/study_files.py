"""study.toml: no TOML, unknown keys, wrong types, names nobody knows."""

from __future__ import annotations

from .case import At, Case, Spoil, harmless, refused
from .spoiling import (
    both,
    bytes_as,
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
    pipe,
    removed,
)

TOML = "study.toml"


def told(row: int | None, column: str, said: str) -> At:
    return At(TOML, row, column, said)


def data(keys: str) -> Spoil:
    """More keys in [data], the last table of the file."""
    return line(TOML, keys)


def own(keys: str) -> Spoil:
    """An analysis of the study's own, and no other."""
    entry = f'[[analyses.own]]\nid = "mine"\nkind = "mixed"\n{keys}'
    return both(edit(TOML, '"year_to_year_t2"', '"mine"'), line(TOML, entry))


CASES: tuple[Case, ...] = (
    refused("study: absent", removed(TOML), told(None, "", "found no such file")),
    refused("study: a folder", folder(TOML), told(None, "", "found a folder")),
    refused("study: a link to itself", loop(TOML), told(None, "", "symbolic links")),
    refused("study: a dead link", dead_link(TOML), told(None, "", "a link to a file that is not there")),
    refused("study: a pipe", pipe(TOML), told(None, "", "a pipe or device")),
    refused(
        "study: two gigabytes",
        huge(TOML),
        told(None, "", "a file of 2147 MB, more than the 100 MB a study file may have"),
    ),
    refused("study: no permission", nothing, told(None, "", "no permission to read it"), forbidden=TOML),
    refused("study: empty", holding(TOML, ""), told(None, "data", "found nothing; expected a value; add this key")),
    refused("study: no TOML", edit(TOML, 'name = "small"', "name = small"), told(2, "", "Invalid value")),
    refused("study: a key twice", line(TOML, 'edss = "edss.tsv"'), told(13, "", "Cannot overwrite a value")),
    refused(
        "study: cut off",
        bytes_as(TOML, lambda raw: raw[:-2]),
        told(None, "", "Unterminated string (at end of document)"),
    ),
    refused("study: UTF-16", encoded(TOML, "utf-16"), told(None, "", "found UTF-16 text; expected UTF-8 text")),
    refused(
        "study: Latin-1",
        bytes_as(TOML, lambda raw: raw.replace(b"small", b"\xe9t\xe9")),
        told(None, "", "a byte that is not UTF-8"),
    ),
    refused("study: binary", holding(TOML, b"PK\x03\x04\x00\x00\x00"), told(None, "", "a zero byte")),
    harmless("study: byte-order mark and CRLF", crlf(TOML)),
    refused(
        "study: unknown key",
        edit(TOML, "subjects_dir", "subject_dir"),
        told(None, "data.subject_dir", "did you mean 'subjects_dir'?"),
    ),
    refused(
        "study: unknown table", line(TOML, "[sensitivty]"), told(None, "sensitivty", "the unknown key 'sensitivty'")
    ),
    refused(
        "study: another format",
        edit(TOML, "[study]", "format = 2\n[study]"),
        told(None, "format", "found 2; expected 1"),
    ),
    refused(
        "study: seed in words",
        edit(TOML, 'name = "small"', 'seed = "one"'),
        told(None, "study.seed", "found 'one'; expected a whole number"),
    ),
    refused(
        "study: negative weeks",
        line(TOML, "[definitions]\nsteroid_weeks = -1"),
        told(None, "definitions.steroid_weeks", "found -1; expected a number greater than or equal to 0"),
    ),
    refused(
        "study: weeks not a number",
        line(TOML, "[definitions]\nsteroid_weeks = nan"),
        told(None, "definitions.steroid_weeks", "expected a finite number"),
    ),
    refused(
        "study: a word nobody knows",
        line(TOML, '[definitions]\nunconfirmed = "maybe"'),
        told(None, "definitions.unconfirmed", "found 'maybe'; expected 'no', 'yes' or 'exclude'"),
    ),
    refused(
        "study: tables as a text",
        data('tables = "aseg.tsv"'),
        told(None, "data.tables", "found 'aseg.tsv'; expected a list"),
    ),
    refused(
        "study: two wrong values",
        line(TOML, "[inference]\ndraws = 5\nchains = 1.5"),
        told(None, "inference.draws", "greater than or equal to 100"),
        told(None, "inference.chains", "a whole number"),
    ),
    refused(
        "study: no source",
        edit(TOML, 'subjects_dir = "fs"\n', ""),
        told(
            None,
            "data",
            "found the keys structures, relapses, edss; expected a source of volumes: subjects_dir, tables or volumes",
        ),
    ),
    refused("study: a group twice", edit(TOML, '"ALEM"', '"CLAD"'), told(None, "study.groups", "each group once")),
    refused(
        "study: a prior with another mean",
        line(TOML, "[priors]\nslope = { normal = [0.5, 1] }"),
        told(None, "priors.slope", "a mean of 0"),
    ),
    refused(
        "study: unknown structure",
        edit(TOML, '"thalamus"', '"thalmus"'),
        told(
            None,
            "data.structures",
            "the unknown structure 'thalmus'; expected a known structure; did you mean 'thalamus'?",
        ),
    ),
    refused(
        "study: a structure twice",
        edit(TOML, '"cortex"', '"thalamus"'),
        told(None, "data.structures", "'thalamus' twice"),
    ),
    refused(
        "study: the name of a known structure",
        line(TOML, '[structures]\ncortex = { sum = ["Left-Thalamus"] }'),
        told(None, "structures.cortex", "write redefine = true"),
    ),
    refused(
        "study: an own structure of no row",
        both(edit(TOML, '"cortex"', '"mine"'), line(TOML, '[structures]\nmine = { sum = ["Left-Thalmus"] }')),
        told(
            None,
            "structures.mine.sum",
            "'Left-Thalmus', which no scan has; expected a measure or row (StructName) of the files; "
            "did you mean 'Left-Thalamus'?",
        ),
    ),
    refused(
        "study: an own structure of nothing",
        line(TOML, "[structures]\nmine = { sum = [] }"),
        told(None, "structures.mine.sum", "found []; expected at least one entry"),
    ),
    refused(
        "study: limits of an unknown structure",
        line(TOML, "[quality]\nchange_pct = { thalmus = 3 }"),
        told(None, "quality.change_pct.thalmus", "did you mean 'thalamus'?"),
    ),
    refused(
        "study: unknown analysis",
        edit(TOML, "year_to_year_t2", "year_to_year_t1"),
        told(None, "analyses.use", "did you mean 'year_to_year_t2'?"),
    ),
    refused(
        "study: an own analysis of an unknown column",
        own('predictor = "new_t3"'),
        told(None, "mine.predictor", "found 'new_t3'; expected a column of intervals.tsv or patients.tsv"),
    ),
    refused(
        "study: an own analysis backwards",
        own('predictor = "new_t2"\nfrom = 2\nto = 1'),
        told(
            None,
            "analyses.own.0",
            "found the keys id, kind, predictor, from, to; expected a visit to that lies after from",
        ),
    ),
    refused(
        "study: an own analysis with a condition that is none",
        own('predictor = "new_t2"\nexclude = "new_t2_from >"'),
        told(None, "mine.exclude", "found 'new_t2_from >'; expected a condition on columns of the rows"),
    ),
    refused(
        "study: unknown engine",
        line(TOML, '[inference]\nengine = "nutpy"'),
        told(None, "inference.engine", "found 'nutpy'"),
    ),
    refused(
        "study: a pattern that is none",
        data("visit_pattern = '(?P<patient>A\\d+_v(?P<visit>\\d)'"),
        told(None, "data.visit_pattern", "expected a regular expression (missing ), unterminated subpattern"),
    ),
    refused(
        "study: a pattern without a visit",
        data("visit_pattern = '(?P<patient>.*)'"),
        told(None, "data.visit_pattern", "with the groups (?P<patient>...) and (?P<visit>...), no other"),
    ),
    refused(
        "study: a pattern that fits no name",
        data("visit_pattern = '(?P<patient>P\\d+)_(?P<visit>\\d)'"),
        told(None, "data.visit_pattern", "a pattern that fits none of 6 names; expected one that fits A01_v0"),
    ),
    refused(
        "study: a pattern that reads no number",
        data("visit_pattern = '(?P<patient>A\\d+)_(?P<visit>.*)'"),
        told(None, "data.visit_pattern", "the visit 'v0' in A01_v0, the visit 'v1' in A01_v1"),
    ),
    refused(
        "study: a segmentation that no run has",
        data('segmentation = "wmparc.stats"'),
        told(None, "data", "there is no wmparc.stats, and 5 more of the kind; expected scans that can be read"),
    ),
)
