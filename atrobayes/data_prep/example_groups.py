"""What the two treatment groups of the example look like, at the size of the published study.

Totals are the whole counts closest to the published means, so a cohort of 52 repeats the
published summaries as closely as whole counts can.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Exclusion:
    """A scan that exists but cannot be used.

    Attributes
    ----------
    pattern : str
        Which visits with usable scans the patient has, see `GroupPlan.patterns`.
    visit : int
        The visit with the scan.
    reason : {"steroid", "quality", "errors", "running"}
        Why it cannot be used.
    """

    pattern: str
    visit: int
    reason: str


@dataclass(frozen=True)
class GroupPlan:
    """One treatment group at its published size; years are 0 to 3.

    Parameters
    ----------
    label : str
        Name of the group.
    size : int
        Patients.
    patterns : dict
        Visits with a usable scan ("013") and the number of patients who have them.
    exclusions : tuple of Exclusion
        Scans that exist but cannot be used.
    attended : tuple
        Patients seen at each year, scanned or not.
    new_t2, new_gd : tuple
        Lesions found at each year, all patients together.
    with_relapse : tuple
        Patients with a relapse since the previous visit (at year 0: in the year before).
    relapses_before, previous_dmts, women : int
        Totals at baseline, all patients together.
    age_mean, duration_mean : float
        Means at baseline, years.
    edss_sum : float
        Sum of the baseline scores.
    edss_median : tuple
        Median score at each year.
    edss_drift : float
        Typical first-year change of the score, in half points.
    many_lesions : int
        Patients with more than 20 lesions at baseline.
    """

    label: str
    size: int
    patterns: dict[str, int]
    exclusions: tuple[Exclusion, ...]
    attended: tuple[int, int, int, int]
    new_t2: tuple[int, int, int, int]
    new_gd: tuple[int, int, int, int]
    with_relapse: tuple[int, int, int, int]
    relapses_before: int
    previous_dmts: int
    women: int
    age_mean: float
    duration_mean: float
    edss_sum: float
    edss_median: tuple[float, float, float, float]
    edss_drift: int
    many_lesions: int


CLAD = GroupPlan(
    label="CLAD",
    size=33,
    patterns={"0123": 8, "013": 1, "012": 13, "01": 7, "12": 1, "0": 3},
    exclusions=(Exclusion("013", 2, "quality"), Exclusion("12", 0, "steroid"), Exclusion("01", 2, "running")),
    attended=(33, 33, 32, 13),
    new_t2=(112, 18, 0, 11),
    new_gd=(42, 7, 0, 3),
    with_relapse=(28, 8, 4, 6),
    relapses_before=43,
    previous_dmts=74,
    women=24,
    age_mean=37.7,
    duration_mean=8.77,
    edss_sum=100.5,
    edss_median=(3.0, 3.0, 3.0, 3.5),
    edss_drift=0,
    many_lesions=0,
)

ALEM = GroupPlan(
    label="ALEM",
    size=19,
    patterns={"0123": 6, "023": 1, "012": 7, "01": 1, "123": 1, "0": 3},
    exclusions=(Exclusion("023", 1, "errors"), Exclusion("123", 0, "steroid")),
    attended=(19, 19, 18, 13),
    new_t2=(119, 5, 3, 12),
    new_gd=(55, 2, 2, 6),
    with_relapse=(17, 4, 2, 3),
    relapses_before=43,
    previous_dmts=53,
    women=19,
    age_mean=33.3,
    duration_mean=7.19,
    edss_sum=75.5,
    edss_median=(4.0, 3.0, 3.0, 3.0),
    edss_drift=-1,
    many_lesions=1,
)

PLANS = (CLAD, ALEM)


def group_sizes(patients: int) -> dict[str, int]:
    """Patients per group, in the published proportion, at least two each."""
    first = round(patients * CLAD.size / (CLAD.size + ALEM.size))
    first = min(max(first, 2), patients - 2)
    return {CLAD.label: first, ALEM.label: patients - first}


def apportion(counts: dict[str, int], total: int) -> dict[str, int]:
    """Share `total` in the proportions of `counts`, by largest remainder; exact where the totals agree."""
    quotas = {key: count * total / sum(counts.values()) for key, count in counts.items()}
    shares = {key: int(quota) for key, quota in quotas.items()}
    by_remainder = sorted(quotas, key=lambda key: shares[key] - quotas[key])
    for key in by_remainder[: total - sum(shares.values())]:
        shares[key] += 1
    return shares
