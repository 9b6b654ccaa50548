"""The audit of published tables, put to our own estimates; and findings as files and words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from atrobayes.data_prep.published_tables import of_estimates
from atrobayes.files import write_table
from atrobayes.reports.audit.checks import run_checks
from atrobayes.reports.audit.finding import COLUMNS, Finding, to_table

if TYPE_CHECKING:
    import pandas as pd


def audit_estimates(estimates: pd.DataFrame, adjusted: Collection[str] = frozenset()) -> list[Finding]:
    """Check whether the numbers of our own classical rows fit each other.

    Parameters
    ----------
    estimates : DataFrame
        With the columns of estimates.tsv.
    adjusted : collection of str
        Analyses with covariates, see `of_estimates`.

    Returns
    -------
    list of Finding
        A finding that disagrees is a fault of ours.
    """
    return run_checks(of_estimates(estimates, adjusted=adjusted))


def write_audit(folder: Path, findings: Sequence[Finding], scratch: Path | None = None) -> None:
    """Write audit.tsv and its sidecar.

    Parameters
    ----------
    folder : Path
    findings : sequence of Finding
    scratch : Path, optional
        Folder for temporary files, see `files.atomic`.
    """
    write_table(folder / "audit.tsv", to_table(findings), COLUMNS, scratch)


def disagreement(findings: Sequence[Finding]) -> str:
    """Say how many findings disagree, and how many of them would fit if numbers were shortened otherwise.

    Parameters
    ----------
    findings : sequence of Finding
    """
    counts = Counter(finding.verdict for finding in findings)
    apart, under = counts["inconsistent"], counts["only_under"]
    said = []
    if apart:
        said.append(f"{apart} finding{'s' * (apart > 1)} of digits that do not fit each other")
    if under:
        said.append(f"{under} of digits that fit only if cut off or rounded up")
    return ", ".join(said) or "all digits that could be checked fit each other"
