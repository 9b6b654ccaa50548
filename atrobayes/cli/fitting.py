"""The stage that fits frames, of a study or of a table: one bar a frame, one remark a model left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from atrobayes.cli.session import Session
from atrobayes.errors import GateError, UsageError

if TYPE_CHECKING:
    import pandas as pd
    from rich.progress import TaskID

    from atrobayes.inference.estimate import Choices, Planned
    from atrobayes.inference.estimate import Estimated as Found
    from atrobayes.inference.store import Store
    from atrobayes.models.frame import Frame


@dataclass(frozen=True)
class Asked:
    """A frame with how it is fitted.

    Attributes
    ----------
    frame : Frame
    choices : Choices
    outcome : str or None
        What estimates.tsv says the outcome is; None: the same as its column `structure`.
    """

    frame: Frame
    choices: Choices
    outcome: str | None


@dataclass(frozen=True)
class Estimated:
    """Rows of estimates.tsv, and what failed its gate."""

    rows: pd.DataFrame
    failures: tuple[str, ...]

    def check_gate(self) -> None:
        """Raise GateError if a fit did not pass; to be called when everything is written."""
        if self.failures:
            raise GateError("\n".join(("done, but not every fit passed its convergence gate:", *self.failures)))


def fit_stage(session: Session, asked: Sequence[Asked]) -> Estimated:
    """Fit frames, classically and Bayesian; write estimates.tsv and the posteriors.

    Raises
    ------
    UsageError
        If the engine asked for can fit nothing of it; nothing is computed then.
    """
    import pandas as pd

    from atrobayes.files import write_table
    from atrobayes.inference.store import Store
    from atrobayes.models.estimates import COLUMNS

    store = Store(session.folder.path / "posterior", session.folder.scratch)
    _tell_left_out(session, asked)
    found = [_fit_one(session, one, store) for one in asked]
    tables = [
        one.rows.assign(outcome=one.rows["structure"] if of.outcome is None else of.outcome)
        for of, one in zip(asked, found, strict=True)
    ]
    rows = pd.concat(tables, ignore_index=True)
    with session.folder.renewing("estimated", "estimates.tsv"):
        write_table(session.folder.path / "estimates.tsv", rows, COLUMNS, session.folder.scratch)
    fits = [posterior for one in found for posterior in one.fits]
    store.keep_only({one.name for one in fits})
    failures = tuple(f"{one.name}: {reason}" for one in fits for reason in one.verdict.reasons)
    return Estimated(rows, failures)


def _tell_left_out(session: Session, asked: Sequence[Asked]) -> None:
    """Say once for each model why it is left out, before the work of the others."""
    from atrobayes.inference.estimate import plan_fits
    from atrobayes.models.model import get_model

    planned = [plan_fits(one.frame, one.choices) for one in asked]
    refused = _left_out(planned)
    if not any(one.fits for one in planned):
        said = "\n".join(f"{name}: {reason}" for name, reason in refused.items())
        raise UsageError(f"engine {asked[0].choices.engine!r} can fit none of the models asked for; try auto\n{said}")
    for name, reason in refused.items():
        model = get_model(name)
        session.remark(f"left out: {name} ({model.formula}, {model.family}): {reason}")


def _left_out(planned: Sequence[Planned]) -> dict[str, str]:
    """Models left out of some frame or all, with the first reason met."""
    reasons: dict[str, str] = {}
    for one in planned:
        reasons |= {name: reason for name, reason in one.refused.items() if name not in reasons}
    return reasons


def _fit_one(session: Session, asked: Asked, store: Store) -> Found:
    from atrobayes.inference.estimate import estimate, plan_fits

    name = " ".join(filter(None, ("fit", asked.frame.analysis, asked.frame.part)))
    fits = len(plan_fits(asked.frame, asked.choices).fits)
    with session.stage(name, total=fits) as task:
        return estimate(asked.frame, _told(session, asked.choices, task, name), store)


def _told(session: Session, choices: Choices, task: TaskID, stage: str) -> Choices:
    """The same choices, with a bar that moves: a unit a model, the part done of its outcomes in between."""
    begun: list[str] = []

    def announce(model: str) -> None:
        begun.append(f"{stage}: {model}")
        session.progress.update(task, description=begun[-1], completed=len(begun) - 1)

    def note(what: str) -> None:
        session.progress.update(task, description=f"{begun[-1]} ({what})")

    def show(done: int, total: int) -> None:
        session.progress.update(task, description=begun[-1], completed=len(begun) - 1 + done / total)

    settings = replace(choices.settings, progress=show, note=note)
    return replace(choices, settings=settings, announce=announce)
