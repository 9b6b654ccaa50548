"""How far a value lies from the middle of a sample, where the sample itself may hold what is looked for."""

from __future__ import annotations

import numpy as np

FEWEST = 8
_NORMAL_MAD = 1.4826  # a normal SD in median absolute deviations
_NORMAL_MEAN = 1.253314  # the same in mean absolute deviations
_NOTHING = 1e-12  # a spread below this share of the values is rounding


def robust_sd(values: np.ndarray) -> float:
    """Spread that a few outliers do not change: 1.4826 times the median absolute deviation.

    Parameters
    ----------
    values : ndarray
        NaN are passed over.

    Returns
    -------
    float
        In the values' unit; where more than half of them are equal, 1.2533 times the mean absolute deviation;
        0 where all are; NaN with fewer than `FEWEST` values.

    Notes
    -----
    Leys et al. 2013, doi 10.1016/j.jesp.2013.03.013.
    """
    known = values[np.isfinite(values)]
    if known.size < FEWEST:
        return np.nan
    away = np.abs(known - np.median(known))
    rounding = _NOTHING * float(np.abs(known).max())
    spreads = (_NORMAL_MAD * float(np.median(away)), _NORMAL_MEAN * float(away.mean()))
    return next((spread for spread in spreads if spread > rounding), 0.0)


def robust_z(values: np.ndarray) -> np.ndarray:
    """Distance from the median in robust standard deviations.

    Parameters
    ----------
    values : ndarray (value,)

    Returns
    -------
    ndarray (value,)
        (x - median) / `robust_sd`; 0 where all values are equal; NaN for a NaN, and for all with fewer than
        `FEWEST` values. Of normal values one in 2,000 lies beyond 3.5.

    Notes
    -----
    Iglewicz and Hoaglin 1993, How to Detect and Handle Outliers, advise 3.5 as the limit; Leys et al. 2013,
    doi 10.1016/j.jesp.2013.03.013.
    """
    spread = robust_sd(values)
    if np.isnan(spread):
        return np.full(values.shape, np.nan)
    away: np.ndarray = values - np.nanmedian(values)
    return away / spread if spread > 0 else 0 * away
