"""Looks at sampled fits, from their draws: how much their priors carry, and each patient left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import pandas as pd

from atrobayes.files import Column
from atrobayes.inference import patient_loo, prior_look
from atrobayes.inference.engine import choose_engine
from atrobayes.inference.estimate import Choices, plan_fits
from atrobayes.inference.fit import fit
from atrobayes.inference.importance import power_scaled
from atrobayes.inference.sampled import Sampled, has_coefficients, sampled_outcomes
from atrobayes.inference.store import Store
from atrobayes.models.frame import Frame
from atrobayes.models.linear import LinearModel

# tables that a look at one outcome has rows of
TABLES: Mapping[str, Sequence[Column]] = MappingProxyType(
    {"prior_sensitivity": prior_look.COLUMNS, "patient_loo": patient_loo.COLUMNS}
)
_TABLE = "table"  # column that tells them apart


def sampled_of(frame: Frame, choices: Choices, store: Store) -> tuple[tuple[Sampled, ...], tuple[str, ...]]:
    """Read the sampled fits of the linear models of a frame and its parts.

    Parameters
    ----------
    frame : Frame
    choices : Choices
        Those it was fitted with.
    store : Store
        Holds its fits.

    Returns
    -------
    outcomes : tuple of Sampled
        Every outcome of every such fit; none where quadrature served all linear models.
    without : tuple of str
        Names of fits whose files hold no coefficients: of an earlier version, they tell nothing here.
    """
    outcomes: list[Sampled] = []
    without: list[str] = []
    # the outcomes are what is spread: inside, one core each
    own = replace(choices, settings=replace(choices.settings, jobs=1))
    for part, model in plan_fits(frame, choices).fits:
        if not isinstance(model, LinearModel):
            continue
        engine = choose_engine(choices.engine, model, part, choices.priors).name
        if engine == "quadrature":
            continue
        fitted = fit(
            model,
            part,
            choices.priors,
            engine=engine,
            settings=choices.settings,
            seed=choices.seed,
            store=store,
        )
        if has_coefficients(fitted):
            outcomes += sampled_outcomes(fitted, part, own)
        else:
            without.append(fitted.name)
    return tuple(outcomes), tuple(without)


def look(sampled: Sampled) -> pd.DataFrame:
    """Take both looks at one outcome: they share the densities, which take the time.

    Parameters
    ----------
    sampled : Sampled

    Returns
    -------
    DataFrame
        Rows of both tables, to be parted by `rows_of`.
    """
    densities = sampled.log_densities()
    found = {
        "prior_sensitivity": power_scaled(sampled, densities),
        "patient_loo": patient_loo.weighted(sampled, densities),
    }
    return pd.concat([rows.assign(**{_TABLE: name}) for name, rows in found.items()], ignore_index=True)


def rows_of(table: str, found: pd.DataFrame) -> pd.DataFrame:
    """Rows of one of the two tables.

    Parameters
    ----------
    table : str
        Key of TABLES.
    found : DataFrame
        As `look` gives them.
    """
    names = [column.name for column in TABLES[table]]
    return found.loc[found[_TABLE] == table, names].reset_index(drop=True)
