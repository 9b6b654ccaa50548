"""What it takes to get the same numbers again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from atrobayes.reports.methods import sampled
from atrobayes.reports.results import Results
from atrobayes.reports.section import Section, Table

_HASH_LENGTHS = (40, 64)


def make(results: Results) -> Section:
    """Versions, fit ids and hashes of the input files."""
    tables = (_versions(results), _fits(results), _inputs(results))
    seed = ", seed" if any(map(sampled, results.fits)) else ""
    text = (
        f"The same input files, study file{seed} and versions give this page again, byte for byte. The results folder "
        "holds every number in full: contrast.tsv, estimates.tsv, clinical.tsv, intervals.tsv, changes.tsv, "
        "exclusions.tsv, flow.tsv, quality.tsv, each with a description of its columns in the .json beside it, the "
        "posteriors in posterior/ and the figures in figures/."
    )
    return Section(
        "reproducibility", "Reproducibility", "ok", (text,), tuple(table for table in tables if len(table.frame))
    )


def _versions(results: Results) -> Table:
    from atrobayes import __version__

    versions = {"atrobayes": __version__}
    for fit in results.fits:
        versions |= fit.history.get("versions", {})
    frame = pd.DataFrame(sorted(versions.items()), columns=["Package", "Version"]).astype(str)
    return Table("versions", frame, "Versions the fits ran with")


def _fits(results: Results) -> Table:
    rows = [
        (
            fit.name,
            str(fit.history.get("seed", "n/a")) if sampled(fit) else "n/a",
            str(fit.history.get("fit_id", "n/a")),
            str(fit.history.get("frame_digest", "n/a")),
        )
        for fit in results.fits
    ]
    frame = pd.DataFrame(rows, columns=["Fit", "Seed", "Fit id", "Digest of the rows analysed"])
    if not any(map(sampled, results.fits)):
        frame = frame.drop(columns="Seed")
    return Table("fit-ids", frame, "Fits", "posterior/", folded=True)


def _inputs(results: Results) -> Table:
    labels = results.cohort["patient"].to_numpy().astype(str).tolist()
    hashes = dict(_hashes(results.cohort.attrs))
    named = {name: value for name, value in hashes.items() if not any(label and label in name for label in labels)}
    rest = sorted(value for name, value in hashes.items() if name not in named)
    rows = sorted(named.items())
    if rest:
        rows.append(
            (f"{len(rest)} files named after patients, together", hashlib.sha256("\n".join(rest).encode()).hexdigest())
        )
    frame = pd.DataFrame(rows, columns=["File", "SHA-256"])
    return Table(
        "inputs",
        frame,
        "Input files (files named after patients as one hash, so that no patient is named here)",
        "cohort.nc",
        folded=True,
    )


def _hashes(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, str) and value.startswith("{"):
        value = json.loads(value)
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _hashes(inner, str(key))
    elif isinstance(value, np.ndarray | list):
        return
    elif isinstance(value, str) and len(value) in _HASH_LENGTHS and set(value) <= set("0123456789abcdef"):
        yield name, value
