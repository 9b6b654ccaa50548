"""A study with known truth, laid out on disk like real FreeSurfer longitudinal output."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from atrobayes.data_prep.example_clinical import draw_clinical
from atrobayes.data_prep.example_files import write_subjects
from atrobayes.data_prep.example_tables import PATIENT_COLUMNS, TRUTH_COLUMNS, VISIT_COLUMNS, study_text
from atrobayes.data_prep.example_truth import true_slopes
from atrobayes.data_prep.example_volumes import draw_volumes
from atrobayes.data_prep.new_folder import new_folder
from atrobayes.errors import UsageError
from atrobayes.files import Column, write_table, write_text

FEWEST_PATIENTS = 4


@dataclass(frozen=True)
class Simulated:
    """A simulated cohort in numbers, before anything is written.

    Parameters
    ----------
    patients, visits : DataFrame
        The rows of patients.tsv and visits.tsv; `visits` has besides `status`, what became
        of the scan (none, usable, steroid, quality, errors, running).
    long, cross : DataFrame
        mm³ per part and side and `etiv`, one row per scan; the index is that of `visits`.
        `example_anatomy.pieces` names the columns that add up to a structure.
    truth : DataFrame
        The rows of truth.tsv.
    """

    patients: pd.DataFrame
    visits: pd.DataFrame
    long: pd.DataFrame
    cross: pd.DataFrame
    truth: pd.DataFrame


def simulate_cohort(patients: int = 52, seed: int = 1, null: bool = False) -> Simulated:
    """Draw a cohort whose lesions cost a known volume.

    Parameters
    ----------
    patients : int
        52 repeats the published counts: 33 CLAD and 19 ALEM, 59 and 36 yearly intervals,
        visits, lesions and relapses. Other numbers keep the proportions.
    seed : int
        Same seed, same cohort.
    null : bool
        Lesions cost nothing; clinical record and scan errors are those of the same seed.

    Returns
    -------
    Simulated

    Raises
    ------
    UsageError
        If there are fewer than four patients or the seed is negative.
    """
    if patients < FEWEST_PATIENTS:
        raise UsageError(f"found {patients} patients; expected at least {FEWEST_PATIENTS}, two in each group")
    if seed < 0:
        raise UsageError(f"found the seed {seed}; expected a whole number, zero or more")
    clinical, anatomical = map(np.random.default_rng, np.random.SeedSequence(seed).spawn(2))
    people, visits = draw_clinical(patients, clinical)
    long, cross = draw_volumes(people, visits, null, anatomical)
    return Simulated(people, visits, long, cross, true_slopes(people, visits, null))


def write_example(folder: Path, patients: int = 52, seed: int = 1, null: bool = False) -> None:
    """Write a study with known truth: study.toml, tables and a FreeSurfer SUBJECTS_DIR.

    Parameters
    ----------
    folder : Path
        New or empty.
    patients, seed, null
        As in `simulate_cohort`.

    Raises
    ------
    UsageError
        If the folder holds anything, is a file, or the numbers make no cohort; nothing is
        written then.
    """
    with new_folder(folder) as draft:
        _write_study(draft, simulate_cohort(patients, seed, null), seed, null)


def _write_study(folder: Path, cohort: Simulated, seed: int, null: bool) -> None:
    # what the analyses do not see has its own stream, so the numbers do not hang on the files
    unseen = np.random.default_rng([seed, 1])
    write_subjects(folder / "subjects", cohort.visits, cohort.long, cohort.cross, unseen)
    _write_table(folder / "patients.tsv", cohort.patients, PATIENT_COLUMNS)
    _write_table(folder / "visits.tsv", cohort.visits, VISIT_COLUMNS)
    _write_table(folder / "truth.tsv", cohort.truth, TRUTH_COLUMNS)
    write_text(folder / "study.toml", study_text(seed, null))


def _write_table(path: Path, frame: pd.DataFrame, columns: tuple[Column, ...]) -> None:
    write_table(path, frame[[column.name for column in columns]], columns)
