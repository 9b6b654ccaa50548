"""An ordinal score by visit and group: cumulative logit, patients with random intercepts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from atrobayes.models.courses import (
    cell_codes,
    cell_labels,
    drawn,
    no_normal_priors,
    of_outcome,
    patient_intercepts,
)
from atrobayes.models.frame import Frame
from atrobayes.models.linear import Linear
from atrobayes.models.priors import HalfStudentT, Priors
from atrobayes.models.terms import cells, terms_of

if TYPE_CHECKING:
    import xarray as xr

CELL_SD = 1.0
THRESHOLD_SD = 5.0
PATIENT_SD = HalfStudentT(3, 2.5)


@dataclass(frozen=True)
class Ordinal:
    """P(score ≤ level k) = logistic(threshold k − the cell's effect − the patient's intercept).

    The levels are the scores that occur in the frame's first outcome, unless others are given.

    Attributes
    ----------
    name, revision, method, formula, family, joint, template
        As the Model contract has them.
    scores : tuple of float
        Levels fixed beforehand, ascending: those of the base analysis where data are simulated, in which not every
        level occurs. Empty: those of the frame.
    """

    name: str = "ordinal"
    revision: str = "2"
    method: str = "bayes"
    formula: str = "score ~ visit:group + (1 | patient)"
    family: str = "cumulative logit"
    joint: bool = False
    template: str = "ordinal"
    scores: tuple[float, ...] = ()

    def levels(self, frame: Frame) -> np.ndarray:
        """(level,): scores there are thresholds between, ascending."""
        return np.array(self.scores) if self.scores else levels(frame)

    def frame(self, frame: Frame) -> Frame:
        """Take the frame as it is."""
        return frame

    def linear(self, frame: Frame, priors: Priors) -> Linear | None:  # noqa: ARG002 - the contract's
        """Return None: the posterior is not Gaussian given the SDs."""
        return None

    def graph(self, frame: Frame, priors: Priors, *, centred: bool = False) -> Any:
        """Build the PyMC graph of the frame's first outcome.

        Free variables cell_effects (cell,), the middle threshold, the logs of the steps from it outwards, patient_sd
        and the patients' intercepts; thresholds (level - 1,), ascending, follow.
        """
        import pymc as pm

        thresholds = len(self.levels(frame)) - 1
        with pm.Model() as graph:
            held = {name: pm.Data(name, values) for name, values in self.data(frame, priors).items()}
            cell = pm.Normal("cell_effects", 0, CELL_SD, shape=len(cells(frame)))
            cuts = _ordered_thresholds(thresholds)
            patient_sd = pm.HalfStudentT("patient_sd", nu=PATIENT_SD.nu, sigma=PATIENT_SD.scale)
            own = patient_intercepts(patient_sd, len(frame.patients), centred=centred)
            state = cell[held["cell"]] + own[held["patient"]]
            pm.OrderedLogistic("response", eta=state, cutpoints=cuts, compute_p=False, observed=held["y"])
        return graph

    def data(self, frame: Frame, priors: Priors) -> dict[str, np.ndarray]:  # noqa: ARG002 - the contract's
        """Give the numbers of the graph for the frame's first outcome: places of the scores among the levels."""
        y = np.searchsorted(self.levels(frame), frame.y.to_numpy()[:, 0])
        return {"y": y, "cell": cell_codes(frame), "patient": frame.patient}

    def terms(self, draws: xr.Dataset, frame: Frame, priors: Priors) -> xr.DataArray:  # noqa: ARG002
        """Median score of every cell over patients, intercepts integrated out: (chain, draw, outcome, term).

        The median is the least level with P(score ≤ level) ≥ 1/2. Intercept and logistic error are symmetric about
        0, so their sum's median is 0 whatever the patient SD: that level is the first whose threshold is not below the
        cell's effect, and no integral is left to compute.
        """
        effects, cuts = drawn(draws, "cell_effects"), drawn(draws, "thresholds")
        median = self.levels(frame)[(cuts[..., None, :] < effects[..., None]).sum(axis=-1)]
        return of_outcome([*np.moveaxis(median, -1, 0)], [term.name for term in terms_of(frame)], "term", frame)

    def sds(self, draws: xr.Dataset, frame: Frame, priors: Priors) -> xr.DataArray:  # noqa: ARG002
        """Patient SD, thresholds and effects of the cells, in logits: (chain, draw, outcome, sd).

        Medians are few levels, often one and the same in every draw: convergence shows in what they are made of.
        """
        steps = [f"threshold[{level:g}]" for level in self.levels(frame)[:-1]]
        effects = [f"effect[{label}]" for label in cell_labels(frame)]
        vectors = [*np.moveaxis(drawn(draws, "thresholds"), -1, 0), *np.moveaxis(drawn(draws, "cell_effects"), -1, 0)]
        return of_outcome([drawn(draws, "patient_sd"), *vectors], ["patient_sd", *steps, *effects], "sd", frame)

    def term_priors(self, frame: Frame, priors: Priors) -> tuple[np.ndarray, np.ndarray]:  # noqa: ARG002
        """NaN: no median has a normal prior."""
        return no_normal_priors(frame)


def _ordered_thresholds(count: int) -> Any:
    """(threshold,): independent normals restricted to ascending order, inside a PyMC model.

    Counted from the middle one: where a level at an end does not occur, its threshold is known by its prior only, and
    were it the start of all others, as in PyMC's ordered transform, they would have to move with it.
    """
    import pymc as pm
    from pytensor import tensor

    middle = pm.Flat("middle_threshold", initval=0.0)
    if count == 1:
        cuts = middle[None]
    else:
        log_steps = pm.Flat("log_steps", shape=count - 1, initval=np.full(count - 1, np.log(4 / count)))
        steps, below = tensor.exp(log_steps), count // 2
        down = middle - tensor.cumsum(steps[:below][::-1])[::-1]
        cuts = tensor.concatenate([down, middle[None], middle + tensor.cumsum(steps[below:])])
        # density of the steps' logs: that of the thresholds times their steps
        pm.Potential("log_steps_jacobian", log_steps.sum())
    pm.Potential("thresholds_prior", pm.logp(pm.Normal.dist(0, THRESHOLD_SD), cuts).sum())
    return pm.Deterministic("thresholds", cuts)


def levels(frame: Frame) -> np.ndarray:
    """(level,): scores that occur in the frame's first outcome, ascending.

    Raises
    ------
    ValueError
        If all scores are equal: there is no threshold to learn of.
    """
    y = frame.y.to_numpy()[:, 0]
    found = np.unique(y[~np.isnan(y)])
    if len(found) < 2:
        raise ValueError(f"{frame.outcomes[0]}: one and the same score in every row, where at least two are needed")
    return found


ORDINAL = Ordinal()
