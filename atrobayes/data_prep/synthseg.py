"""SynthSeg's volumes of one scan, as mri_synthseg writes them into stats/synthseg.vol.csv of a run."""

from __future__ import annotations

from pathlib import Path

from atrobayes.data_prep.measured import VolumeFile
from atrobayes.data_prep.tables import read_table_rows
from atrobayes.errors import DataError, Fault

# Read from the source alone: write_csv in mri_synthseg/mri_synthseg of FreeSurfer, commit 0ac7f1c.
TRIED_ON_REAL_OUTPUT = False

_EXPECTED = "a table of mri_synthseg --vol with one scan"


def read_synthseg(path: Path) -> VolumeFile:
    """Read the volumes SynthSeg found in one scan, mm³.

    Parameters
    ----------
    path : Path
        Of `mri_synthseg --vol`. The scan's name in it, that of the image, is passed over.

    Returns
    -------
    VolumeFile
        Names are FreeSurfer's; "SynthSeg:total intracranial" is a segmented volume, not FreeSurfer's eTIV.

    Raises
    ------
    DataError
        If the file is damaged, holds more than one scan, or is another program's.
    """
    rows = read_table_rows(path)
    if rows[0].kind != "synthseg":
        raise DataError(Fault(f"a table of {rows[0].kind}", _EXPECTED, "name it under data.tables", str(path)))
    if len(rows) > 1:
        todo = "name it under data.tables: it holds many scans"
        raise DataError(Fault(f"{len(rows)} scans", _EXPECTED, todo, str(path)))
    return rows[0]
