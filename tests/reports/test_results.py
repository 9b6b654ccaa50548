"""Reading a results folder."""

from __future__ import annotations

import numpy as np
import pytest

from atrobayes.errors import DataError
from atrobayes.reports.results import read_results


@pytest.fixture(scope="module")
def folder(made_up, tmp_path_factory):
    return made_up.make_results(tmp_path_factory.mktemp("results"))


def test_missing_files_are_all_named_with_the_command_that_makes_them(tmp_path):
    """The user would run the report again for every missing file."""
    with pytest.raises(DataError) as caught:
        read_results(tmp_path)
    text = str(caught.value)
    made = {"cohort.nc", "exclusions.tsv", "flow.tsv", "quality.tsv", "intervals.tsv", "changes.tsv", "estimates.tsv"}
    assert made == {fault.file.split("/")[-1] for fault in caught.value.faults}
    assert "atrobayes prep STUDY.toml" in text
    assert "atrobayes fit STUDY.toml" in text


def test_missing_folder_is_one_clear_error(tmp_path):
    """The user would see a traceback."""
    with pytest.raises(DataError, match="atrobayes run"):
        read_results(tmp_path / "nowhere")


def test_tables_are_typed_and_missing_is_missing(folder):
    """A missing p would become a number, or a number a text."""
    estimates = read_results(folder).estimates
    bayes = estimates[estimates["method"] == "bayes"]
    assert np.dtype(float) == estimates["p"].dtype
    assert bayes["p"].isna().all()
    assert "" in set(estimates["flags"])


def test_a_spoilt_number_is_named_by_row_and_column(folder, made_up, tmp_path):
    """A cell edited by hand would be read as missing."""
    spoilt = made_up.make_results(tmp_path / "spoilt")
    path = spoilt / "estimates.tsv"
    path.write_text(path.read_text().replace("\t59\t", "\tmany\t", 1))
    with pytest.raises(DataError, match=r"estimates\.tsv, line 2, n_obs: found 'many'"):
        _ = read_results(spoilt).estimates


def test_fits_tell_their_history_and_verdict(folder, made_up):
    """The report could not say which engine ran or whether a fit may be trusted."""
    fits = read_results(folder).fits
    assert sorted(made_up.ANALYSES) == [fit.history["analysis"] for fit in fits]
    assert ["quadrature", "quadrature"] == [fit.engine for fit in fits]
    assert [False, True] == [fit.verdict["passed"] for fit in fits]


def test_groups_keep_the_order_of_the_study_file(folder):
    """The interaction would be named with the wrong sign."""
    assert ("CLAD", "ALEM") == read_results(folder).groups
