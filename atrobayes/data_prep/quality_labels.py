"""The segmentation itself against the table made from it, where a study asks for that."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from atrobayes.data_prep.images import check_segmentation
from atrobayes.data_prep.quality_flags import Flag
from atrobayes.data_prep.scans import Scan
from atrobayes.data_prep.sources import ASEG
from atrobayes.data_prep.stats_files import read_stats
from atrobayes.errors import DataError


def label_flags(scans: Sequence[Scan]) -> Iterator[Flag]:
    """Compare mri/aseg.mgz with stats/aseg.stats in every usable scan that has both; about a second a scan.

    Parameters
    ----------
    scans : sequence of Scan

    Yields
    ------
    Flag
        One for each scan: the first row that differs, and how many more do; or why the image cannot be read.
    """
    for scan in scans:
        if scan.status != "usable" or scan.run is None:
            continue
        stats, image = scan.run.path / "stats" / ASEG, scan.run.path / "mri" / "aseg.mgz"
        if not (stats.is_file() and image.is_file()):
            continue
        try:
            found = check_segmentation(read_stats(stats), image)
        except DataError as error:
            yield Flag("labels_differ", scan.patient, scan.visit, reason=f"{error.faults[0].found} in mri/aseg.mgz")
            continue
        if found:
            more = f", and {len(found) - 1} more rows" if len(found) > 1 else ""
            yield Flag("labels_differ", scan.patient, scan.visit, reason=f"{found[0].reason}{more}")
