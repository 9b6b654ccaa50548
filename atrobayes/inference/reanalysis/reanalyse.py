"""Published tables to reanalysis.tsv: every slope alone, with other structures, and with other groups."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from atrobayes.data_prep.structures import CATALOGUE
from atrobayes.inference.reanalysis.alone import posterior
from atrobayes.inference.reanalysis.columns import COLUMNS
from atrobayes.inference.reanalysis.digits import digit_ranges
from atrobayes.inference.reanalysis.groups import can_pool, pool_groups
from atrobayes.inference.reanalysis.rows import Asked, Work, about, finite, prior_cells, published_numbers
from atrobayes.inference.reanalysis.structures import COMMON, FEWEST, nested_free, pool
from atrobayes.inference.reanalysis.summary import in_units, summarise
from atrobayes.inference.reanalysis.tipping import tip
from atrobayes.models.normals import SQRT_2PI
from atrobayes.models.published import UNGROUPED, Slope, read_slopes, scales_of_others, shared_scales

if TYPE_CHECKING:
    import pandas as pd

    from atrobayes.data_prep.published_tables import Published

_NO_P = {"p": math.nan, "p_bound": ""}


def reanalyse(published: Published, asked: Asked | None = None) -> pd.DataFrame:
    """Posterior of every published slope.

    Parameters
    ----------
    published : Published
    asked : Asked, optional

    Returns
    -------
    DataFrame
        Rows of reanalysis.tsv: slopes without a posterior, with the reason in `status`; then slopes alone in the
        table's order, then structures together, then groups together; each along the ladder of priors. Of rows that
        repeat a structure or a group, the first is pooled. Rows without a printed slope are not among them.
    """
    import pandas as pd

    asked = asked or Asked()
    slopes = read_slopes(published, asked.patients)
    scales = np.array(shared_scales(slopes), dtype=float)
    kept = [k for k, slope in enumerate(slopes) if not slope.refused]
    work = Work(asked, tuple(slopes[k] for k in kept), scales[kept])
    rows = [*_refused(slopes), *_alone(work), *_structures(work), *_groups(work)]
    names = [column.name for column in COLUMNS]
    return pd.DataFrame(rows).reindex(columns=names) if rows else pd.DataFrame(columns=names)


def _refused(slopes: Sequence[Slope]) -> list[dict[str, Any]]:
    return [about(slope, "alone") | {"status": slope.refused} for slope in slopes if slope.refused]


def _alone(work: Work) -> list[dict[str, Any]]:
    if not work.slopes:
        return []
    b, se, df, scale = work.numbers(range(len(work.slopes)))
    tipping = tip(b, se, df, scale)
    others = np.array(scales_of_others(work.slopes))
    fixed = {"tipping_s": tipping.prior_s, "tipping_reason": tipping.reason}
    rungs = []
    for s in work.asked.rungs:
        mixture, _ = posterior(b, se, df, s * scale)
        found = summarise(mixture, work.asked.interval, published_numbers(b[:, None], se[:, None], df[:, None]))
        at_zero = mixture.log_pdf(np.zeros((len(b), 1)))[:, 0]
        found |= {"log_bf10": (-np.log(s * scale * SQRT_2PI) - at_zero)[:, None]}
        cells = {name: values[:, 0] for name, values in found.items()} | fixed
        rungs.append((s, cells | digit_ranges(work.slopes, others, s, work.asked.interval)))
    return [
        about(slope, "alone")
        | prior_cells(work, s, work.scales[k])
        | {name: values[k] for name, values in cells.items()}
        for k, slope in enumerate(work.slopes)
        for s, cells in rungs
    ]


def _structures(work: Work) -> list[dict[str, Any]]:
    rows = []
    for own in work.sets(lambda slope: (slope.source, slope.analysis, slope.group, slope.likelihood)):
        first = {work.slopes[k].structure: k for k in reversed(own)}
        which = [first[name] for name in nested_free([work.slopes[k].structure for k in own])]
        if len(which) >= FEWEST:
            for correlation in work.asked.error_correlations:
                for s in work.asked.rungs:
                    rows += _pooled(work, which, correlation, s)
    return rows


def _pooled(work: Work, which: list[int], correlation: float, s: float) -> list[dict[str, Any]]:
    slopes = [work.slopes[k] for k in which]
    b, se, df, scale = work.numbers(which)
    factor = scale * np.array([CATALOGUE[slope.structure].orientation for slope in slopes])
    names = [slope.structure for slope in slopes]
    found = pool(names, b / factor, se / scale, float(df.min()), s, correlation)
    mixture = in_units(found.mixture, np.array([1.0, *factor]))
    ahead = np.array([[np.nan]])
    known = published_numbers(*(np.hstack([ahead, values[None]]) for values in (b, se, df)))
    cells = summarise(mixture, work.asked.interval, known)
    shared = {
        "error_correlation": correlation,
        "between_sd": found.between_mean,
        "between_low": found.between_low,
        "between_high": found.between_high,
        "df": finite(float(df.min())),
        "note": f"with {', '.join(names)}",
    }
    common = about(slopes[0], "structures") | {"row": None, "structure": COMMON, "n": None} | _NO_P
    common |= dict.fromkeys(("published", "se", "se_low", "se_high"), math.nan)
    abouts = [(common, 1.0), *((about(slope, "structures"), scale[k]) for k, slope in enumerate(slopes))]
    return [
        said
        | prior_cells(work, s, own)
        | shared
        | {name: values[0, k] for name, values in cells.items()}
        | ({"unit": "as published", "prior_sd": math.sqrt(2) * s * own} if k else {"unit": "standardised"})
        for k, (said, own) in enumerate(abouts)
    ]


def _groups(work: Work) -> list[dict[str, Any]]:
    rows = []
    for own in work.sets(lambda slope: (slope.source, slope.analysis, slope.structure, slope.likelihood)):
        first = {work.slopes[k].group: k for k in reversed(own) if work.slopes[k].group != UNGROUPED}
        which = sorted(first.values())
        df = np.array([work.slopes[k].df for k in which])
        if can_pool(df, shared=work.slopes[own[0]].model == "mixed"):
            for s in work.asked.rungs:
                rows += _grouped(work, which, s)
    return rows


def _grouped(work: Work, which: list[int], s: float) -> list[dict[str, Any]]:
    slopes = [work.slopes[k] for k in which]
    b, se, df, scale = work.numbers(which)
    names = [slope.group for slope in slopes]
    shared = slopes[0].model == "mixed"
    mixture = pool_groups(names, b, se, df, s * float(scale[0]), shared=shared)
    pairs = [(i, j) for i in range(len(names)) for j in range(i + 1, len(names))]
    b_all = np.array([*b, *(b[i] - b[j] for i, j in pairs)])
    se_all = np.array([*se, *(math.hypot(se[i], se[j]) for i, j in pairs)])
    df_all = np.array([*df, *([df.min()] * len(pairs) if shared else [math.nan] * len(pairs))])
    cells = summarise(mixture, work.asked.interval, published_numbers(b_all[None], se_all[None], df_all[None]))
    both = about(slopes[0], "groups") | {"row": None, "term": "interaction", "n": None} | _NO_P
    both |= dict.fromkeys(("se_low", "se_high"), math.nan)
    abouts = [about(slope, "groups") for slope in slopes]
    abouts += [
        both
        | {"group": mixture.terms[len(names) + k], "published": b_all[len(names) + k], "se": se_all[len(names) + k]}
        for k in range(len(pairs))
    ]
    return [
        said
        | prior_cells(work, s, float(scale[0]))
        | {"df": finite(df_all[k]), "note": f"groups {', '.join(names)}"}
        | {name: values[0, k] for name, values in cells.items()}
        for k, said in enumerate(abouts)
    ]
