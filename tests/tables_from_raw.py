"""Tables as papers print them, computed from simulated raw data: what the checks of the audit are tried on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_UP, Decimal

import numpy as np
from scipy.special import stdtr

from atrobayes.data_prep.printed import Printed, read_printed
from atrobayes.data_prep.published_tables import Published, PublishedEstimate, PublishedSummary

_WAYS = {"rounded": ROUND_HALF_EVEN, "truncated": ROUND_DOWN, "rounded_up": ROUND_UP}
DIGITS = (2, 3, 4, 5)
STRUCTURES = ("brain", "grey", "cortex", "deep", "thalamus", "caudate", "cerebellum", "ventricle")
# correlation of each structure with the one it is part of, as of nested volumes
_NESTED = (0.0, 0.9, 0.95, 0.6, 0.9, 0.5, 0.7, -0.5)


@dataclass(frozen=True)
class Style:
    """How a table is printed: decimal places of p, r and R², significant digits of the rest, and the way."""

    digits: int
    how: str = "rounded"

    def decimals(self, value: float, places: int | None = None) -> Printed:
        """With a number of decimal places."""
        step = Decimal(1).scaleb(-(self.digits if places is None else places))
        return read_printed(f"{Decimal(repr(float(value))).quantize(step, _WAYS[self.how]):f}")

    def significant(self, value: float) -> Printed:
        """With the style's number of significant digits."""
        return self.decimals(value, self.digits - 1 - math.floor(math.log10(abs(value))))


@dataclass(frozen=True)
class Raw:
    """Ordinary regressions of all structures on one predictor in one group, in full."""

    n: int
    slope: np.ndarray
    p: np.ndarray
    r: np.ndarray
    se: np.ndarray


def regressions(x: np.ndarray, y: np.ndarray) -> Raw:
    """Each column of y on x."""
    n, deviation = len(x), x - x.mean()
    spread = deviation @ deviation
    slope = deviation @ y / spread
    rest = y - y.mean(axis=0) - np.outer(deviation, slope)
    se = np.sqrt((rest**2).sum(axis=0) / (n - 2) / spread)
    t = slope / se
    return Raw(n, slope, 2 * stdtr(n - 2, -np.abs(t)), t / np.sqrt(n - 2 + t**2), se)


def raw_tables(rng: np.random.Generator) -> dict[str, dict[str, Raw]]:
    """Analyses over one and three years, each by group: losses in proportion to lesions and to time."""
    sizes = dict(zip(("A", "B"), rng.integers(6, 40, size=2), strict=True))
    effect = rng.normal(0, 0.02, size=len(STRUCTURES))
    return {f"{word}_year": _analysis(rng, sizes, effect * years) for word, years in (("one", 1), ("three", 3))}


def _analysis(rng: np.random.Generator, sizes: dict[str, int], slope: np.ndarray) -> dict[str, Raw]:
    data = {}
    for group, n in sizes.items():
        x = rng.poisson(3, size=n).astype(float)
        x[:2] = 0, 4
        data[group] = x, np.outer(x, slope) + _nested(rng, n)
    data["ALL"] = np.concatenate([data[g][0] for g in sizes]), np.concatenate([data[g][1] for g in sizes])
    return {group: regressions(*pair) for group, pair in data.items()}


def _nested(rng: np.random.Generator, n: int) -> np.ndarray:
    columns = [rng.normal(size=n)]
    for k, rho in enumerate(_NESTED[1:]):
        columns.append(rho * columns[k] + math.sqrt(1 - rho**2) * rng.normal(size=n))
    return 0.3 * np.column_stack(columns)


def printed_estimates(tables: dict[str, dict[str, Raw]], style: Style) -> list[PublishedEstimate]:
    """A table with slope, p, R² and standard error, a figure with p and r, and a text that repeats slope and p."""
    text = Style(2, style.how)
    rows = []
    for analysis, groups in tables.items():
        for k, structure in enumerate(STRUCTURES):
            for group, raw in groups.items():
                slope, p, r, se = (float(values[k]) for values in (raw.slope, raw.p, raw.r, raw.se))
                row = PublishedEstimate(len(rows), "Table", analysis, structure, "slope", group, raw.n)
                rows.append(
                    replace(
                        row,
                        estimate=style.significant(slope),
                        p=style.decimals(p),
                        r2=style.decimals(r**2),
                        se=style.significant(se),
                    )
                )
                rows.append(replace(row, source="Figure", p=style.decimals(p), r=style.decimals(r), model="ordinary"))
                rows.append(replace(row, source="Text", estimate=text.significant(slope), p=text.decimals(p)))
    return rows


def printed_summaries(rng: np.random.Generator, style: Style) -> list[PublishedSummary]:
    """Means of counts and of half points, a median and a percentage of one group, as many as there are digits."""
    rows = []
    for k in range(3):
        n = int(rng.integers(5, 80))
        counts, halves = rng.poisson(3, size=n), rng.integers(0, 20, size=n) / 2
        share = 100 * float(rng.binomial(n, 0.4)) / n
        places = style.digits - 1
        for quantity, kind, value, step in (
            (f"lesions{k}", "mean", float(np.mean(counts)), 1.0),
            (f"edss{k}", "mean", float(np.mean(halves)), 0.5),
            (f"middle{k}", "median", float(np.median(halves)), 0.5),
            (f"relapse{k}", "percent", share, None),
        ):
            number = style.decimals(value, places)
            rows.append(PublishedSummary(len(rows), "Table", quantity, "A", n, kind, number, step, None))
    return rows


def made_up(rng: np.random.Generator, style: Style) -> Published:
    """Everything of one publication."""
    return Published("made up", tuple(printed_estimates(raw_tables(rng), style)), tuple(printed_summaries(rng, style)))


def with_row(published: Published, at: int, row: PublishedEstimate | PublishedSummary) -> Published:
    """The same with one row replaced, of the table its type belongs to."""
    if isinstance(row, PublishedEstimate):
        return replace(published, estimates=_replaced(published.estimates, at, row))
    return replace(published, summaries=_replaced(published.summaries, at, row))


def shifted(number: Printed, by: float) -> Printed:
    """The number moved by so many units of its last digit (to the nearest)."""
    value = Decimal(repr(number.value)) + Decimal(round(by)).scaleb(-number.places)
    return read_printed(f"{value:f}")


def _replaced[Row](rows: Sequence[Row], at: int, row: Row) -> tuple[Row, ...]:
    return (*rows[:at], row, *rows[at + 1 :])
