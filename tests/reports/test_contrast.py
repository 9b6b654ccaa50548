"""The contrast: who agrees with whom."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from atrobayes.files import read_table
from atrobayes.reports.contrast import COLUMNS, contrast, headline, write_contrast

_NUMBERS = {"n_obs": 95.0, "n_patients": 48.0, "ci_low": -1.0, "ci_high": 1.0, "q_bh": 0.5, "p_rope": 0.1}


def _row(method, engine, estimate, structure="thalamus", **numbers):
    texts = {"analysis": "a", "structure": structure, "term": "slope[CLAD]", "unit": "% per lesion", "flags": ""}
    empty = {"p": math.nan, "pd": math.nan}
    return texts | _NUMBERS | empty | {"method": method, "engine": engine, "estimate": estimate} | numbers


def _pair(p, pd_, classical=-1.0, bayes=-0.8):
    return pd.DataFrame([_row("classical", "reml", classical, p=p), _row("bayes", "quadrature", bayes, pd=pd_)])


@pytest.mark.parametrize(
    ("verdict", "pair"),
    [
        ("both_clear", _pair(0.01, 0.99)),
        ("classical_only", _pair(0.01, 0.97)),
        ("bayes_only", _pair(0.06, 0.99)),
        ("neither", _pair(0.06, 0.9)),
        ("opposite_sign", _pair(0.01, 0.99, bayes=0.8)),
        ("classical_only", _pair(0.01, 0.9, bayes=0.8)),
        ("not_tested", _pair(math.nan, math.nan)),
        ("bayes_only", _pair(math.nan, 0.99)),
        ("not_tested", _pair(0.01, math.nan)),
        ("neither", _pair(0.05, 0.975)),
    ],
)
def test_verdict_says_which_answer_is_clear(verdict, pair):
    """A wrong verdict would call a p borne out that the posterior does not bear out, or the reverse.

    A missing p is not clear, and an answer exactly at its cut-off is not clear; without a posterior nothing is said to
    be unsupported by it.
    """
    assert [verdict] == contrast(pair)["verdict"].tolist()


def test_flags_stand_beside_the_verdict():
    """A p of a singular fit would look like any other in the table people open first."""
    pair = _pair(0.01, 0.99).assign(flags=["singular", "gate_failed"])
    row = contrast(pair).iloc[0]
    assert ("singular", "gate_failed") == (row["classical_flags"], row["bayes_flags"])


def test_cut_offs_can_be_moved():
    """Another convention would silently give the verdicts of ours."""
    assert ["neither"] == contrast(_pair(0.01, 0.99), p_cut=0.005, pd_cut=0.995)["verdict"].tolist()


def test_several_engines_give_one_row_from_the_exact_one():
    """One question would appear twice, or be answered by the engine with Monte Carlo error."""
    engines = {"pymc": -0.1, "nutpie": -0.2, "quadrature": -0.3, "unheard_of": -0.4}
    rows = [_row("classical", "reml", -1.0, p=0.01)]
    rows += [_row("bayes", engine, estimate, pd=0.99) for engine, estimate in engines.items()]
    assert [-0.3] == contrast(pd.DataFrame(rows))["bayes_estimate"].tolist()
    without = pd.DataFrame([row for row in rows if row["engine"] != "quadrature"])
    assert [-0.2] == headline(without, "bayes")["estimate"].tolist()


def test_rows_keep_the_order_of_the_estimates_and_miss_no_side():
    """A structure with one answer only would vanish from the table."""
    rows = [
        _row("bayes", "quadrature", 1.0, structure="z", pd=0.99),
        _row("classical", "reml", 1.0, structure="a", p=0.5),
    ]
    frame = contrast(pd.DataFrame(rows))
    assert ["z", "a"] == frame["structure"].tolist()
    assert [95.0, 95.0] == frame["n_obs"].tolist()
    assert [True, False] == frame["classical_estimate"].isna().tolist()


def test_other_methods_stay_out():
    """Kenward-Roger's row would be taken for the headline."""
    frame = pd.concat([_pair(0.01, 0.99), pd.DataFrame([_row("classical_kr", "reml", 9.0, structure="other", p=0.9)])])
    assert [-1.0] == contrast(frame)["classical_estimate"].tolist()


def test_other_methods_stand_beside_the_headline():
    """Whether a finding survives Kenward-Roger or Student-t errors would have to be looked up in another table."""
    beside = [
        _row("classical_kr", "reml", -1.0, p=0.03),
        _row("bayes_robust", "nutpie", -0.7, pd=0.96, flags="gate_failed"),
    ]
    row = contrast(pd.concat([_pair(0.01, 0.99), pd.DataFrame(beside)])).iloc[0]
    assert (0.03, -0.7, 0.96, "gate_failed") == tuple(
        row[["classical_kr_p", "bayes_robust_estimate", "bayes_robust_pd", "bayes_robust_flags"]]
    )
    assert math.isnan(row["bayes_structures_pd"])
    assert "" == row["bayes_normal_flags"]
    assert "both_clear" == row["verdict"]


def test_contrast_tsv_has_the_agreed_columns(tmp_path):
    """Programs that read contrast.tsv by column would break."""
    path = write_contrast(contrast(_pair(0.01, math.nan)), tmp_path)
    table = read_table(path)
    assert [column.name for column in COLUMNS] == list(table.columns)
    assert ["n/a"] == table["bayes_pd"].tolist()
