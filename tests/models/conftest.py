"""The prepared example, which several tests build frames of."""

from __future__ import annotations

from pathlib import Path

import pytest
import xarray as xr

from atrobayes.data_prep.prepare import Prepared, prepare
from atrobayes.study import read_study


@pytest.fixture(scope="session")
def prepared(example_study: Path) -> Prepared:
    """The built-in example after data preparation; not to be changed."""
    return prepare(read_study(example_study))


@pytest.fixture(scope="session")
def cohort(prepared: Prepared) -> xr.Dataset:
    """Its cohort."""
    return prepared.cohort
