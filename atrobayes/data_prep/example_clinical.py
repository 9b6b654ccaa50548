"""The example's clinical record: visits, lesions, relapses, dates, exclusions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from atrobayes.data_prep.example_edss import draw_edss
from atrobayes.data_prep.example_groups import PLANS, GroupPlan, apportion, group_sizes

YEARS = 4
MANY_LESIONS = 20  # the published one-year analysis leaves out the one patient with more than this
MOST_LESIONS = 15  # of everybody else
FIRST_DAY = np.datetime64("2013-01-07")

Counts = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Scans:
    """Which visits were attended and what became of the scan; arrays (patient, year)."""

    attended: Flags
    status: NDArray[np.str_]  # none | usable | steroid | quality | errors | running

    @property
    def usable(self) -> Flags:
        """Scans that every analysis may use."""
        usable: Flags = self.status == "usable"
        return usable


def draw_clinical(patients: int, rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Draw patients and their visits.

    Parameters
    ----------
    patients : int
        Number of patients; 52 repeats the published counts exactly.
    rng : Generator
        Source of everything random.

    Returns
    -------
    patients, visits : DataFrame
        Rows and columns of patients.tsv and visits.tsv, in the order of the files;
        visits has besides `status` (what became of the scan). Counts are floats, NaN where
        nothing is known.
    """
    sizes = group_sizes(patients)
    drawn = [_draw_group(plan, sizes[plan.label], rng) for plan in PLANS]
    labels = _labels(patients, rng)
    people, visits, first = [], [], 0
    for person_rows, visit_rows in drawn:
        own = labels[first : first + len(person_rows)]
        people.append(person_rows.assign(patient=own))
        visits.append(visit_rows.assign(patient=own[visit_rows["patient"].to_numpy()]))
        first += len(person_rows)
    person_table = pd.concat(people).sort_values("patient", ignore_index=True)
    visit_table = pd.concat(visits).sort_values(["patient", "visit"], ignore_index=True)
    scanned = visit_table["status"] != "none"
    fsid = visit_table["patient"] + ".v" + visit_table["visit"].astype("str")
    return person_table, visit_table.assign(fsid=fsid.where(scanned))


def _labels(patients: int, rng: np.random.Generator) -> NDArray[np.object_]:
    """Plain labels in an order that does not tell the group."""
    width = max(3, len(str(patients)))
    return np.array([f"P{number:0{width}d}" for number in rng.permutation(patients) + 1], dtype=object)


def _draw_group(plan: GroupPlan, size: int, rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    scans = _draw_scans(plan, size, rng)
    new_t2, new_gd = _draw_lesions(plan, scans, rng)
    record = {
        "new_t2": new_t2,
        "new_gd": new_gd,
        "relapses": _draw_relapses(plan, scans.attended, rng),
        "edss": draw_edss(plan, scans.attended, rng),
        "days_since_steroid": _draw_steroids(scans.status, rng),
        "status": scans.status,
    }
    patient, year = np.nonzero(scans.attended)
    visits = pd.DataFrame(
        {"patient": patient, "visit": year, "date": _draw_dates(size, rng)[patient, year]}
        | {name: values[patient, year] for name, values in record.items()}
    )
    return _draw_people(plan, size, rng), visits.assign(quality=visits["status"].map(_quality))


def _quality(status: str) -> str | None:
    return {"none": None, "quality": "fail"}.get(status, "ok")


def _draw_scans(plan: GroupPlan, size: int, rng: np.random.Generator) -> Scans:
    shares = apportion(plan.patterns, size)
    patterns = rng.permutation([name for name, count in shares.items() for _ in range(count)])
    status = np.full((size, YEARS), "none", dtype="<U8")
    for row, pattern in enumerate(patterns):
        status[row, [int(year) for year in pattern]] = "usable"
    for exclusion in plan.exclusions:
        rows = np.flatnonzero(patterns == exclusion.pattern)[: max(1, round(size / plan.size))]
        status[rows, exclusion.visit] = exclusion.reason
    return Scans(_draw_attendance(plan, status != "none", rng), status)


def _draw_attendance(plan: GroupPlan, scanned: Flags, rng: np.random.Generator) -> Flags:
    """Everybody comes at years 0 and 1; who stays away later has no scan there."""
    size = len(scanned)
    attended = np.ones((size, YEARS), dtype=bool)
    for year in (2, 3):
        must = scanned[:, year:].any(axis=1)
        may = np.flatnonzero(attended[:, year - 1] & ~must)
        extra = round(plan.attended[year] * size / plan.size) - int(must.sum())
        attended[:, year] = must
        attended[rng.permutation(may)[: max(extra, 0)], year] = True
    return attended


def _draw_lesions(
    plan: GroupPlan, scans: Scans, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Draw new T2 lesions and the Gd-enhancing ones among them.

    Draws are repeated until the yearly intervals hold at least half of the lesions after
    baseline and have spread in both counts, without which no slope could be estimated.
    """
    closes = scans.usable[:, :-1] & scans.usable[:, 1:]
    for _ in range(200):
        t2, gd = _draw_counts(plan, scans, rng)
        if all(_well_placed(counts[:, 1:], closes) for counts in (t2, gd)):
            break
    return t2.astype(float), gd.astype(float)


def _well_placed(later: Counts, closes: Flags) -> bool:
    inside = later[closes]
    return bool(2 * inside.sum() >= later.sum() and len(np.unique(inside)) > 1)


def _draw_counts(plan: GroupPlan, scans: Scans, rng: np.random.Generator) -> tuple[Counts, Counts]:
    t2 = np.zeros(scans.attended.shape, dtype=np.int64)
    gd = np.zeros_like(t2)
    for year in range(YEARS):
        rows = np.flatnonzero(scans.attended[:, year])
        share = len(rows) / plan.attended[year]
        total_t2, total_gd = round(plan.new_t2[year] * share), round(plan.new_gd[year] * share)
        if year == 0:
            t2[:, 0], gd[:, 0] = _draw_baseline(plan, scans.usable, total_t2, total_gd, rng)
        else:
            t2[rows, year] = _spread(total_t2, len(rows), 0.4, rng)
            gd[rows, year] = _thin(t2[rows, year], total_gd, rng)
    return t2, gd


def _draw_baseline(
    plan: GroupPlan, usable: Flags, total_t2: int, total_gd: int, rng: np.random.Generator
) -> tuple[Counts, Counts]:
    """Lesions at baseline; the patients with very many have all four scans usable."""
    size = len(usable)
    wanted = round(plan.many_lesions * size / plan.size)
    many = rng.permutation(np.flatnonzero(usable.all(axis=1)))[:wanted]
    others = np.setdiff1d(np.arange(size), many)
    t2, gd = np.zeros(size, dtype=np.int64), np.zeros(size, dtype=np.int64)
    gd[many] = rng.integers(MANY_LESIONS + 1, MANY_LESIONS + 4, size=len(many))
    t2[many] = gd[many] + rng.integers(1, 5, size=len(many))
    t2[others] = _spread(max(total_t2 - int(t2.sum()), 0), len(others), 1.0, rng)
    gd[others] = _thin(t2[others], max(total_gd - int(gd.sum()), 0), rng)
    return t2, gd


def _spread(total: int, size: int, dispersion: float, rng: np.random.Generator) -> Counts:
    """Negative-binomial counts with this sum (a Dirichlet-multinomial), none above `MOST_LESIONS`."""
    counts = rng.multinomial(total, rng.dirichlet(np.full(size, dispersion)))
    while (excess := int(np.maximum(counts - MOST_LESIONS, 0).sum())) > 0:
        counts = np.minimum(counts, MOST_LESIONS)
        room = counts < MOST_LESIONS
        counts += rng.multinomial(excess, room / room.sum())
    return counts


def _thin(counts: Counts, total: int, rng: np.random.Generator) -> Counts:
    """Choose `total` of the lesions, each as likely as the next."""
    return rng.multivariate_hypergeometric(counts, min(total, int(counts.sum())))


def _draw_relapses(plan: GroupPlan, attended: Flags, rng: np.random.Generator) -> NDArray[np.float64]:
    """Relapses since the previous visit; at year 0 they stand in patients.tsv."""
    relapses = np.full(attended.shape, np.nan)
    for year in range(1, YEARS):
        rows = rng.permutation(np.flatnonzero(attended[:, year]))
        relapsing = rows[: round(plan.with_relapse[year] * len(rows) / plan.attended[year])]
        relapses[rows, year] = 0
        relapses[relapsing, year] = 1 + rng.binomial(1, 0.2, size=len(relapsing))
    return relapses


def _draw_steroids(status: NDArray[np.str_], rng: np.random.Generator) -> NDArray[np.float64]:
    """Days since steroids: unknown mostly, under 56 only at the scans left out for it."""
    known = rng.random(status.shape) < 0.1
    days = np.where(known, rng.integers(56, 300, size=status.shape), np.nan)
    return np.where(status == "steroid", rng.integers(14, 56, size=status.shape), days)


def _draw_dates(size: int, rng: np.random.Generator) -> NDArray[np.str_]:
    gaps = rng.integers(340, 391, size=(size, YEARS))
    gaps[:, 0] = rng.integers(0, 1500, size=size)
    dates: NDArray[np.str_] = (FIRST_DAY + np.cumsum(gaps, axis=1).astype("timedelta64[D]")).astype(str)
    return dates


def _draw_people(plan: GroupPlan, size: int, rng: np.random.Generator) -> pd.DataFrame:
    share = size / plan.size
    women = round(plan.women * share)
    with_relapse = round(plan.with_relapse[0] * share)
    relapses = np.zeros(size, dtype=np.int64)
    relapses[:with_relapse] = 1 + _spread(round(plan.relapses_before * share) - with_relapse, with_relapse, 3.0, rng)
    age = _with_mean(np.clip(rng.normal(plan.age_mean, 8, size), 20, 58), plan.age_mean)
    duration = _with_mean(np.minimum(rng.gamma(2.0, plan.duration_mean / 2, size), 25), plan.duration_mean)
    longest_last = np.argsort(np.argsort(age + rng.normal(0, 4, size)))
    return pd.DataFrame(
        {
            "group": plan.label,
            "sex": rng.permutation(["F"] * women + ["M"] * (size - women)),
            "age": age.round(1),
            "disease_duration": np.sort(duration)[longest_last].round(1),
            "previous_dmts": _spread(round(plan.previous_dmts * share), size, 4.0, rng).astype(float),
            "relapses_before": rng.permutation(relapses).astype(float),
        }
    )


def _with_mean(values: NDArray[np.float64], mean: float) -> NDArray[np.float64]:
    return values * (mean / values.mean())
