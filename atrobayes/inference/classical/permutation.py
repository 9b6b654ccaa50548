"""The rank-sum test by permutation of patients: exact at any number of them, whatever the rows of one share."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from math import factorial, prod

import numpy as np

from atrobayes.inference.classical.ranks import midranks


@dataclass(frozen=True)
class Permutation:
    """Result of a permutation test.

    Attributes
    ----------
    statistic : float
        Mann–Whitney's U: pairs of an active and a quiet row in which the active one is larger, ties counted ½.
    expectation : float
        Mean of U over all arrangements of the labels.
    p : float
        Share of arrangements, the observed one included, whose U is at least as far from the expectation.
        Never below 1 / arrangements; 1 where labels cannot be exchanged or all values are equal.
    arrangements : int
        How many were looked at, the observed one included; 1: labels cannot be exchanged, so p says nothing.
    patients_with_both : int
        Patients with active and quiet rows.
    exact : bool
        Whether these were all arrangements, each once, and not a random choice.
    """

    statistic: float
    expectation: float
    p: float
    arrangements: int
    patients_with_both: int
    exact: bool


@dataclass(frozen=True)
class _Size:
    """Patients with the same number of rows."""

    rows: np.ndarray  # (patient, row) of the data
    patterns: np.ndarray  # (pattern, row) bool: the distinct label vectors, the most frequent one last
    counts: np.ndarray  # (pattern,) patients that have it

    @property
    def arrangements(self) -> int:
        """How many ways there are to give the label vectors to the patients."""
        return factorial(len(self.rows)) // prod(factorial(int(n)) for n in self.counts)

    @property
    def expected_labels(self) -> np.ndarray:
        """Share (row,) of active rows by place in the patient."""
        return self.counts @ self.patterns / self.counts.sum()

    def rank_sums(self, ranks: np.ndarray, given: np.ndarray) -> np.ndarray:
        """Rank sums (arrangement, outcome) of active rows, given each patient's pattern (arrangement, patient)."""
        labels = self.patterns[given].reshape(len(given), -1).astype(float)
        return labels @ ranks[self.rows.ravel()]


def permutation_test(
    y: np.ndarray, active: np.ndarray, patient: np.ndarray, *, seed: int, permutations: int = 9999
) -> Permutation:
    """Test active against quiet rows of one outcome; see `permutation_tests`.

    Parameters
    ----------
    y : ndarray
        (row,) values without NaN.
    active : ndarray
        (row,) bool, both states present.
    patient : ndarray
        (row,) int codes.
    seed : int
        Of the random arrangements.
    permutations : int
        Random arrangements beside the observed one.

    Returns
    -------
    Permutation
    """
    return permutation_tests(y[:, None], active, patient, seed=seed, permutations=permutations)[0]


def permutation_tests(
    y: np.ndarray, active: np.ndarray, patient: np.ndarray, *, seed: int, permutations: int = 9999
) -> list[Permutation]:
    """Test active against quiet rows of several outcomes measured on the same rows, by the same arrangements.

    Parameters
    ----------
    y : ndarray
        (row, outcome) values without NaN.
    active : ndarray
        (row,) bool, both states present.
    patient : ndarray
        (row,) int codes; the rows of a patient in a meaningful order, such as years.
    seed : int
        Of the random arrangements: equal data and seed give equal numbers.
    permutations : int
        Random arrangements beside the observed one. Where no more than these exist, each is taken once.

    Returns
    -------
    list of Permutation
        One for each outcome, the same numbers as from `permutation_test`.

    Notes
    -----
    Under the null hypothesis a patient's values do not depend on which label vector (active or not, row by row)
    the patient has, so whole vectors are exchanged between patients with the same number of rows. What rows of a
    patient share stays as it is; values are compared within and between patients. Counting the observed
    arrangement keeps the test valid with any number of random ones: Phipson & Smyth (2010), doi:10.2202/1544-6115.1585.
    """
    ranks = np.column_stack([midranks(column) for column in y.T])
    sizes = _sizes(active, patient)
    observed = ranks[active].sum(axis=0)
    expected = sum(s.expected_labels @ ranks[s.rows].sum(axis=0) for s in sizes)
    total = prod(s.arrangements for s in sizes)
    exact = total <= permutations + 1
    sums = _all_sums(sizes, ranks) if exact else _random_sums(sizes, ranks, seed, permutations)
    # rank sums are halves, exact in floating point; only the expectation is rounded
    as_far = (np.abs(sums - expected) >= np.abs(observed - expected) - 1e-8).sum(axis=0)
    arrangements = total if exact else permutations + 1
    p = (as_far if exact else as_far + 1) / arrangements
    least = active.sum() * (active.sum() + 1) / 2
    both = patients_with_both(active, patient)
    return [
        Permutation(float(observed[k] - least), float(expected[k] - least), float(p[k]), arrangements, both, exact)
        for k in range(y.shape[1])
    ]


def patients_with_both(active: np.ndarray, patient: np.ndarray) -> int:
    """How many patients have rows of both states, from bool and codes (row,)."""
    return len(np.intersect1d(patient[active], patient[~active]))


def _sizes(active: np.ndarray, patient: np.ndarray) -> list[_Size]:
    """Patients by their number of rows, in order of first appearance: codes may be renamed without consequence."""
    first, index, rows = np.unique(patient, return_index=True, return_inverse=True, return_counts=True)[1:]
    ordered = np.argsort(first[index], kind="stable")
    lengths = rows[index][ordered]
    return [_size(ordered[lengths == n].reshape(-1, n), active) for n in np.unique(lengths)]


def _size(rows: np.ndarray, active: np.ndarray) -> _Size:
    patterns, counts = np.unique(active[rows], axis=0, return_counts=True)
    order = np.argsort(counts, kind="stable")
    return _Size(rows, patterns[order], counts[order])


def _all_sums(sizes: list[_Size], ranks: np.ndarray) -> np.ndarray:
    """Rank sums (arrangement, outcome) of every arrangement, once."""
    sums = np.zeros((1, ranks.shape[1]))
    for size in sizes:
        own = size.rank_sums(ranks, _all_given(size.counts))
        sums = (sums[:, None] + own).reshape(-1, ranks.shape[1])
    return sums


def _all_given(counts: np.ndarray) -> np.ndarray:
    """Every way (arrangement, patient) to give pattern k to counts[k] patients."""
    given = np.full((1, counts.sum()), len(counts) - 1)
    left = int(counts.sum())
    for pattern, count in enumerate(counts[:-1]):
        places = np.nonzero(given == len(counts) - 1)[1].reshape(len(given), left)
        chosen = np.array(list(combinations(range(left), int(count))))
        given = np.repeat(given, len(chosen), axis=0)
        np.put_along_axis(given, places[:, chosen].reshape(len(given), count), pattern, axis=1)
        left -= int(count)
    return given


def _random_sums(sizes: list[_Size], ranks: np.ndarray, seed: int, permutations: int) -> np.ndarray:
    """Rank sums (arrangement, outcome) of random arrangements."""
    rng = np.random.default_rng(seed)
    sums = np.zeros((permutations, ranks.shape[1]))
    for size in sizes:
        one = np.repeat(np.arange(len(size.counts)), size.counts)
        sums += size.rank_sums(ranks, rng.permuted(np.tile(one, (permutations, 1)), axis=1))
    return sums
