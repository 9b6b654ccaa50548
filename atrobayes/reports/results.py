"""A results folder, read lazily: typed tables, the cohort, and each fit's history and verdict."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from atrobayes.errors import DataError, Fault
from atrobayes.files import MISSING, read_table
from atrobayes.reports.contrast import KEY, contrast, headline

UNGROUPED = "ALL"

# not Arrow's, which is slow where small tables are cut, joined and read row by row
_STRING = pd.StringDtype("python", na_value=np.nan)

_MADE_BY = {
    "cohort.nc": "prep",
    "exclusions.tsv": "prep",
    "flow.tsv": "prep",
    "quality.tsv": "prep",
    "intervals.tsv": "prep",
    "changes.tsv": "prep",
    "estimates.tsv": "fit",
}
_TEXT = {
    "estimates.tsv": "analysis structure term method engine prior outcome predictor unit ci_kind flags fit_id",
    "exclusions.tsv": "stage patient structure analysis rule reason file",
    "flow.tsv": "step unit analysis group reasons",
    "quality.tsv": "rule patient structure unit reason",
    "intervals.tsv": "patient group edss_progression neda3 neda3_failed neda4",
    "changes.tsv": "patient structure",
    "audit.tsv": "check verdict source analysis structure quantity group printed implied assumptions message",
    "reanalysis.tsv": (
        "source analysis structure term group together likelihood prior unit p_bound tipping_reason status note"
    ),
    "assurance.tsv": "analysis structure term conclusion",
}
# columns of text in the tables that only some commands make; axis_… too
_TEXTS_OF_LOOKS = (
    "analysis structure term method engine prior outcome predictor unit ci_kind flags fit_id fork status reason "
    "patient patients look block setting quantity verdict reasons group groups model parameter errors conclusion test "
    "part axis level likelihood weakest_patient weakest_prior kind histogram refitted"
)


@dataclass(frozen=True)
class FitRecord:
    """What one posterior file says of itself: how it was made and whether it may be trusted.

    Attributes
    ----------
    file : str
        Its name.
    history, verdict : mapping
        As `inference.fit.Fit` writes them.
    """

    file: str
    history: Mapping[str, Any]
    verdict: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Analysis, method and engine in one label."""
        return self.file.removesuffix(".nc").replace("--", " · ")

    @property
    def engine(self) -> str:
        """Name of the engine that ran."""
        return str(self.history.get("engine", {}).get("name", "unknown"))


@dataclass(frozen=True)
class Results:
    """A results folder; each part is read when first asked for.

    In the tables texts are `str` ("" where n/a) and everything else is float (NaN where n/a).
    """

    folder: Path

    @cached_property
    def estimates(self) -> pd.DataFrame:
        """Every estimate, classical and Bayesian, one a row."""
        return _typed(self.folder / "estimates.tsv")

    @cached_property
    def contrast(self) -> pd.DataFrame:
        """Classical and Bayesian answers side by side, as `contrast.contrast`."""
        return contrast(self.estimates)

    @cached_property
    def classical(self) -> pd.DataFrame:
        """Rows of the headline classical method."""
        return headline(self.estimates, "classical")

    @cached_property
    def flags(self) -> dict[str, dict[tuple[str, str, str], str]]:
        """Flags of analysis, structure and term, by method."""
        flags: dict[str, dict[Any, str]] = {}
        for method in self.estimates["method"].unique():
            flags[method] = headline(self.estimates, method).set_index(list(KEY))["flags"].to_dict()
        return flags

    @cached_property
    def exclusions(self) -> pd.DataFrame:
        """The ledger of everything left out."""
        return _typed(self.folder / "exclusions.tsv")

    @cached_property
    def flow(self) -> pd.DataFrame:
        """Counts at each step from enrolment to the rows of each analysis."""
        return _typed(self.folder / "flow.tsv")

    @cached_property
    def quality(self) -> pd.DataFrame:
        """What is kept but worth a look."""
        return _typed(self.folder / "quality.tsv")

    @cached_property
    def intervals(self) -> pd.DataFrame:
        """Intervals between two usable scans of a patient."""
        return _typed(self.folder / "intervals.tsv")

    @cached_property
    def changes(self) -> pd.DataFrame:
        """Volume changes, one row per interval and structure."""
        return _typed(self.folder / "changes.tsv")

    def look(self, name: str) -> pd.DataFrame | None:
        """Table of a look that was asked for, such as "influence"; None where it was not."""
        if name not in self._looks:
            path = self.folder / f"{name}.tsv"
            self._looks[name] = _typed(path) if path.is_file() else None
        return self._looks[name]

    @cached_property
    def _looks(self) -> dict[str, pd.DataFrame | None]:
        return {}

    @cached_property
    def cohort(self) -> xr.Dataset:
        """The cohort, loaded."""
        with xr.open_dataset(self.folder / "cohort.nc", engine="netcdf4") as dataset:
            return dataset.load()

    @cached_property
    def fits(self) -> tuple[FitRecord, ...]:
        """History and verdict of every posterior file, by file name."""
        return tuple(_fit_record(path) for path in sorted((self.folder / "posterior").glob("*.nc")))

    def observed(self, fit: FitRecord) -> pd.DataFrame:
        """Outcomes a fit was made from, raw units: a column per structure, NaN where absent; no patient is named."""
        import netCDF4

        with netCDF4.Dataset(self.folder / "posterior" / fit.file) as stored:
            data = stored.groups["observed_data"]
            values = np.ma.filled(data["y"][:].astype(float), np.nan)
            return pd.DataFrame(values, columns=[str(name) for name in data["outcome"][:]])

    @cached_property
    def groups(self) -> tuple[str, ...]:
        """Group labels in the order of the study file; empty where patients have no groups."""
        groups = _texts(self.cohort.attrs.get("groups", ()))
        return () if groups == (UNGROUPED,) else groups


def read_results(folder: Path) -> Results:
    """Open a results folder for reporting.

    Parameters
    ----------
    folder : Path
        The `--out` of a run.

    Returns
    -------
    Results
        Nothing but the existence of the files has been looked at yet.

    Raises
    ------
    DataError
        If the folder or a file of it is absent; all are named with the command that makes them.
    """
    if not folder.is_dir():
        raise DataError(
            Fault("no such folder", "a results folder", "make it with `atrobayes run STUDY.toml`", folder.name)
        )
    faults = [
        Fault(
            "no such file",
            "a table of the run",
            f"make it with `atrobayes {command} STUDY.toml`",
            f"{folder.name}/{name}",
        )
        for name, command in _MADE_BY.items()
        if not (folder / name).is_file()
    ]
    if faults:
        raise DataError(faults)
    return Results(folder)


def each_row(frame: pd.DataFrame) -> Iterator[Any]:
    """Give the rows of a table as tuples with the columns as attributes."""
    yield from frame.itertuples(index=False)


def _typed(path: Path) -> pd.DataFrame:
    raw = read_table(path)
    own = _TEXT.get(path.name)
    looked = [name for name in raw.columns if name in _TEXTS_OF_LOOKS.split() or name.startswith("axis_")]
    texts = looked if own is None else own.split()
    columns = {
        name: raw[name].replace(MISSING, "").astype(_STRING) if name in texts else _numbers(raw[name], path)
        for name in raw.columns
    }
    return pd.DataFrame(columns).reset_index(drop=True)


def _numbers(column: pd.Series, path: Path) -> pd.Series:
    present = column[column != MISSING]
    numbers = pd.to_numeric(present, errors="coerce").astype(float)
    faults = [
        Fault(
            repr(present[line]),
            "a number or n/a",
            "run again; this file is not for editing",
            path.name,
            int(line),
            str(column.name),
        )
        for line in present.index[numbers.isna()]
    ]
    if faults:
        raise DataError(faults)
    return numbers.reindex(column.index)


def _fit_record(path: Path) -> FitRecord:
    import netCDF4

    with netCDF4.Dataset(path) as stored:
        try:
            history, verdict = (json.loads(stored.getncattr(name)) for name in ("history", "verdict"))
        except AttributeError as error:
            todo = "remove the file and run `atrobayes fit STUDY.toml`"
            raise DataError(Fault("no history or verdict", "a posterior of atrobayes", todo, path.name)) from error
    return FitRecord(path.name, history, verdict)


def _texts(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        if not value:
            return ()
        return tuple(map(str, json.loads(value))) if value.startswith("[") else (value,)
    return tuple(str(item) for item in value)
