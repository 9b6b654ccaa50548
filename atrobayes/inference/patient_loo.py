"""Leave one patient out of a fit by its draws: importance sampling, and exact refits where that may not be trusted."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.special import logsumexp

from atrobayes.files import Column
from atrobayes.inference.estimate import Choices
from atrobayes.inference.fit import Fit, fit
from atrobayes.inference.look_keys import digest
from atrobayes.inference.sampled import Draw, Sampled, sampled_outcomes
from atrobayes.models.frame import Frame

LARGE_K = 0.7
KEY = ["analysis", "part", "method", "engine", "structure", "patient"]
COLUMNS: tuple[Column, ...] = (
    Column("analysis", "Id of the analysis."),
    Column("part", "Part of the analysis, such as ALL; n/a: with its groups."),
    Column("method", "As in estimates.tsv."),
    Column("engine", "What drew the posterior."),
    Column("structure", "Id of the structure."),
    Column("patient", "Who is left out; patients without the structure have no row."),
    Column("n_obs", "Rows of that patient with the structure."),
    Column(
        "elpd",
        "Log predictive density of the patient's rows given all others, the patient's effect integrated out, on the "
        "standardised scale of the fit; minus n_obs times log s_y it is that of raw units.",
    ),
    Column("pareto_k", f"Shape of the importance weights' tail. Above {LARGE_K} they may not be trusted."),
    Column(
        "refitted",
        "Where elpd comes from.",
        levels={
            "yes": f"a fit without the patient: pareto_k was above {LARGE_K}",
            "gate_failed": "such a fit, but it did not pass its checks: do not rely on elpd",
            "no": "importance sampling",
        },
    ),
)


def patient_loo(fitted: Fit, frame: Frame, choices: Choices) -> pd.DataFrame:
    """Leave each patient out of a fit, every outcome.

    Parameters
    ----------
    fitted : Fit
        Of a linear model, as made or read from its file.
    frame : Frame
        What it was fitted to.
    choices : Choices
        Priors and seed of the fit; settings of the refits.

    Returns
    -------
    DataFrame
        Rows of patient_loo.tsv, by structure and patient.

    Raises
    ------
    DataError
        If the fit is of another frame, of a model that is not linear, or holds no coefficients.

    Notes
    -----
    Pareto-smoothed importance sampling: Vehtari, Gelman & Gabry (2017), doi:10.1007/s11222-016-9696-4. Whole patients
    are left out, with their effect integrated out given each draw; given the effect the weights would be far worse.
    """
    tables = []
    for one in sampled_outcomes(fitted, frame, choices):
        rows = weighted(one, one.log_densities())
        tables.append(with_refits(rows, [refit(again) for again in refits(one, rows)]))
    return pd.concat(tables, ignore_index=True)


def weighted(sampled: Sampled, log_densities: np.ndarray) -> pd.DataFrame:
    """Leave each patient out by importance sampling alone.

    Parameters
    ----------
    sampled : Sampled
    log_densities : ndarray (patient, chain, draw)
        Of its patients.

    Returns
    -------
    DataFrame
        Rows of patient_loo.tsv; where pareto_k is above 0.7 they wait for `with_refits`.
    """
    elpd, k = _importance(log_densities)
    frame = sampled.frame
    cells = {
        "analysis": frame.analysis,
        "part": frame.part,
        "method": sampled.linear_model.method,
        "engine": sampled.engine,
        "structure": frame.outcomes[0],
        "patient": np.array(sampled.patients, dtype=object),
        "n_obs": np.unique(frame.patient, return_counts=True)[1].astype(float),
        "elpd": elpd,
        "pareto_k": k,
        "refitted": "no",
    }
    return pd.DataFrame(cells, columns=[column.name for column in COLUMNS])


@dataclass(frozen=True)
class Refit:
    """A fit of one outcome without one patient: a piece of work that depends on nothing else.

    Attributes
    ----------
    sampled : Sampled
        What it is fitted as; of its draws nothing is used.
    patient : str
        Who is left out.
    """

    sampled: Sampled
    patient: str

    def key(self) -> str:
        """SHA-256 of everything the density depends on."""
        own = self.sampled
        return digest((own.model, own.engine, own.frame, own.choices, self.patient))


def refits(sampled: Sampled, rows: pd.DataFrame) -> tuple[Refit, ...]:
    """Refits that the rows of one outcome ask for; none where a patient is all there is.

    Parameters
    ----------
    sampled : Sampled
    rows : DataFrame
        As `weighted` gives them.
    """
    if len(rows) < 2:
        return ()
    return tuple(Refit(sampled, str(who)) for who in rows.loc[rows["pareto_k"] > LARGE_K, "patient"])


def refit(one: Refit) -> pd.DataFrame:
    """Sample the posterior without a patient, and average the density of the patient's rows over its draws.

    Parameters
    ----------
    one : Refit

    Returns
    -------
    DataFrame
        One row: the key of its row in patient_loo.tsv, elpd, and refitted: "yes" or "gate_failed".
    """
    own, choices = one.sampled, one.sampled.choices
    left = own.frame.without_patient(one.patient)
    # a refit is one of many: it has a seed of its own through its analysis' name
    named = replace(left, analysis=f"{left.analysis} without {one.patient}")
    settings, model = choices.settings, own.linear_model
    new = fit(model, named, choices.priors, engine=own.engine, settings=settings, seed=choices.seed)
    logs = own.of_patient(one.patient, Draw.of(new.tree["posterior"].to_dataset(), left))
    cells = {
        "analysis": left.analysis,
        "part": left.part,
        "method": model.method,
        "engine": own.engine,
        "structure": left.outcomes[0],
        "patient": one.patient,
        "elpd": float(logsumexp(logs) - np.log(logs.size)),
        "refitted": "yes" if new.verdict.passed else "gate_failed",
    }
    return pd.DataFrame([cells])


def with_refits(rows: pd.DataFrame, found: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Put what the refits gave in the place of what importance sampling gave.

    Parameters
    ----------
    rows : DataFrame
        As `weighted` gives them.
    found : iterable of DataFrame
        As `refit` gives them.

    Returns
    -------
    DataFrame
        Rows of patient_loo.tsv, in their order.
    """
    tables = list(found)
    if not tables:
        return rows
    again = pd.concat(tables, ignore_index=True).set_index(KEY)
    merged = rows.set_index(KEY)
    merged.loc[again.index, ["elpd", "refitted"]] = again[["elpd", "refitted"]]
    return merged.reset_index()[list(rows.columns)]


def _importance(logs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Log predictive density and Pareto-k (patient,) from log densities (patient, chain, draw)."""
    import arviz as az

    held = {"log_likelihood": {"rows": np.moveaxis(logs, 0, -1)}, "posterior": {"rows": np.moveaxis(logs, 0, -1)}}
    with warnings.catch_warnings():
        # that some k are large is not a surprise here: those patients are refitted
        warnings.simplefilter("ignore", UserWarning)
        found = az.loo(az.from_dict(held), pointwise=True, var_name="rows")
    return found.elpd_i.to_numpy(), found.pareto_k.to_numpy()
