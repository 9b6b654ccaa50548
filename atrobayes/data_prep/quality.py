"""Quality control of a study's scans over time: everything is flagged, nothing dropped."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Sequence

from atrobayes.data_prep.cohort import Built
from atrobayes.data_prep.quality_changes import asymmetry_flags, change_flags
from atrobayes.data_prep.quality_flags import Flag
from atrobayes.data_prep.quality_groups import group_flags
from atrobayes.data_prep.quality_record import TOLD, record_flags
from atrobayes.data_prep.quality_runs import Runs, run_flags
from atrobayes.data_prep.sources import Source
from atrobayes.data_prep.structures import CATALOGUE, Structure
from atrobayes.errors import Fault, StudyError
from atrobayes.study import Study


def find_quality(
    study: Study,
    built: Built,
    sources: Sequence[Source],
    structures: Sequence[Structure],
    extra: Sequence[Flag] = (),
) -> tuple[Flag, ...]:
    """Flag all that is worth a look in a study's scans.

    Parameters
    ----------
    study : Study
        Its table `quality` has the limits.
    built : Built
        The cohort and the scans it was made of.
    sources : sequence of Source
        All that the study names; a SUBJECTS_DIR tells of runs that are no scan of the study too.
    structures : sequence of Structure
        Of the cohort, in its order.
    extra : sequence of Flag
        Found elsewhere, such as in images.

    Returns
    -------
    tuple of Flag
        By the rules of `quality_flags.RULES`. A rule without the data it needs flags nothing.
    """
    cohort = built.cohort
    runs = Runs.of(built.scans, cohort["fsid"].to_numpy().tolist(), sources)
    return (
        *group_flags(cohort),
        *record_flags(cohort, study),
        *run_flags(runs, study.data.stream, study.quality.holes),
        *change_flags(cohort, structures, study.quality),
        *asymmetry_flags(cohort, study.quality),
        *extra,
    )


def check_quality(study: Study, structures: Sequence[Structure]) -> None:
    """Refuse limits of structures that nobody knows.

    Raises
    ------
    StudyError
        With every unknown name, and the nearest known one.
    """
    known = list(dict.fromkeys((*(structure.id for structure in structures), *CATALOGUE, *study.structures)))
    unknown = [name for name in study.quality.change_pct if name not in known]
    if unknown:
        raise StudyError([_unknown(study, name, known) for name in unknown])


def quality_note(flags: Sequence[Flag]) -> str:
    """Count the flags that are not told one by one; "" where there are none."""
    more = [flag for flag in flags if flag.rule not in TOLD]
    if not more:
        return ""
    patients = len(Counter(flag.patient for flag in more if flag.patient))
    words = f"{len(more)} {'more ' * (len(more) < len(flags))}flag{'s' * (len(more) > 1)}"
    return f"quality: {words} in {patients} patient{'s' * (patients != 1)}, see quality.tsv"


def _unknown(study: Study, name: str, known: Sequence[str]) -> Fault:
    near = difflib.get_close_matches(name, known, n=1)
    todo = f"did you mean {near[0]!r}?" if near else f"one of {', '.join(known)}"
    found = f"the unknown structure {name!r}"
    return Fault(found, "a known structure", todo, str(study.path), column=f"quality.change_pct.{name}")
