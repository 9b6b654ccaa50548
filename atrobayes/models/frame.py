"""Frame: the rows one analysis is about, with the scales its priors are stated on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from atrobayes.errors import DataError, Fault

if TYPE_CHECKING:
    import pandas as pd

UNGROUPED = "ALL"


@dataclass(frozen=True)
class Scales:
    """Constants of the standardised scale, set once on the base analysis.

    Attributes
    ----------
    y_mean, y_sd : ndarray (outcome,)
        Mean and SD (n - 1) of each outcome over all rows, in the outcome's units.
    x_mean : float
        Mean of the predictor over all rows.
    x_unit : float
        u, the number of lesions the priors speak of.
    covariate_mean, covariate_sd : ndarray (covariate,)
        Mean and SD (n - 1) of each covariate over all rows.
    """

    y_mean: np.ndarray
    y_sd: np.ndarray
    x_mean: float
    x_unit: float
    covariate_mean: np.ndarray
    covariate_sd: np.ndarray


@dataclass(frozen=True)
class Frame:
    """Rows, outcomes and predictor of one analysis.

    Attributes
    ----------
    analysis : str
        Id of the analysis.
    kind : str
        What the rows are and what is asked of them, a key of `models.terms.KINDS`: "mixed", "regression",
        "comparison", "groups", "counts" or "scores".
    y : DataArray (row, outcome)
        Raw units, NaN where absent.
    x : ndarray (row,)
        Raw predictor, never NaN: lesions, or a state (0 or 1); 0 throughout where there is no predictor.
    covariates : DataArray (row, covariate)
        Raw, never NaN; usually none. Engines see them centred, in SDs.
    group, patient : ndarray of int (row,)
        Codes into `groups` and `patients`.
    groups, patients : tuple of str
        Labels; no group at all is one group labelled "ALL".
    scales : Scales
        Carried along unchanged by `select` and `with_outcomes`.
    units : tuple of str
        Unit of a slope or difference, for each outcome.
    predictor : str
        Name of the predictor's column; "" where there is none.
    visits : ndarray of int (row, 2)
        Opening and closing visit of each row: the way back to the ledger.
    years : ndarray (row,)
        Time in which the counts of a row came about; 1 where time plays no part.
    orientation : ndarray (outcome,)
        1: shrinks with atrophy, -1: grows.
    part : str
        Names a frame that is a part of its analysis, such as "ALL": the same rows without groups.
    redefined : frozenset of str
        Outcomes that have the name of a known structure and a definition of the study's own.
    """

    analysis: str
    kind: str
    y: xr.DataArray
    x: np.ndarray
    covariates: xr.DataArray
    group: np.ndarray
    patient: np.ndarray
    groups: tuple[str, ...]
    patients: tuple[str, ...]
    scales: Scales
    units: tuple[str, ...]
    predictor: str
    visits: np.ndarray
    years: np.ndarray
    orientation: np.ndarray
    part: str = ""
    redefined: frozenset[str] = frozenset()

    @classmethod
    def from_table(
        cls,
        table: pd.DataFrame,
        *,
        outcomes: Sequence[str],
        predictor: str | None = None,
        group: str | None = None,
        groups: Sequence[str] | None = None,
        patient: str | None = None,
        covariates: Sequence[str] = (),
        kind: str = "mixed",
        analysis: str = "table",
        part: str = "",
        unit: str | Sequence[str] = "",
        predictor_unit: float | None = 1.0,
        outcome_sd: Mapping[str, float] | None = None,
        orientation: Mapping[str, int] | None = None,
        redefined: Collection[str] = (),
        exposure: str | None = None,
    ) -> Frame:
        """Take any long table: one row per observation.

        Parameters
        ----------
        table : DataFrame
            Columns as named below; `visit_from` and `visit_to` are kept where present.
        outcomes : sequence of str
            Numeric columns; NaN marks an absent value.
        predictor : str, optional
            Numeric column.
        group, patient : str, optional
            Label columns. Without a patient column every row is a patient of its own.
        groups : sequence of str, optional
            Order of the groups; default: by first appearance.
        covariates : sequence of str
            Numeric columns without missing values.
        kind : str
            See the attribute.
        analysis, part : str
            Names for the results.
        unit : str or sequence of str
            Unit of the terms, one for all outcomes or one for each.
        predictor_unit : float or None
            u; None: the SD of the predictor.
        outcome_sd : mapping of str to float, optional
            s_y of some outcomes; default: their SDs.
        orientation : mapping of str to int, optional
            -1 for outcomes that grow where tissue shrinks; default 1.
        redefined : collection of str
            See the attribute; others than the outcomes are passed over.
        exposure : str, optional
            Column of the years each row was observed for; default: one year each.

        Raises
        ------
        DataError
            If a predictor or label is missing, a group is not among `groups`, a number is not finite, or an
            outcome has fewer than three values or no spread.
        """
        rows = len(table)
        outcomes = list(outcomes)
        _check_numbers(table, [*([predictor] if predictor else []), *covariates], outcomes)
        _check_labels(table, group, patient, groups)
        x = table[predictor].to_numpy(float, copy=True) if predictor else np.zeros(rows)
        y = table[outcomes].to_numpy(float, copy=True)
        labels = table[group].astype("str").to_numpy() if group else np.full(rows, UNGROUPED)
        order = tuple(groups) if groups else tuple(dict.fromkeys(labels.tolist()))
        people = table[patient].astype("str").to_numpy() if patient else np.arange(rows).astype("str")
        names = tuple(sorted(set(people.tolist())))
        visit_columns = [name for name in ("visit_from", "visit_to") if name in table]
        visits = table[visit_columns].to_numpy(int) if len(visit_columns) == 2 else np.full((rows, 2), -1)
        others = table[list(covariates)].to_numpy(float, copy=True)
        return cls(
            analysis=analysis,
            kind=kind,
            y=xr.DataArray(y, dims=("row", "outcome"), coords={"outcome": outcomes}),
            x=x,
            covariates=xr.DataArray(others, dims=("row", "covariate"), coords={"covariate": list(covariates)}),
            group=np.array([order.index(label) for label in labels.tolist()], dtype=np.int64),
            patient=np.searchsorted(np.array(names), people).astype(np.int64),
            groups=order,
            patients=names,
            scales=_scales(y, x, others, predictor_unit, outcome_sd, tuple(outcomes)),
            units=(unit,) * len(outcomes) if isinstance(unit, str) else tuple(unit),
            predictor=predictor or "",
            visits=visits,
            years=table[exposure].to_numpy(float, copy=True) if exposure else np.ones(rows),
            orientation=np.array([(orientation or {}).get(name, 1) for name in outcomes], dtype=float),
            part=part,
            redefined=frozenset(redefined).intersection(outcomes),
        )

    @property
    def outcomes(self) -> tuple[str, ...]:
        """Labels of the outcomes."""
        return tuple(self.y["outcome"].to_numpy().tolist())

    @property
    def y_standardised(self) -> np.ndarray:
        """(row, outcome): (y - mean) / SD, with the frame's scales."""
        return (self.y.to_numpy() - self.scales.y_mean) / self.scales.y_sd

    @property
    def x_standardised(self) -> np.ndarray:
        """(row,): (x - mean) / u, with the frame's scales."""
        return (self.x - self.scales.x_mean) / self.scales.x_unit

    @property
    def covariates_standardised(self) -> np.ndarray:
        """(row, covariate): centred, in SDs, with the frame's scales."""
        return (self.covariates.to_numpy() - self.scales.covariate_mean) / self.scales.covariate_sd

    @property
    def slope_scale(self) -> np.ndarray:
        """(outcome,): a standardised slope times this is the slope in `units`. The one place of back-transformation."""
        return self.scales.y_sd / self.scales.x_unit

    @property
    def digest(self) -> str:
        """SHA-256 of everything a fit depends on; equal frames have equal digests."""
        state = hashlib.sha256()
        names = [self.analysis, self.part, self.kind, self.units, self.predictor, self.outcomes, self.groups]
        texts = [*names, self.covariates["covariate"].to_numpy().tolist(), len(self.patients)]
        texts += [sorted(self.redefined)] if self.redefined else []
        state.update(json.dumps(texts).encode())
        rows = (
            self.y.to_numpy(),
            self.x,
            self.covariates.to_numpy(),
            self.group,
            self.patient,
            self.visits,
            self.years,
        )
        scales = (self.scales.y_mean, self.scales.y_sd, self.scales.covariate_mean, self.scales.covariate_sd)
        for values in (*rows, *scales, self.orientation, np.array([self.scales.x_mean, self.scales.x_unit])):
            state.update(np.ascontiguousarray(values, dtype=float).tobytes())
        return state.hexdigest()

    def select(self, rows: np.ndarray, outcomes: np.ndarray) -> Frame:
        """Keep some rows (boolean or index) and outcomes (index); the scales stay as they are."""
        scales = replace(self.scales, y_mean=self.scales.y_mean[outcomes], y_sd=self.scales.y_sd[outcomes])
        return replace(
            self,
            y=self.y[rows][:, outcomes],
            x=self.x[rows],
            covariates=self.covariates[rows],
            group=self.group[rows],
            patient=self.patient[rows],
            visits=self.visits[rows],
            years=self.years[rows],
            scales=scales,
            units=tuple(self.units[k] for k in np.arange(len(self.outcomes))[outcomes]),
            orientation=self.orientation[outcomes],
        )

    def without_groups(self) -> Frame:
        """Take all rows as one group; the scales stay as they are."""
        return replace(self, group=np.zeros_like(self.group), groups=(UNGROUPED,), part=UNGROUPED)

    def without_patient(self, label: str) -> Frame:
        """Leave one patient out; the scales stay as they are, so priors mean the same raw numbers."""
        return self.select(self.patient != self.patients.index(label), np.arange(len(self.outcomes)))

    def with_outcomes(self, y: xr.DataArray, scales: Scales | None = None) -> Frame:
        """Put other outcomes (row, outcome) on the same design, with the scales given or, if absent, the frame's.

        Outcomes the frame does not know have its first unit, and orientation 1.
        """
        units = dict(zip(self.outcomes, self.units, strict=True))
        orientation = dict(zip(self.outcomes, self.orientation.tolist(), strict=True))
        names = y["outcome"].to_numpy().tolist()
        return replace(
            self,
            y=y,
            scales=scales or self.scales,
            units=tuple(units.get(name, self.units[0]) for name in names),
            orientation=np.array([orientation.get(name, 1.0) for name in names]),
        )

    def patterns(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Outcomes that are present in the same rows, together: (row mask, outcome indices) of each such set."""
        present = ~np.isnan(self.y.to_numpy())
        masks, which = np.unique(present.T, axis=0, return_inverse=True)
        return [(mask, np.flatnonzero(which == number)) for number, mask in enumerate(masks)]


def _check_numbers(table: pd.DataFrame, whole: Sequence[str], outcomes: Sequence[str]) -> None:
    holed = [name for name in whole if np.isnan(table[name].to_numpy(float)).any()]
    if holed:
        todo = "leave those rows out"
        raise DataError([Fault("missing values", "a number in every row", todo, column=name) for name in holed])
    endless = [name for name in (*whole, *outcomes) if np.isinf(table[name].to_numpy(float)).any()]
    if endless:
        raise DataError([Fault("an infinite value", "finite numbers", "check it", column=name) for name in endless])


def _check_labels(table: pd.DataFrame, group: str | None, patient: str | None, groups: Sequence[str] | None) -> None:
    faults = [
        Fault("missing labels", "a label in every row", "leave those rows out", column=name)
        for name in (group, patient)
        if name and table[name].isna().any()
    ]
    if group and groups and not faults:
        unknown = sorted(set(table[group].astype("str").tolist()) - set(groups))
        faults = [Fault(repr(label), f"one of {', '.join(groups)}", "mend it", column=group) for label in unknown]
    if faults:
        raise DataError(faults)


def _scales(
    y: np.ndarray,
    x: np.ndarray,
    covariates: np.ndarray,
    unit: float | None,
    outcome_sd: Mapping[str, float] | None,
    names: tuple[str, ...],
) -> Scales:
    counts = (~np.isnan(y)).sum(axis=0)
    few = [name for name, count in zip(names, counts, strict=True) if count < 3]
    if few:
        raise DataError(
            [Fault("fewer than three values", "at least three", "leave it out", column=name) for name in few]
        )
    mean, sd = np.nanmean(y, axis=0), np.nanstd(y, axis=0, ddof=1)
    flat = [name for name, spread in zip(names, sd, strict=True) if not spread > 0]
    if flat:
        raise DataError(
            [Fault("one and the same value", "values that differ", "check it", column=name) for name in flat]
        )
    own = outcome_sd or {}
    sd = np.array([own.get(name, spread) for name, spread in zip(names, sd.tolist(), strict=True)])
    unit = float(x.std(ddof=1)) if unit is None else unit
    spread = covariates.std(axis=0, ddof=1)
    return Scales(mean, sd, float(x.mean()), unit or 1.0, covariates.mean(axis=0), np.where(spread > 0, spread, 1.0))
