"""Rows of estimates.tsv for one frame: classical and Bayesian, the same terms in the same units."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from atrobayes.inference.classical.families import adjust
from atrobayes.inference.classical.mixed import classical_mixed
from atrobayes.inference.engine import Settings
from atrobayes.inference.fit import Fit, fit
from atrobayes.inference.store import Store
from atrobayes.models.analyses import Analysis
from atrobayes.models.coding import term_weights
from atrobayes.models.estimands import Rope, describe
from atrobayes.models.frame import Frame
from atrobayes.models.model import get_model
from atrobayes.models.priors import Priors


@dataclass(frozen=True)
class Choices:
    """How frames are fitted and reported: everything but the data.

    Attributes
    ----------
    priors : Priors
    engine : str
        "auto" or the name of an engine.
    settings : Settings
        How hard the engine works.
    seed : int
        The study's.
    interval : float
        Probability inside every interval.
    rope : Rope
    """

    priors: Priors = field(default_factory=Priors)
    engine: str = "auto"
    settings: Settings = field(default_factory=Settings)
    seed: int = 1
    interval: float = 0.95
    rope: Rope = field(default_factory=Rope)


def estimate(
    frame: Frame, analysis: Analysis, choices: Choices, store: Store | None = None
) -> tuple[pd.DataFrame, Fit]:
    """Fit one frame both ways.

    Parameters
    ----------
    frame : Frame
    analysis : Analysis
        What the frame was made for.
    choices : Choices
    store : Store, optional
        Where an equal fit is looked up, and a new one kept.

    Returns
    -------
    rows : DataFrame
        Rows of estimates.tsv: for each structure and term the classical, then the Bayesian row.
    posterior : Fit
        What the Bayesian rows come from.
    """
    classical = adjust(classical_mixed(frame, choices.interval))
    model = get_model(analysis.kind)
    posterior = fit(
        model,
        frame,
        choices.priors,
        engine=choices.engine,
        settings=choices.settings,
        seed=choices.seed,
        store=store,
    )
    raw = pd.DataFrame(posterior.history["priors"]["raw"])
    shape = (len(frame.outcomes), len(term_weights(frame.groups)))
    prior = (raw["mean"].to_numpy().reshape(shape), raw["sd"].to_numpy().reshape(shape))
    bayes = describe(posterior.marginals, frame, choices.rope, choices.interval, classical, prior)
    bayes = _with_history(bayes, posterior, classical)
    both = pd.concat([classical, bayes], ignore_index=True)
    both = both.assign(outcome=analysis.outcome, predictor=frame.predictor)
    return _in_order(both, frame), posterior


def _with_history(bayes: pd.DataFrame, posterior: Fit, classical: pd.DataFrame) -> pd.DataFrame:
    history, table = posterior.history, posterior.verdict.table
    index = bayes.set_index(["structure", "term"]).index
    checks = table[["rhat", "ess_bulk", "ess_tail"]].to_dataframe().reindex(index)
    by_outcome = table[["passed", "divergences"]].to_dataframe()
    passed = by_outcome["passed"].reindex(bayes["structure"]).to_numpy(bool)
    no_slope = classical.set_index(["structure", "term"])["flags"].eq("not_estimable").reindex(index).to_numpy()
    return bayes.assign(
        method=history["method"],
        engine=history["engine"]["name"],
        prior=history["prior"],
        fit_id=history["fit_id"],
        flags=[_flags(empty, good) for empty, good in zip(no_slope.tolist(), passed.tolist(), strict=True)],
        divergences=by_outcome["divergences"].reindex(bayes["structure"]).to_numpy(),
        **{str(name): checks[name].to_numpy() for name in checks},
    )


def _flags(empty: bool, good: bool) -> str:
    return ",".join(["prior_only"] * empty + ["gate_failed"] * (not good))


def _in_order(rows: pd.DataFrame, frame: Frame) -> pd.DataFrame:
    structures = rows["structure"].map({name: k for k, name in enumerate(frame.outcomes)})
    terms = rows["term"].map({name: k for k, name in enumerate(term_weights(frame.groups))})
    order = np.lexsort((rows["method"].ne("classical"), terms, structures))
    return rows.iloc[order].reset_index(drop=True)
