"""Counts of events by visit and group: negative binomial, patients with random intercepts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from atrobayes.errors import DataError, Fault
from atrobayes.models.courses import (
    cell_codes,
    drawn,
    no_normal_priors,
    of_outcome,
    patient_intercepts,
)
from atrobayes.models.frame import Frame
from atrobayes.models.linear import Linear
from atrobayes.models.priors import Priors
from atrobayes.models.terms import Cell, cells, terms_of

if TYPE_CHECKING:
    import xarray as xr

LOG_RATE_SD = 1.5
CELL_SD = 1.0
# of one over the root of the shape, and of the patient SD: half-normal
DISPERSION_SD = 1.0
PATIENT_SD = 1.0


@dataclass(frozen=True)
class Counts:
    """Log rate of a cell = overall + the cell's deviation + the patient's intercept; offset log(years).

    Attributes
    ----------
    name, revision, method, formula, family, joint, template
        As the Model contract has them.
    """

    name: str = "counts"
    revision: str = "1"
    method: str = "bayes"
    formula: str = "count ~ visit:group + (1 | patient) + offset(log(years))"
    family: str = "negative binomial, log link"
    joint: bool = False
    template: str = "counts"

    def frame(self, frame: Frame) -> Frame:
        """Take the frame as it is."""
        return frame

    def linear(self, frame: Frame, priors: Priors) -> Linear | None:  # noqa: ARG002 - the contract's
        """Return None: the posterior is not Gaussian given the SDs."""
        return None

    def graph(self, frame: Frame, priors: Priors, *, centred: bool = False) -> Any:
        """Build the PyMC graph of the frame's first outcome.

        Free variables log_rate, cell_effects (cell,), dispersion, patient_sd and the patients' intercepts.
        """
        import pymc as pm

        data = self.data(frame, priors)
        with pm.Model() as graph:
            held = {name: pm.Data(name, values) for name, values in data.items()}
            overall = pm.Normal("log_rate", 0, LOG_RATE_SD)
            cell = pm.Normal("cell_effects", 0, CELL_SD, shape=len(cells(frame)))
            # one over the root of the shape: 0 is Poisson, so that the prior's mode is no overdispersion
            dispersion = pm.HalfNormal("dispersion", DISPERSION_SD)
            patient_sd = pm.HalfNormal("patient_sd", PATIENT_SD)
            own = patient_intercepts(patient_sd, len(frame.patients), centred=centred)
            log_mean = overall + cell[held["cell"]] + own[held["patient"]] + held["log_years"]
            # p = shape / (shape + mean) on the logit scale: no overflow where the mean is huge or the shape is
            logit = -2 * pm.math.log(dispersion) - log_mean
            pm.NegativeBinomial("response", n=dispersion**-2, p=pm.math.sigmoid(logit), observed=held["y"])
        return graph

    def data(self, frame: Frame, priors: Priors) -> dict[str, np.ndarray]:  # noqa: ARG002 - the contract's
        """Give the numbers of the graph for the frame's first outcome: counts as they are.

        Raises
        ------
        DataError
            If a count is no whole number from 0 on, or a row covers no time.
        """
        y = frame.y.to_numpy()[:, 0]
        _check(frame, frame.outcomes[0], y, (y >= 0) & (y == np.round(y)), "a whole number from 0 on")
        _check(frame, "years", frame.years, frame.years > 0, "a time longer than 0")
        return {
            "y": y.astype(np.int64),
            "cell": cell_codes(frame),
            "patient": frame.patient,
            "log_years": np.log(frame.years),
        }

    def terms(self, draws: xr.Dataset, frame: Frame, priors: Priors) -> xr.DataArray:  # noqa: ARG002
        """Rate of every cell a year, and rate ratios: (chain, draw, outcome, term).

        A rate is the mean over patients, intercepts integrated out, which an arithmetic mean of counts estimates:
        exp(overall + cell + patient SD² / 2). Its posterior has a heavy upper tail: the median is steadier than
        the mean.
        """
        found = cells(frame)
        effects = np.moveaxis(drawn(draws, "cell_effects"), -1, 0)
        level = drawn(draws, "log_rate") + drawn(draws, "patient_sd") ** 2 / 2
        ratios = [effects[a] - effects[b] for a, b in _pairs(found)]
        values = [np.exp(logarithm) for logarithm in (*(level + effects), *ratios)]
        return of_outcome(values, [term.name for term in terms_of(frame)], "term", frame)

    def sds(self, draws: xr.Dataset, frame: Frame, priors: Priors) -> xr.DataArray:  # noqa: ARG002
        """Patient SD, one over the root of the shape, overall log rate: (chain, draw, outcome, sd)."""
        names = ("patient_sd", "dispersion", "log_rate")
        return of_outcome([drawn(draws, name) for name in names], names, "sd", frame)

    def term_priors(self, frame: Frame, priors: Priors) -> tuple[np.ndarray, np.ndarray]:  # noqa: ARG002
        """NaN: no rate and no ratio has a normal prior."""
        return no_normal_priors(frame)


COUNTS = Counts()


def _pairs(found: tuple[Cell, ...]) -> list[tuple[int, int]]:
    """Places of the cells of first and second group at each visit that both have, as `terms_of` orders the ratios."""
    places = {(cell.group, cell.visit): place for place, cell in enumerate(found)}
    return [
        (place, places[1, visit]) for (group, visit), place in places.items() if group == 0 and (1, visit) in places
    ]


def _check(frame: Frame, column: str, values: np.ndarray, good: np.ndarray, expected: str) -> None:
    faults = [
        Fault(f"{values[row]:g} ({_place(frame, row)})", expected, "mend it, or leave the row out", column=column)
        for row in np.flatnonzero(~good).tolist()
    ]
    if faults:
        raise DataError(faults)


def _place(frame: Frame, row: int) -> str:
    return f"patient {frame.patients[frame.patient[row]]}, visit {frame.visits[row, 1]}"
