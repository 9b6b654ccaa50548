"""From any long table to the frame of one question: no study, no brain structures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from atrobayes.data_prep.ledger import Exclusion
from atrobayes.errors import DataError, Fault, UsageError
from atrobayes.models.frame import UNGROUPED, Frame
from atrobayes.models.study_frames import Framed, fewest_rows

ANALYSIS = "table"


@dataclass(frozen=True)
class Question:
    """What is asked of a table: slopes of the outcomes on the predictor, in each group.

    Attributes
    ----------
    outcomes : tuple of str
        Columns of numbers.
    predictor : str
        Column of numbers.
    group, patient : str or None
        Columns of labels; without a patient column every row is a patient of its own.
    covariates : tuple of str
        Columns of numbers.
    """

    outcomes: tuple[str, ...]
    predictor: str
    group: str | None = None
    patient: str | None = None
    covariates: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a column that is to be two things at once."""
        names = [*self.numbers, *self.labels]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise UsageError(f"the column {twice[0]!r} is asked for twice: name each in one place only")

    @property
    def numbers(self) -> tuple[str, ...]:
        """Columns that hold numbers."""
        return (*self.outcomes, self.predictor, *self.covariates)

    @property
    def labels(self) -> tuple[str, ...]:
        """Columns that hold labels."""
        return tuple(name for name in (self.group, self.patient) if name is not None)


def build_table_frame(question: Question, table: pd.DataFrame, file: Path) -> Framed:
    """Frame of a question put to a table.

    Parameters
    ----------
    question : Question
    table : DataFrame
        Columns of the question, numbers and texts, missing where missing; the index is the line in the file.
    file : Path
        Where it was read, for messages.

    Returns
    -------
    Framed
        One frame, of kind "mixed" where some patient has several rows, else "regression". Rows that lack
        predictor, covariate, label or every outcome are left out and named in `exclusions`, and so are single
        missing outcomes.

    Raises
    ------
    DataError
        If too few rows are left, or predictor or outcomes do not vary; all of it at once.
    """
    exclusions, kept = _left_out(question, table, file)
    used = table[kept]
    _check(question, used, file)
    several = question.patient is not None and bool(used[question.patient].duplicated().any())
    frame = Frame.from_table(
        # other columns could mean something else to a frame
        used[[*question.numbers, *question.labels]],
        outcomes=question.outcomes,
        predictor=question.predictor,
        group=question.group,
        patient=question.patient,
        covariates=question.covariates,
        kind="mixed" if several else "regression",
        analysis=ANALYSIS,
        unit=[f"{outcome} per {question.predictor}" for outcome in question.outcomes],
        predictor_unit=None,
    )
    return Framed((frame,), exclusions)


def _left_out(question: Question, table: pd.DataFrame, file: Path) -> tuple[tuple[Exclusion, ...], pd.Series]:
    """What is missing where, and which rows are kept."""
    needed = {question.predictor: "count_missing"}
    needed |= dict.fromkeys(question.covariates, "covariate_missing") | dict.fromkeys(question.labels, "label_missing")
    absent = table[list(question.outcomes)].isna()
    kept = table[list(needed)].notna().all(axis=1) & ~absent.all(axis=1)
    lacking = [
        _exclusion(question, table, file, line, rule, f"no {name}: missing is not zero")
        for name, rule in needed.items()
        for line in table.index[table[name].isna()]
    ]
    for line in table.index[absent.any(axis=1)]:
        names = [name for name in question.outcomes if absent.loc[line, name]]
        if len(names) == len(question.outcomes):
            lacking.append(_exclusion(question, table, file, line, "outcome_missing", f"no {', '.join(names)}"))
        else:
            lacking += [
                _exclusion(question, table, file, line, "outcome_missing", f"no {name}", name) for name in names
            ]
    return tuple(lacking), kept


def _exclusion(
    question: Question, table: pd.DataFrame, file: Path, line: int, rule: str, reason: str, outcome: str = ""
) -> Exclusion:
    label = table.loc[line, question.patient] if question.patient else None
    patient = label if isinstance(label, str) else ""
    return Exclusion("analysis", patient, None, outcome, ANALYSIS, rule, f"line {line}: {reason}", file.name)


def _check(question: Question, used: pd.DataFrame, file: Path) -> None:
    groups = used[question.group].unique().tolist() if question.group else [UNGROUPED]
    fewest = fewest_rows(len(groups))
    faults = []
    if len(groups) > 1 and UNGROUPED in groups:
        found, expected = f"a group {UNGROUPED!r}", "another label: results name all rows together so"
        faults.append(Fault(found, expected, "rename it", str(file), column=str(question.group)))
    faults += [
        Fault("one and the same value", "values that differ", "choose another", str(file), column=name)
        for name in (question.predictor, *question.covariates)
        if len(used) and np.ptp(used[name].to_numpy()) == 0
    ]
    for name in question.outcomes:
        values = used[name].dropna()
        if len(values) < fewest:
            expected = f"at least {fewest} for {len(groups)} group{'s' * (len(groups) > 1)}"
            faults.append(Fault(f"{len(values)} rows with everything", expected, "add rows", str(file), column=name))
        elif np.ptp(values.to_numpy()) == 0:
            faults.append(Fault("one and the same value", "values that differ", "check it", str(file), column=name))
    if faults:
        raise DataError(faults)
