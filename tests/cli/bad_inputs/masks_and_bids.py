"""Lesion masks that visits.tsv names, and patients and visits from a BIDS dataset."""

from __future__ import annotations

from pathlib import Path

from .case import At, Case, Row, harmless, left_out, refused
from .spoiling import Spoil, both, bytes_as, cell, column, edit, holding, line, loop, pipe, removed

PARTICIPANTS, SESSIONS = "bids/participants.tsv", "bids/sub-A01/sub-A01_sessions.tsv"
MASKS = ("masks/a0.nii.gz", "masks/a1.nii.gz")


def _saved(path: Path, level: float, size: int = 4) -> None:
    import nibabel as nib
    import numpy as np

    voxels = np.zeros((size, 4, 4), np.float32)
    voxels[1, 1] = level
    voxels[1, 1, 0] = min(level, 1.0) ** 2
    path.parent.mkdir(exist_ok=True)
    nib.save(nib.Nifti1Image(voxels, np.diag([1.0, 1.0, 3.0, 1.0])), path)


def masks(level: float = 1.0, size: int = 4) -> Spoil:
    """Two masks of A01, the second with this level of its lesion and so many columns."""

    def spoil(study: Path) -> None:
        _saved(study / MASKS[0], 1.0)
        _saved(study / MASKS[1], level, size)

    return both(column("visits.tsv", "lesion_mask", *MASKS), spoil)


def masked(name: str, change: Spoil, *faults: At) -> Case:
    return refused(f"masks: {name}", both(masks(), change), *faults)


def bids(change: Spoil) -> Spoil:
    """The good study with its tables in a BIDS dataset."""
    sessions = {
        f"bids/sub-{who}/sub-{who}_sessions.tsv": "session_id\tvisit\tacq_time\tfsid\n"
        + "".join(
            f"ses-{visit}\t{visit}\t{2015 + visit}-0{visit + 2}-15T09:00:00\t{who}_v{visit}\n" for visit in range(3)
        )
        for who in ("A01", "A02")
    }
    people = "participant_id\tgroup\tsex\nsub-A01\tCLAD\tF\nsub-A02\tALEM\tM\n"
    tables = [holding(name, text) for name, text in {PARTICIPANTS: people, **sessions}.items()]
    return both(edit("study.toml", "[data]", '[data]\nbids = "bids"'), *tables, change)


def dataset(name: str, change: Spoil, *faults: At) -> Case:
    return refused(f"bids: {name}", bids(change), *faults)


CASES: tuple[Case, ...] = (
    masked(
        "absent",
        removed(MASKS[1]),
        At("visits.tsv", 3, "lesion_mask", "masks/a1.nii.gz, no such file (patient A01, visit 1)"),
    ),
    masked("a link to itself", loop(MASKS[1]), At("visits.tsv", 3, "lesion_mask", "no such file")),
    masked("a pipe", pipe(MASKS[1]), At("visits.tsv", 3, "lesion_mask", "no such file")),
    masked(
        "above the study",
        cell("visits.tsv", 3, "lesion_mask", "../elsewhere/a1.nii.gz"),
        At(
            "visits.tsv",
            3,
            "lesion_mask",
            "found '../elsewhere/a1.nii.gz'; expected a path from study that stays in the study's folder",
        ),
    ),
    masked(
        "out and in again",
        cell("visits.tsv", 3, "lesion_mask", "masks/../../study2/a1.nii.gz"),
        At("visits.tsv", 3, "lesion_mask", "a path outside the study is not read"),
    ),
    masked(
        "an absolute path",
        cell("visits.tsv", 3, "lesion_mask", "/data/a1.nii.gz"),
        At("visits.tsv", 3, "lesion_mask", "a path outside the study is not read: move the file"),
    ),
    masked(
        "a path of Windows",
        cell("visits.tsv", 3, "lesion_mask", "C:\\data\\a1.nii.gz"),
        At("visits.tsv", 3, "lesion_mask", "a path outside the study is not read"),
    ),
    masked(
        "one of two visits",
        cell("visits.tsv", 3, "lesion_mask", MASKS[0]),
        At("visits.tsv", 3, "lesion_mask", "masks/a0.nii.gz again, named before at patient A01, visit 0"),
    ),
    masked("cut off", bytes_as(MASKS[1], lambda raw: raw[:-20]), At(MASKS[1], None, "", "a damaged packed file")),
    masked("empty", holding(MASKS[1], ""), At(MASKS[1], None, "", "0 bytes")),
    masked("no image", holding(MASKS[1], "x" * 400), At(MASKS[1], None, "", "no header of this format")),
    refused(
        "masks: probabilities",
        masks(0.5),
        At(
            MASKS[1],
            None,
            "",
            "the values 0.25, 0.5 beside 0; expected a binary mask: "
            "0 outside, one value above 0 inside; threshold a probability map",
        ),
    ),
    refused(
        "masks: numbers below zero",
        masks(-1.0),
        At(MASKS[1], None, "", "expected a binary mask: 0 outside, one value above 0 inside"),
    ),
    refused("masks: another grid", masks(size=5), At(MASKS[1], None, "", "5 × 4 × 4 voxels; expected the grid of")),
    harmless("masks: counts in the table go before", masks()),
    dataset("no participants", removed(PARTICIPANTS), At(PARTICIPANTS, None, "", "no such file")),
    dataset(
        "no sessions of anybody",
        both(removed("bids/sub-A01"), removed("bids/sub-A02")),
        At("bids/sub-*/sub-*_sessions.tsv", None, "", "expected a table of sessions"),
    ),
    dataset(
        "no participant_id",
        edit(PARTICIPANTS, "participant_id", "id"),
        At(PARTICIPANTS, 1, "participant_id", "no such column"),
    ),
    dataset(
        "a participant twice",
        line(PARTICIPANTS, "sub-A02\tALEM\tM"),
        At(PARTICIPANTS, 4, "patient", "patient A02 again (first on line 3 of participants.tsv)"),
    ),
    dataset(
        "a session twice",
        line(SESSIONS, "ses-2\t3\t2018-05-15T09:00:00\tn/a"),
        At(SESSIONS, 5, "session_id", "found ses-2 again; expected it once"),
    ),
    dataset(
        "a visit twice",
        edit(SESSIONS, "ses-2\t2", "ses-2\t1"),
        At(SESSIONS, 4, "visit", "patient A01, visit 1 again (first on line 3 of sub-A01_sessions.tsv)"),
    ),
    dataset(
        "sessions without a time or visit",
        holding(SESSIONS, "session_id\tfsid\nses-a\tA01_v0\nses-b\tA01_v1\n"),
        At(
            SESSIONS,
            None,
            "visit",
            "no time of ses-a, ses-b; expected sessions near one nominal year each, or a column visit",
        ),
    ),
    dataset(
        "a day that is none",
        edit(SESSIONS, "2016-03-15T", "2016-02-30T"),
        At(SESSIONS, 3, "date", "2016-02-30T09:00:00"),
    ),
    dataset(
        "patients named too",
        edit("study.toml", "[data]", '[data]\npatients = "patients.tsv"'),
        At("study.toml", None, "data", "bids alone"),
    ),
    left_out(
        "bids: a scan with a slip in its name",
        bids(edit(SESSIONS, "A01_v1", "A01_vl")),
        Row("found", "A01", "1", "scan_missing"),
        Row("found", "A01", "n/a", "scan_without_visit", "A01_v1.long.A01_base"),
    ),
)
