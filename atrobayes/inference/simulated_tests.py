"""What the classical tests and the posterior say of many simulated data sets: the few numbers conclusions need."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from atrobayes.inference.brief import brief
from atrobayes.inference.classical.clustered import datta_satten
from atrobayes.inference.classical.kenward_roger import kenward_roger
from atrobayes.inference.classical.mixed import satterthwaite
from atrobayes.inference.classical.ranks import hodges_lehmann, mann_whitney
from atrobayes.inference.classical.regression import classical_regression
from atrobayes.inference.classical.reml import fit_reml
from atrobayes.inference.classical.two_groups import t_test
from atrobayes.inference.engines.quadrature.exact import exact
from atrobayes.inference.estimate import Choices
from atrobayes.inference.plan import GAUSSIAN
from atrobayes.models.frame import Frame
from atrobayes.models.mixed import MIXED
from atrobayes.models.model import get_model
from atrobayes.models.priors import Priors

_COLUMNS = ("structure", "term", "test", "estimate", "low", "high", "p")


def classical_tests(frame: Frame, interval: float, *, beside: bool = True) -> pd.DataFrame:
    """Test every outcome with the classical procedures of its kind.

    Parameters
    ----------
    frame : Frame
        Of kind mixed, regression or comparison.
    interval : float
        Level of the confidence intervals.
    beside : bool
        Also what stands beside the headline: Kenward–Roger and z of mixed models, the clustered rank test of
        comparisons. The permutation test is left out: a thousand permutations for each of a thousand data sets.

    Returns
    -------
    DataFrame
        structure, term, test (a method of estimates.tsv), estimate, low, high, p; no row where a term cannot be
        estimated. Numbers are those of `inference.classical`.
    """
    if frame.kind == "regression":
        return _regression(frame, interval)
    own = {"mixed": _mixed, "comparison": _comparison}[frame.kind]
    parts = [(frame.select(rows, outcomes), outcomes) for rows, outcomes in frame.patterns()]
    found = [row for part, _ in parts if len(part.x) for row in own(part, interval, beside)]
    return pd.DataFrame(found, columns=list(_COLUMNS))


def posterior_tests(frame: Frame, choices: Choices) -> pd.DataFrame:
    """Integrate every outcome with the Gaussian model of its kind.

    Parameters
    ----------
    frame : Frame
        Its scales stay as they are, so the prior is that of the study.
    choices : Choices
        Priors, level of the intervals, region of practical equivalence.

    Returns
    -------
    DataFrame
        structure, term, estimate (posterior mean), low, high, pd, and relevant: the probability that the term lies
        outside the region of practical equivalence.
    """
    found = exact(get_model(GAUSSIAN[frame.kind]), frame, choices.priors).mixture
    said = brief(found, choices.interval)
    half = choices.rope.half_width(frame)[:, None] + np.zeros_like(said.mean)
    columns = {
        "estimate": said.mean,
        "low": said.low,
        "high": said.high,
        "pd": said.pd,
        "relevant": 1 - (found.cdf(half) - found.cdf(-half)),
    }
    index = pd.MultiIndex.from_product([found.outcomes, found.terms], names=["structure", "term"])
    table = pd.DataFrame({name: values.ravel() for name, values in columns.items()}, index=index)
    return table.reset_index()


def _mixed(frame: Frame, interval: float, beside: bool) -> list[dict[str, Any]]:
    linear = MIXED.whole(frame, Priors())
    X, contrasts = _full_rank(linear.X, linear.contrasts)
    if len(X) <= X.shape[1]:
        return []
    rows = []
    for k, name in enumerate(frame.outcomes):
        y = frame.y.to_numpy()[:, k]
        scale = y.std(ddof=1)
        fit = fit_reml(X, (y - y.mean()) / scale, frame.patient)
        by_kenward_roger = kenward_roger(X, frame.patient, fit).test if beside else None
        for term, contrast in zip(linear.terms, contrasts, strict=True):
            if contrast is None:
                continue
            unit = scale / frame.scales.x_unit
            estimate, error, df = satterthwaite(fit, contrast)
            tests = {"classical": (estimate, error, df)}
            if by_kenward_roger is not None:
                tests |= {"classical_kr": by_kenward_roger(contrast), "classical_z": (estimate, error, np.inf)}
            rows += [_t_row(name, term, test, unit, numbers, interval) for test, numbers in tests.items()]
    return rows


def _full_rank(X: np.ndarray, contrasts: np.ndarray) -> tuple[np.ndarray, list[np.ndarray | None]]:
    """The same column space with independent columns, and the contrasts of these; None: not estimable."""
    _, size, right = np.linalg.svd(X, full_matrices=False)
    kept = right[size > 1e-10 * size.max()]
    within = contrasts @ kept.T
    estimable = np.abs(within @ kept - contrasts).max(axis=1) < 1e-8
    return X @ kept.T, [own if may else None for own, may in zip(within, estimable, strict=True)]


def _t_row(
    name: str, term: str, test: str, unit: float, numbers: tuple[float, float, float], interval: float
) -> dict[str, Any]:
    estimate, error, df = numbers
    found = t_test(unit * estimate, unit * error, df, interval)
    ends = {"estimate": found.estimate, "low": found.low, "high": found.high, "p": found.p}
    return {"structure": name, "term": term, "test": test} | ends


def _regression(frame: Frame, interval: float) -> pd.DataFrame:
    rows = classical_regression(frame, interval)
    names = {"method": "test", "ci_low": "low", "ci_high": "high"}
    return rows.rename(columns=names)[list(_COLUMNS)].dropna(subset="p").reset_index(drop=True)


def _comparison(frame: Frame, interval: float, beside: bool) -> list[dict[str, Any]]:
    active = frame.x > 0
    if active.all() or not active.any():
        return []
    rows = []
    for k, name in enumerate(frame.outcomes):
        y = frame.y.to_numpy()[:, k]
        shift, low, high = hodges_lehmann(y, active, interval)
        common = {"structure": name, "term": "difference", "estimate": shift}
        rows.append(common | {"test": "classical", "low": low, "high": high, "p": mann_whitney(y, active).p})
        if beside:
            rows.append(common | {"test": "classical_clustered", "p": datta_satten(y, active, frame.patient).p})
    return rows
