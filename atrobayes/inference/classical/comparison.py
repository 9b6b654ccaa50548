"""Two-state comparisons by ranks, and the groups at baseline: rows of estimates.tsv."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from atrobayes.inference.classical.clustered import datta_satten
from atrobayes.inference.classical.permutation import patients_with_both, permutation_test
from atrobayes.inference.classical.ranks import hodges_lehmann, mann_whitney
from atrobayes.inference.classical.regression import few_patients
from atrobayes.inference.classical.two_groups import TTest, standardised_difference, student, welch
from atrobayes.models import estimates
from atrobayes.models.frame import Frame
from atrobayes.models.terms import differences, terms_of

# compared by Student's t, as published; every other baseline variable by ranks
MEASURED = ("age", "disease_duration")


def classical_comparison(
    frame: Frame, interval: float = 0.95, seed: int = 1, *, headline_only: bool = False
) -> pd.DataFrame:
    """Compare rows with activity and rows without, every outcome.

    Parameters
    ----------
    frame : Frame
        Of kind comparison; x is the state, 0 or 1.
    interval : float
        Level of the confidence intervals.
    seed : int
        Of the permutations.
    headline_only : bool
        Only the rows `classical`.

    Returns
    -------
    DataFrame
        Rows of estimates.tsv, term `difference`: `classical` (Mann-Whitney U, rows taken as independent, with the
        Hodges-Lehmann shift and its interval), `classical_clustered` (Datta and Satten's z, which knows that rows
        of a patient belong together) and `classical_permutation` (U against permutations of whole patients).
        `prob_superiority` is U over the number of pairs, `n_both` the number of patients with both states.
    """
    rows = [
        row for k in range(len(frame.outcomes)) for row in _comparison_rows(frame, k, interval, seed, headline_only)
    ]
    return estimates.table(rows)


def _comparison_rows(frame: Frame, k: int, interval: float, seed: int, headline_only: bool) -> list[dict[str, Any]]:
    (term,) = terms_of(frame)
    present = ~np.isnan(frame.y.to_numpy()[:, k])
    y, active, patient = frame.y.to_numpy()[present, k], frame.x[present] > 0, frame.patient[present]
    flags = "few_patients" if few_patients(frame, present) else ""
    common = estimates.constants(frame, term, k) | {"engine": "ranks", "flags": flags}
    if active.all() or not active.any():
        return [common | {"method": "classical", "flags": "not_estimable"}]
    plain = mann_whitney(y, active)
    shift, low, high = hodges_lehmann(y, active, interval)
    common |= {"n_both": patients_with_both(active, patient)}
    common |= {"estimate": shift, "prob_superiority": plain.superiority}
    ends = {"ci_low": low, "ci_high": high, "ci_prob": interval, "ci_kind": "confidence"}
    headline = common | ends | {"method": "classical", "statistic": plain.u, "p": plain.p}
    if headline_only:
        return [headline]
    clustered, permuted = datta_satten(y, active, patient), permutation_test(y, active, patient, seed=seed)
    exchanged = {"p": permuted.p if permuted.arrangements > 1 else np.nan}  # nothing to exchange: p says nothing
    return [
        headline,
        common | {"method": "classical_clustered", "statistic": clustered.z, "p": clustered.p},
        common | {"method": "classical_permutation", "statistic": permuted.statistic} | exchanged,
    ]


def classical_groups(frame: Frame, interval: float = 0.95) -> pd.DataFrame:
    """Compare the groups before treatment, every clinical variable.

    Parameters
    ----------
    frame : Frame
        Of kind groups: one row a patient.
    interval : float
        Level of the confidence intervals.

    Returns
    -------
    DataFrame
        Rows of estimates.tsv, first group minus second: `classical` (Student's t for age and disease duration,
        Wilcoxon's rank sum with the Hodges-Lehmann shift for counts and EDSS) and `classical_welch`; both with
        the standardised mean difference.
    """
    rows = [row for k in range(len(frame.outcomes)) for row in _group_rows(frame, k, interval)]
    return estimates.table(rows)


def _group_rows(frame: Frame, k: int, interval: float) -> list[dict[str, Any]]:
    values, present = frame.y.to_numpy()[:, k], ~np.isnan(frame.y.to_numpy()[:, k])
    rows = []
    for term in terms_of(frame):
        weights = differences(frame.groups)[term.name]
        first, second = (values[present & (weights[frame.group] == side)] for side in (1, -1))
        flags = "few_patients" if few_patients(frame, present & term.rows) else ""
        common = estimates.constants(frame, term, k) | {"flags": flags, "ci_prob": interval, "ci_kind": "confidence"}
        if not (len(first) and len(second)):
            rows.append(common | {"method": "classical", "engine": "t", "flags": "not_estimable"})
            continue
        common |= {"std_difference": standardised_difference(first, second)}
        by_t = frame.outcomes[k] in MEASURED
        headline = _by_t(student(first, second, interval)) if by_t else _by_ranks(first, second, interval)
        rows.append(common | {"method": "classical"} | headline)
        rows.append(common | {"method": "classical_welch"} | _by_t(welch(first, second, interval)))
    return rows


def _by_t(test: TTest) -> dict[str, Any]:
    return {"engine": "t"} | test.cells()


def _by_ranks(first: np.ndarray, second: np.ndarray, interval: float) -> dict[str, Any]:
    y, active = np.concatenate([first, second]), np.arange(len(first) + len(second)) < len(first)
    plain = mann_whitney(y, active)
    shift, low, high = hodges_lehmann(y, active, interval)
    numbers = {"estimate": shift, "ci_low": low, "ci_high": high, "statistic": plain.u, "p": plain.p}
    return numbers | {"engine": "ranks", "prob_superiority": plain.superiority}
