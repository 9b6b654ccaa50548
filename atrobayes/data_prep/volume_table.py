"""Every volume of a cohort beside the file and the lines it was read from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr

from atrobayes.data_prep.scans import Scan
from atrobayes.files import Column

VOLUME_COLUMNS = (
    Column("patient", "Patient"),
    Column("visit", "Nominal visit", "year"),
    Column("structure", "Structure"),
    Column("volume", "Volume as used: what the lines of the file add up to", "mm^3"),
    Column("left", "Left side; n/a where the structure is not made of two sides", "mm^3"),
    Column("right", "Right side; n/a where the structure is not made of two sides", "mm^3"),
    Column("etiv", "eTIV, estimated total intracranial volume, of the scan", "mm^3"),
    Column("scan_status", "What became of the scan; only usable ones are analysed"),
    Column("file", "File it was read from, relative to the SUBJECTS_DIR, or the table's name"),
    Column("lines", "Lines of that file, one for each term of the sum"),
    Column("source", "Names found there, one for each line"),
    Column("etiv_file", "File the eTIV was read from"),
    Column("etiv_line", "Line of that file"),
)


def volume_table(cohort: xr.Dataset, scans: Sequence[Scan]) -> pd.DataFrame:
    """List every volume that was read, and where.

    Parameters
    ----------
    cohort : Dataset
        The Cohort.
    scans : sequence of Scan
        Of its records, in their order.

    Returns
    -------
    DataFrame
        Columns of `VOLUME_COLUMNS`, one row for each record and structure with a volume, in the cohort's order.
        `atrobayes` reads it again as a tidy table (`data.volumes`).
    """
    volume = cohort["volume"].to_numpy()
    record, structure = np.nonzero(~np.isnan(volume))
    places = [scans[i].places[j] for i, j in zip(record.tolist(), structure.tolist(), strict=True)]
    return pd.DataFrame(
        {
            "patient": _labels(cohort["record_patient"].to_numpy()[record].tolist()),
            "visit": cohort["visit"].to_numpy()[record],
            "structure": _labels(cohort["structure"].to_numpy()[structure].tolist()),
            "volume": volume[record, structure],
            "left": cohort["left"].to_numpy()[record, structure],
            "right": cohort["right"].to_numpy()[record, structure],
            "etiv": cohort["etiv"].to_numpy()[record],
            "scan_status": _labels(cohort["scan_status"].to_numpy()[record].tolist()),
            "file": _labels([place.file for place in places]),
            "lines": _labels([place.lines for place in places]),
            "source": _labels([place.source for place in places]),
            "etiv_file": _labels([scans[i].etiv_place.file for i in record.tolist()]),
            "etiv_line": _labels([scans[i].etiv_place.lines for i in record.tolist()]),
        },
        columns=[column.name for column in VOLUME_COLUMNS],
    )


def _labels(texts: Sequence[str]) -> pd.Categorical:
    """Each text once: a large cohort has a million rows, and few different ones."""
    known: dict[str, int] = {}
    codes = np.fromiter((known.setdefault(text, len(known)) for text in texts), np.int32, len(texts))
    return pd.Categorical.from_codes(codes, pd.Index(list(known), dtype="str"))
