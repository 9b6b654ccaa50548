"""Simulations of a future study: a truth from the posterior, patients over again, a refit, a conclusion."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

import numpy as np
import pandas as pd

from atrobayes.inference.engine import Settings, get_engine
from atrobayes.inference.estimate import Choices
from atrobayes.inference.future_study import future_frame
from atrobayes.inference.plan import GAUSSIAN
from atrobayes.inference.seeds import derive
from atrobayes.inference.simulated_studies import simulate, with_simulated
from atrobayes.inference.simulated_tests import classical_tests, posterior_tests
from atrobayes.models.estimands import SIGNIFICANT
from atrobayes.models.frame import Frame
from atrobayes.models.linear import Linear
from atrobayes.models.model import get_model
from atrobayes.study import Design

AT_ONCE = 25  # studies of a chunk; no number depends on it


@dataclass(frozen=True)
class FutureStudies:
    """Some simulations of one future study: a piece of work that depends on nothing else.

    Attributes
    ----------
    frame : Frame
        The observed rows: one part of an analysis, with the structures asked for.
    choices : Choices
    design : Design
        What is to be concluded, and how many simulations there are in all.
    term : str
        One of the frame's.
    enrolled : tuple of int
        Observed patients of each group, with rows or without.
    patients, years : int
        Of the future study.
    number : int
        Which chunk, from 0.
    """

    frame: Frame
    choices: Choices
    design: Design
    term: str
    enrolled: tuple[int, ...]
    patients: int
    years: int
    number: int

    def key(self) -> str:
        """SHA-256 of everything the numbers depend on."""
        own = [self.term, self.enrolled, self.patients, self.years, self.number, AT_ONCE, *self._asked]
        text = json.dumps(["assurance", self.frame.digest, self.choices.identity(), *own])
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def _asked(self) -> tuple[str, float, int]:
        return self.design.conclusion, self.design.threshold, self.design.simulations


@dataclass(frozen=True)
class _Truth:
    """Draws from the posterior, standardised: coefficients (outcome, draw, coef) and SDs (outcome, draw, sd)."""

    coefficients: np.ndarray
    sds: np.ndarray

    def at(self, draw: int, outcomes: list[int]) -> tuple[np.ndarray, np.ndarray]:
        return self.coefficients[outcomes, draw], self.sds[outcomes, draw]

    def mean(self, outcomes: list[int]) -> tuple[np.ndarray, np.ndarray]:
        return self.coefficients[outcomes].mean(axis=1), self.sds[outcomes].mean(axis=1)


def simulate_studies(asked: FutureStudies) -> pd.DataFrame:
    """Draw truths from the posterior, simulate and refit: what is sent to other processes.

    Parameters
    ----------
    asked : FutureStudies

    Returns
    -------
    DataFrame
        One row a study and structure: analysis, structure, term, patients, years, conclusion, threshold, study,
        reached, wrong (reached, with the wrong sign), significant, significant_at_mean (1 or 0 each), rows, ci_prob.

    Notes
    -----
    The k-th study of every size has the k-th draw of the posterior for its truth, so that sizes are compared on the
    same truths. Prior and scales of the refit are those of the observed study. Errors are independent.
    """
    truth = _posterior(asked)
    first = asked.number * AT_ONCE
    last = min(first + AT_ONCE, asked.design.simulations)
    rows = pd.concat([_study(asked, truth, study) for study in range(first, last)], ignore_index=True)
    return rows.assign(
        analysis=asked.frame.analysis,
        term=asked.term,
        patients=float(asked.patients),
        years=float(asked.years),
        conclusion=asked.design.conclusion,
        threshold=asked.design.threshold,
        ci_prob=asked.choices.interval,
    )


def _posterior(asked: FutureStudies) -> _Truth:
    """As many draws as there are simulations, whichever of them are asked for."""
    frame, priors = asked.frame, asked.choices.priors
    settings = Settings(draws=asked.design.simulations, chains=1)
    seed = derive(asked.choices.seed, frame.analysis, frame.part, "assurance", "truth")
    tree, _ = get_engine("quadrature").run(get_model(GAUSSIAN[frame.kind]), frame, priors, settings, seed)
    draws = tree["posterior"].to_dataset().isel(chain=0).transpose("outcome", "draw", ...)
    return _Truth(draws["coefficients"].to_numpy(), draws["sds"].to_numpy() / frame.scales.y_sd[:, None, None])


def _study(asked: FutureStudies, truth: _Truth, study: int) -> pd.DataFrame:
    size = (str(asked.patients), str(asked.years), str(study))
    rng = np.random.default_rng(derive(asked.choices.seed, asked.frame.analysis, asked.frame.part, "assurance", *size))
    design = _with_rows(future_frame(asked.frame, asked.patients, asked.years, asked.enrolled, rng))
    places = [asked.frame.outcomes.index(name) for name in design.outcomes]
    linear = _linear(design, asked.choices)
    (coefficients, sds), (mean_coefficients, mean_sds) = truth.at(study, places), truth.mean(places)
    drawn = with_simulated(design, simulate(design, linear, coefficients, sds, rng))
    at_mean = with_simulated(design, simulate(design, linear, mean_coefficients, mean_sds, rng))
    said = posterior_tests(drawn, asked.choices)
    said = said[said["term"] == asked.term].set_index("structure")
    reached = _reached(said, design, asked.design)
    true = coefficients @ linear.contrasts[linear.terms.index(asked.term)]
    columns = {
        "reached": reached,
        "wrong": reached & (np.sign(said["estimate"]) != np.sign(true)),
        "significant": _significant(drawn, asked),
        "significant_at_mean": _significant(at_mean, asked),
        "rows": pd.Series((~np.isnan(design.y.to_numpy())).sum(axis=0), index=list(design.outcomes)),
    }
    # a structure without any scan: nothing is concluded of it
    table = pd.DataFrame({name: values.astype(float) for name, values in columns.items()})
    return table.reindex(list(asked.frame.outcomes)).fillna(0.0).reset_index(names="structure").assign(study=study)


def _with_rows(frame: Frame) -> Frame:
    """Only structures that any row has: in a small study all scans of one may be missing."""
    some = np.flatnonzero((~np.isnan(frame.y.to_numpy())).any(axis=0))
    return frame.select(np.arange(len(frame.x)), some)


def _linear(frame: Frame, choices: Choices) -> Linear:
    """Design of the rows: with one outcome, since raw priors differ from outcome to outcome and designs do not."""
    one = frame.select(np.arange(len(frame.x)), np.array([0]))
    linear = get_model(GAUSSIAN[frame.kind]).linear(one, choices.priors)
    assert linear is not None
    return linear


def _reached(said: pd.DataFrame, design: Frame, wanted: Design) -> pd.Series:
    if wanted.conclusion == "width":
        return (said["high"] - said["low"]) / design.slope_scale < wanted.threshold
    return said["pd" if wanted.conclusion == "pd" else "relevant"] > wanted.threshold


def _significant(frame: Frame, asked: FutureStudies) -> pd.Series:
    rows = classical_tests(frame, asked.choices.interval, beside=False)
    own = rows[rows["term"] == asked.term].set_index("structure")["p"]
    return own.reindex(list(frame.outcomes)) < SIGNIFICANT
