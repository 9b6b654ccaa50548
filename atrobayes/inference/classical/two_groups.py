"""Student's and Welch's t of two groups, and their standardised difference."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from atrobayes.models import student_t


@dataclass(frozen=True)
class TTest:
    """An estimate with its t test against 0 and confidence interval.

    Attributes
    ----------
    estimate, se : float
        Point estimate and its standard error, in the unit of the data.
    df : float
        Degrees of freedom.
    statistic : float
        Estimate over standard error.
    p : float
        Two-sided.
    low, high : float
        Ends of the confidence interval.
    """

    estimate: float
    se: float
    df: float
    statistic: float
    p: float
    low: float
    high: float

    def cells(self) -> dict[str, float]:
        """The test as cells of estimates.tsv."""
        return {
            "estimate": self.estimate,
            "sd": self.se,
            "df": self.df,
            "statistic": self.statistic,
            "p": self.p,
            "ci_low": self.low,
            "ci_high": self.high,
        }


def t_test(estimate: float, se: float, df: float, level: float) -> TTest:
    """Test an estimate against 0.

    Parameters
    ----------
    estimate, se : float
        Point estimate and its standard error, which is not 0.
    df : float
        Degrees of freedom of the standard error; need not be whole.
    level : float
        Of the confidence interval.

    Returns
    -------
    TTest
    """
    statistic = estimate / se
    half = se * float(student_t.isf((1 - level) / 2, df))
    p = 2 * float(student_t.sf(abs(statistic), df))
    return TTest(estimate, se, df, statistic, p, estimate - half, estimate + half)


def welch_df(variances: np.ndarray, dfs: np.ndarray) -> float:
    """Degrees of freedom of a sum of independent estimates with these squared standard errors (part,).

    Satterthwaite (1946), doi:10.2307/3002019; Welch (1947), doi:10.1093/biomet/34.1-2.28.
    """
    # as shares: the fourth power of a small standard error is nothing
    shares = variances / variances.sum()
    return float(1 / (shares**2 / dfs).sum())


def student(a: np.ndarray, b: np.ndarray, level: float = 0.95) -> TTest:
    """Student's t of mean(a) - mean(b), both groups of one variance.

    Parameters
    ----------
    a, b : ndarray
        Values of each group; NaN is left out.
    level : float
        Of the confidence interval.

    Returns
    -------
    TTest
        As R's `t.test(a, b, var.equal = TRUE)`. NaN but for the estimate where fewer than three values or no
        spread leave nothing to test with.
    """
    a, b = _known(a), _known(b)
    estimate = _difference(a, b)
    df = len(a) + len(b) - 2
    if min(len(a), len(b)) < 1 or df < 1:
        return _untested(estimate)
    se = float(np.sqrt(_pooled_variance(a, b) * (1 / len(a) + 1 / len(b))))
    return t_test(estimate, se, df, level) if _spreads(se, a, b) else _untested(estimate)


def welch(a: np.ndarray, b: np.ndarray, level: float = 0.95) -> TTest:
    """Welch's t of mean(a) - mean(b), each group of its own variance.

    Parameters
    ----------
    a, b : ndarray
        Values of each group; NaN is left out.
    level : float
        Of the confidence interval.

    Returns
    -------
    TTest
        As R's `t.test(a, b)`. NaN but for the estimate where a group has fewer than two values, or neither spread.
    """
    a, b = _known(a), _known(b)
    estimate = _difference(a, b)
    if min(len(a), len(b)) < 2:
        return _untested(estimate)
    variances = np.array([a.var(ddof=1) / len(a), b.var(ddof=1) / len(b)])
    se = float(np.sqrt(variances.sum()))
    if not _spreads(se, a, b):
        return _untested(estimate)
    return t_test(estimate, se, welch_df(variances, np.array([len(a) - 1, len(b) - 1])), level)


def standardised_difference(a: np.ndarray, b: np.ndarray) -> float:
    """Difference of the means in pooled SDs: Cohen's d, without Hedges' correction.

    It describes how far these two groups lie apart and estimates nothing beyond them, so there is no bias to
    correct, and it follows from the means and SDs of a table. Differences beyond 0.1 are often called imbalance.

    Parameters
    ----------
    a, b : ndarray
        Values of each group; NaN is left out.

    Returns
    -------
    float
        mean(a) - mean(b) over the SD pooled with n - 2; NaN where there is no spread or too few values.

    Notes
    -----
    Cohen (1988), Statistical Power Analysis for the Behavioral Sciences; as a measure of balance: Austin (2009),
    doi:10.1002/sim.3697.
    """
    a, b = _known(a), _known(b)
    test = student(a, b)
    return test.estimate / float(np.sqrt(_pooled_variance(a, b))) if np.isfinite(test.se) else float("nan")


def _known(values: np.ndarray) -> np.ndarray:
    values = np.asarray(values, dtype=float)
    return values[~np.isnan(values)]


def _difference(a: np.ndarray, b: np.ndarray) -> float:
    return float(a.mean() - b.mean()) if len(a) and len(b) else float("nan")


def _pooled_variance(a: np.ndarray, b: np.ndarray) -> float:
    squares = ((a - a.mean()) ** 2).sum() + ((b - b.mean()) ** 2).sum()
    return float(squares / (len(a) + len(b) - 2))


def _spreads(se: float, a: np.ndarray, b: np.ndarray) -> bool:
    """Whether the standard error is more than rounding: R's rule."""
    return bool(se > 10 * np.finfo(float).eps * max(abs(a.mean()), abs(b.mean())))


def _untested(estimate: float) -> TTest:
    return TTest(estimate, *[float("nan")] * 6)
