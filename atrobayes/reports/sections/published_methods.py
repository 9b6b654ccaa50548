"""How published tables are audited and reanalysed, with sources and assumptions."""

from __future__ import annotations

import pandas as pd

from atrobayes.reports.results import Results
from atrobayes.reports.section import Section
from atrobayes.reports.wording import MINUS, interval_name, listed

TITLE = "Methods and assumptions"


def make(results: Results) -> Section:
    """Write the methods of what is in the folder."""
    found = results.look("reanalysis")
    words = [_audit()] if results.look("audit") is not None else []
    if found is not None and (found["status"] == "posterior").any():
        words += [_likelihood(), _together(found), _reported(found), _assumed()]
    return Section("methods", TITLE, "ok", tuple(words))


def _audit() -> str:
    return (
        "Audit. Every printed number is an interval: all numbers that would have been printed with the same digits, if "
        "rounded, cut off or rounded up. Interval arithmetic gives what other printed numbers then imply; where the "
        "two intervals have nothing in common, the digits do not fit each other. In the manner of statcheck (Nuijten "
        "et al. 2016, doi:10.3758/s13428-015-0664-2) and GRIM (Brown and Heathers 2017, doi:10.1177/1948550616673876). "
        "Multiplicity: Benjamini and Hochberg (1995, doi:10.1111/j.2517-6161.1995.tb02031.x), Holm (1979), and the "
        "bound of Vovk and Sellke (Sellke et al. 2001, doi:10.1198/000313001300339950). What each check takes for "
        "granted stands with it."
    )


def _likelihood() -> str:
    return (
        f"Likelihood. Of an ordinary regression: Student's t with n {MINUS} 2 degrees of freedom about the published "
        "slope, its scale the standard error that follows from slope and p. That is the exact likelihood of the slope, "
        "the intercept under a flat prior and p(σ) ∝ 1/σ integrated out (Box and Tiao 1973, "
        "doi:10.1002/9781118033197). "
        "Of a mixed model: t with stated degrees of freedom or patients less groups, and normal; both approximate. "
        "Priors of slopes are normal about 0, with an SD stated in SDs of the outcome per SD of the predictor, both "
        "worked out from the printed numbers: √(b² + df · se²); groups share the largest. The printed digits "
        "are carried as intervals. Integrals are by quadrature, without random numbers."
    )


def _together(found: pd.DataFrame) -> str:
    assumed = sorted(found["error_correlation"].dropna().unique())
    structures = (
        "Structures of which none contains another vary normally about a common slope (Rubin 1981, "
        "doi:10.3102/10769986006004377), the SD between them half-normal with the prior's SD, slopes turned so that "
        f"atrophy has one sign; errors of any two correlated {listed(f'{one:g}' for one in assumed)}. "
        if assumed
        else ""
    )
    return (
        f"Together. {structures}Groups: slopes correlated 0.5 in the prior, as in the models of a study; different "
        "patients, so errors are independent given the variances."
    )


def _reported(found: pd.DataFrame) -> str:
    rungs = listed(f"{one:g}" for one in sorted(found["prior_s"].dropna().unique()))
    kinds = found[found["status"] == "posterior"].assign(method="bayes", ci_kind="eti")
    return (
        f"Reported. Posterior mean and {interval_name(kinds, 'bayes')} under prior SDs of {rungs}; the probability of "
        "direction; the prior SD at which the published sign has probability 0.95; type S and type M errors (Gelman "
        "and Carlin 2014, doi:10.1177/1745691614551642) with the posterior in the place of the assumed effect."
    )


def _assumed() -> str:
    return (
        "Assumed and not to be checked from a table: that the model which made p fits the data (linear, independent "
        "rows but for the patients, normal errors, one residual variance); that p is two-sided; that the slopes "
        "printed are not a choice among many that were computed; that one prior width is apt for all structures. "
        "Where printed numbers do not fit each other, posteriors made from them are no better."
    )
