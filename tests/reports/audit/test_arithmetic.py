"""Each check of arithmetic on cases worked out by hand or by another program."""

from __future__ import annotations

from dataclasses import replace

import pytest
from scipy import stats

from atrobayes.data_prep.printed import read_printed
from atrobayes.data_prep.published_tables import Published, PublishedEstimate, read_published
from atrobayes.reports.audit import additivity, group_sizes, interaction, p_from_interval, p_from_r, r2_from_r
from atrobayes.reports.audit.checks import CHECKS, run_checks
from atrobayes.reports.audit.finding import judge
from atrobayes.reports.audit.intervals import p_of_r, p_of_t, t_of_p

_NUMBERS = ("estimate", "p", "r", "r2", "se", "ci_low", "ci_high")


def _row(**cells: object) -> PublishedEstimate:
    read = {name: read_printed(str(text)) if name in _NUMBERS else text for name, text in cells.items()}
    row = PublishedEstimate(1, "Table 1", "growth", "leaf", "slope", "A", 12)
    return replace(row, **read)


def _published(*rows: PublishedEstimate) -> Published:
    return Published("by hand", rows)


def test_p_of_correlations_and_t_agree_with_scipy() -> None:
    """Everything below rests on these two."""
    x, y = [1, 2, 3, 4, 5, 6, 7], [2, 1, 4, 3, 7, 5, 9]
    told = stats.pearsonr(x, y)
    assert pytest.approx((told.pvalue, told.pvalue)) == p_of_r((told.statistic, told.statistic), 7)
    assert (pytest.approx(2 * stats.norm.sf(3)), pytest.approx(2 * stats.t.sf(2, 5))) == p_of_t(
        (2, 3), (5, float("inf"))
    )
    assert (pytest.approx(stats.t.isf(0.05, 4)), pytest.approx(stats.t.isf(1e-9, 4))) == t_of_p((2e-9, 0.1), (4, 4))
    assert (0.0, 1.0) == p_of_t((0, float("inf")), (4, 4))


@pytest.mark.parametrize(
    ("r2", "p", "verdict"),
    [
        ("0.50", "0.01", "consistent"),  # t = √10 with 10 df: p = 0.0101
        ("0.50", "0.0101", "consistent"),
        ("0.50", "0.0130", "inconsistent"),
        ("0.20", "0.1530", "only_under"),  # 0.1507 of 0.195; only 0.19 to 0.20, rounded up, reaches 0.153
        ("1.00", "0.000", "consistent"),
        ("0.50", "<0.05", "consistent"),
        ("0.10", "<0.05", "inconsistent"),
        ("0.00", "1.00", "consistent"),
    ],
)
def test_p_against_r_squared(r2: str, p: str, verdict: str) -> None:
    """n = 12; p worked out with a table of t."""
    (found,) = p_from_r.check(_published(_row(r2=r2, p=p)))
    assert verdict == found.verdict


def test_p_is_not_worked_out_from_the_r_squared_of_other_models() -> None:
    """R² of a mixed model or of several predictors has no such p: honest authors would stand accused."""
    rows = [_row(r2="0.5", p="0.9", model="mixed"), _row(r2="0.5", p="0.9", df=8.0), _row(r2="0.5", p="0.9", n=None)]
    assert ["cannot_check"] * 3 == [found.verdict for found in p_from_r.check(_published(*rows))]


@pytest.mark.parametrize(
    ("cells", "verdicts"),
    [
        ({"se": "0.100", "p": "0.074"}, {"p": "consistent"}),  # t = 2.00, 10 df: 0.0734
        ({"se": "0.100", "p": "0.040"}, {"p": "inconsistent"}),
        ({"ci_low": "-0.023", "ci_high": "0.423"}, {"interval": "consistent"}),
        ({"ci_low": "-0.023", "ci_high": "0.523"}, {"interval": "inconsistent"}),
    ],
)
def test_p_standard_error_and_interval(cells: dict[str, str], verdicts: dict[str, str]) -> None:
    """A slope of 0.200 with n = 12: t(0.975; 10) = 2.228."""
    found = p_from_interval.check(_published(_row(estimate="0.200", model="ordinary", **cells)))
    assert verdicts == {one.quantity: one.verdict for one in found}


def test_intervals_of_other_kinds_are_not_accused() -> None:
    """Profile and rank intervals are not symmetric."""
    row = _row(estimate="0.200", ci_low="-0.023", ci_high="0.523", p="0.074")
    for other in (replace(row, model="mixed"), replace(row, term="difference", model="ordinary")):
        (found,) = p_from_interval.check(_published(other))
        assert ("interval", "cannot_check") == (found.quantity, found.verdict)
    outside = replace(row, model="mixed", estimate=read_printed("0.600"))
    assert "inconsistent" in {found.verdict for found in p_from_interval.check(_published(outside))}


def _pair(p: str, estimate: str, **cells: object) -> Published:
    slopes = [_row(group=name, estimate=b, se="0.100", **cells) for name, b in (("A", "0.500"), ("B", "0.100"))]
    return _published(*slopes, _row(term="interaction", group="A-B", n=24, p=p, estimate=estimate, **cells))


@pytest.mark.parametrize(
    ("p", "estimate", "verdicts"),
    [
        ("0.011", "0.400", ["consistent", "consistent"]),  # 0.4 / (0.1 √2) = 2.83 with 20 df: p = 0.0104
        ("0.110", "0.400", ["consistent", "inconsistent"]),
        ("0.011", "0.500", ["inconsistent", "consistent"]),
    ],
)
def test_interaction_against_two_slopes(p: str, estimate: str, verdicts: list[str]) -> None:
    """The number readers look at first would be the one nobody checks."""
    found = interaction.check(_pair(p, estimate, df=20.0))
    assert verdicts == [one.verdict for one in found]


def test_interaction_alone_cannot_be_checked() -> None:
    """Without the slopes nothing is known of it; saying nothing would look like consent."""
    (found,) = interaction.check(_published(_row(term="interaction", group="A-B", p="0.01")))
    assert "cannot_check" == found.verdict


def test_r_squared_in_one_place_against_r_in_another() -> None:
    """Figure and table of one result would be told apart by careful readers only."""
    figure = _row(source="Figure 1", r="-0.85", model="ordinary")
    verdicts = {}
    for r2 in ("0.72", "0.71", "0.79", "0.74"):
        (found,) = r2_from_r.check(_published(figure, _row(r2=r2)))
        assert "Figure 1; Table 1" == found.source
        verdicts[r2] = found.verdict
    # |r| 0.845 to 0.855 gives 0.714 to 0.731; 0.74 needs 0.86², or 0.7396 rounded up
    assert {"0.72": "consistent", "0.71": "consistent", "0.79": "inconsistent", "0.74": "only_under"} == verdicts


def test_r_and_slope_have_one_sign() -> None:
    """A minus sign lost in a figure turns atrophy into growth."""
    found = r2_from_r.check(_published(_row(r="0.85", estimate="-0.2", model="ordinary")))
    assert ["inconsistent"] == [one.verdict for one in found]


def test_sizes_of_groups_add_up() -> None:
    """Patients lost between two columns of a table would stay lost."""
    rows = [_row(group=name, n=n, p="0.5") for name, n in (("A", 9), ("B", 7), ("ALL", 16))]
    (found,) = group_sizes.check(_published(*rows))
    assert "consistent" == found.verdict
    (found,) = group_sizes.check(_published(*rows[:2], replace(rows[2], n=17)))
    assert ("inconsistent", "n = 16") == (found.verdict, found.implied)
    (found,) = group_sizes.check(_published(replace(rows[0], n=None), *rows[1:]))
    assert "cannot_check" == found.verdict


def test_slopes_of_parts_add_up_to_the_whole() -> None:
    """A sum that is none tells of two sets of rows, or of a misprint."""
    parts = [_row(structure=name, estimate=b, model="ordinary") for name, b in (("left", "0.21"), ("right", "-0.05"))]
    verdicts = []
    for b, model, n in (
        ("0.17", "ordinary", 12),
        ("0.20", "ordinary", 12),
        ("0.16", "mixed", 12),
        ("0.16", "ordinary", 11),
    ):
        whole = replace(_row(structure="both", estimate=b, model=model, n=n), parts=("left", "right"))
        verdicts += [found.verdict for found in additivity.check(_published(whole, *parts))]
    assert ["consistent", "inconsistent", "cannot_check", "cannot_check"] == verdicts


def test_composites_of_freesurfer_are_not_held_to_be_sums() -> None:
    """Of real scans they differ from the sum of their parts by as much as a year's atrophy."""
    names = ("total_gm", "cortex", "dgm", "cerebellar_cortex")
    rows = [_row(structure=name, estimate="0.10", model="ordinary") for name in names]
    assert ["cannot_check"] == [found.verdict for found in additivity.check(_published(*rows))]


def test_a_verdict_needs_one_way_of_shortening_for_all_numbers() -> None:
    """Each number shortened as it suits, nearly everything fits."""
    number = read_printed("0.10")
    assert "consistent" == judge(number.bounds, lambda how: (0.103, 0.2))[0]
    assert ("only_under", ("truncated",)) == judge(number.bounds, lambda how: (0.107, 0.2))
    assert ("inconsistent", ()) == judge(number.bounds, lambda how: (0.12, 0.2))
    assert "inconsistent" == judge(number.bounds, lambda how: None)[0]


def test_findings_say_what_they_rest_on_and_never_error() -> None:
    """A finding is about digits; what happened is for the authors to say."""
    found = run_checks(read_published())
    # no standard error or interval is printed there
    assert [name for name in CHECKS if name != "p_from_interval"] == list(dict.fromkeys(one.check for one in found))
    assert [] == [one for one in found if not one.assumptions or not one.message]
    texts = " ".join(" ".join((one.message, one.assumptions, one.implied, one.printed)) for one in found)
    assert "error" not in texts.replace("standard error", "").lower()
