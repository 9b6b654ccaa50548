"""Rows of estimates.tsv for one frame: classical and Bayesian, the same terms in the same units."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from atrobayes.inference.classical.classical import classical
from atrobayes.inference.engine import Settings, refusal
from atrobayes.inference.fit import Fit, fit
from atrobayes.inference.plan import PLANS, parts
from atrobayes.inference.seeds import derive
from atrobayes.inference.store import Store
from atrobayes.models import superiority
from atrobayes.models.estimands import Rope, describe
from atrobayes.models.estimates import METHODS
from atrobayes.models.frame import Frame
from atrobayes.models.marginals import Mixture
from atrobayes.models.model import Model, get_model
from atrobayes.models.priors import Priors
from atrobayes.models.terms import terms_of


def _silent(_model: str) -> None:
    """Tell nobody."""


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
    pool : bool
        Also fit models that shrink the outcomes together; False where outcomes are not brain structures.
    announce : callable
        Told the name of the model before each fit.
    """

    priors: Priors = field(default_factory=Priors)
    engine: str = "auto"
    settings: Settings = field(default_factory=Settings)
    seed: int = 1
    interval: float = 0.95
    rope: Rope = field(default_factory=Rope)
    pool: bool = True
    announce: Callable[[str], None] = _silent

    def identity(self) -> str:
        """All that numbers depend on, as text; not who is told of progress, nor how many cores there are."""
        own = (self.priors, self.engine, self.settings.identity(), self.seed, self.interval, self.rope, self.pool)
        return repr(own)


@dataclass(frozen=True)
class Planned:
    """What is to be fitted to one frame.

    Attributes
    ----------
    fits : tuple of (Frame, Model)
        In the order they are fitted.
    refused : dict of str to str
        Models that the engine asked for cannot fit, or the frame holds nothing for, and why, in words.
    """

    fits: tuple[tuple[Frame, Model], ...]
    refused: dict[str, str]


def plan_fits(frame: Frame, choices: Choices) -> Planned:
    """Choose the models for a frame and its parts, before any work.

    Parameters
    ----------
    frame : Frame
    choices : Choices

    Returns
    -------
    Planned

    Raises
    ------
    UsageError
        If the engine asked for is unknown.
    """
    fits, refused = [], {}
    models = [model for model in map(get_model, PLANS[frame.kind].models) if choices.pool or not model.joint]
    for part in parts(frame):
        # shrinkage over structures answers the question with groups; once more without them says little new
        for model in (model for model in models if part is frame or not model.joint):
            reason = refusal(choices.engine, model, part, choices.priors) or _unsuited(model, part, choices.priors)
            if reason is None:
                fits.append((part, model))
            else:
                refused[model.name] = reason
    return Planned(tuple(fits), refused)


def _unsuited(model: Model, frame: Frame, priors: Priors) -> str | None:
    """Why the frame holds nothing for the model, whatever the engine."""
    from atrobayes.models.structures_pooled import STRUCTURES_POOLED, unpoolable

    return unpoolable(frame, priors) if model is STRUCTURES_POOLED else None


@dataclass(frozen=True)
class Estimated:
    """What came out of one frame.

    Attributes
    ----------
    rows : DataFrame
        Rows of estimates.tsv: by structure, term and method.
    fits : tuple of Fit
        What the Bayesian rows come from.
    refused : dict of str to str
        Models the engine asked for cannot fit, and why, in words.
    """

    rows: pd.DataFrame
    fits: tuple[Fit, ...]
    refused: dict[str, str]


def estimate(frame: Frame, choices: Choices, store: Store | None = None) -> Estimated:
    """Fit one frame both ways, and once more without its groups where its kind asks for that.

    Parameters
    ----------
    frame : Frame
    choices : Choices
    store : Store, optional
        Where an equal fit is looked up, and a new one kept.

    Returns
    -------
    Estimated

    Raises
    ------
    UsageError
        If the engine asked for is unknown.
    """
    planned = plan_fits(frame, choices)
    tables, fits = [], []
    for part in parts(frame):
        beside = classical(part, choices.interval, derive(choices.seed, frame.analysis, "permutation"))
        tables.append(beside)
        for model in [model for of, model in planned.fits if of.part == part.part]:
            posterior, rows = _bayes(model, part, choices, beside, store)
            fits.append(posterior)
            tables.append(rows)
    terms = [term.name for part in parts(frame) for term in terms_of(part)]
    return Estimated(in_order(pd.concat(tables, ignore_index=True), frame, terms), tuple(fits), planned.refused)


def _bayes(
    model: Model, frame: Frame, choices: Choices, beside: pd.DataFrame, store: Store | None
) -> tuple[Fit, pd.DataFrame]:
    """Fit one model, and describe its posterior beside the headline classical rows."""
    own = model.frame(frame)
    choices.announce(model.name)
    posterior = fit(
        model,
        own,
        choices.priors,
        engine=choices.engine,
        settings=choices.settings,
        seed=choices.seed,
        store=store,
    )
    headline = beside[beside["method"] == "classical"]
    prior = model.term_priors(own, choices.priors)
    rows = describe(posterior.marginals, own, choices.rope, choices.interval, headline, prior)
    if frame.kind == "comparison":
        rows = rows.assign(**_superiority(posterior, own))
    return posterior, _with_history(rows, posterior, headline)


def _superiority(posterior: Fit, frame: Frame) -> dict[str, np.ndarray]:
    if isinstance(posterior.marginals, Mixture):
        between, within = superiority.of_mixture(posterior.marginals, frame.scales.y_sd)
    else:
        draws = posterior.tree["posterior"].to_dataset().transpose("outcome", ...)
        names = draws["sd"].to_numpy().tolist()
        difference = draws["terms"].isel(term=0).to_numpy().reshape(len(frame.outcomes), -1)
        sds = {name: draws["sds"].sel(sd=name).to_numpy().reshape(difference.shape) for name in names}
        nu = sds.get("nu", [None] * len(frame.outcomes))
        of = zip(difference, sds["patient_sd"], sds["residual_sd"], nu, strict=True)
        both = [superiority.of_draws(*one) for one in of]
        between, within = np.array(both).T
    return {"prob_superiority": between, "prob_superiority_within": within}


def _with_history(bayes: pd.DataFrame, posterior: Fit, classical: pd.DataFrame) -> pd.DataFrame:
    history, table = posterior.history, posterior.verdict.table
    index = bayes.set_index(["structure", "term"]).index
    checks = table[["rhat", "ess_bulk", "ess_tail"]].to_dataframe().reindex(index)
    by_outcome = table[["passed", "divergences"]].to_dataframe()
    passed = by_outcome["passed"].reindex(bayes["structure"]).to_numpy(bool)
    beside = classical.set_index(["structure", "term"])["flags"].reindex(index)
    empty, few = (beside.str.contains(name).to_numpy(bool) for name in ("not_estimable", "few_patients"))
    marks = zip(empty, ~passed, few, strict=True)
    return bayes.assign(
        method=history["method"],
        engine=history["engine"]["name"],
        prior=history["prior"],
        fit_id=history["fit_id"],
        flags=[",".join(name for name, is_so in zip(_MARKS, row, strict=True) if is_so) for row in marks],
        divergences=by_outcome["divergences"].reindex(bayes["structure"]).to_numpy(),
        **{str(name): checks[name].to_numpy() for name in checks},
    )


_MARKS = ("prior_only", "gate_failed", "few_patients")


def in_order(rows: pd.DataFrame, frame: Frame, terms: Sequence[str]) -> pd.DataFrame:
    """Rows of one frame and its parts, by structure, term (as listed) and method."""
    places = {
        "structure": {name: k for k, name in enumerate(frame.outcomes)},
        "term": {name: k for k, name in enumerate(terms)},
        "method": {name: k for k, name in enumerate(METHODS)},
    }
    order = np.lexsort([rows[name].map(place) for name, place in reversed(places.items())])
    return rows.iloc[order].reset_index(drop=True)
