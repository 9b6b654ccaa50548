"""How fast forks are fitted: `python benchmarks/multiverse.py STUDY.toml RESULTS [--default] [--processes 1 2]`.

RESULTS is the folder of a finished run (its cohort is used). By default fork × structure posteriors are fitted until
there are 10,000 of them (grouped and ungrouped parts count apart: each is a posterior of its own), with the classical
rows and all columns of sensitivity.tsv; `--default` fits what `atrobayes sensitivity` fits by default instead.
"""

from __future__ import annotations

import argparse
import itertools
import os
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

WANTED = 10_000


def forks(study_file: Path, results: Path, *, default: bool) -> list:
    import xarray as xr

    from atrobayes.inference.estimate import Choices
    from atrobayes.inference.multiverse import fork_fits
    from atrobayes.models.analyses import resolve_analyses
    from atrobayes.models.fork_frames import fork_frames
    from atrobayes.models.forks import plan_forks
    from atrobayes.models.priors import read_priors
    from atrobayes.study import read_study

    study = read_study(study_file)
    with xr.open_dataset(results / "cohort.nc") as stored:
        cohort = stored.load()
    found = []
    for analysis in resolve_analyses(study):
        planned = plan_forks(study, analysis, study.sensitivity, everything=not default)
        # the full product of a mixed model alone is more than enough
        some = planned if default else planned[:: max(1, len(planned) // 120)]
        choices = Choices(priors=read_priors(study.priors))
        found.append(fork_fits(fork_frames(study, analysis, some, cohort), choices))
    if default:
        return list(itertools.chain(*found))
    # one of each analysis in turn
    return [one for together in itertools.zip_longest(*found) for one in together if one is not None]


def posteriors(one: object) -> int:
    """Fork × structure posteriors of one piece of work: its parts times its structures."""
    from atrobayes.inference.plan import parts

    frame = one.framed.frame
    return len(parts(frame)) * len(frame.outcomes)


def fit(one: object) -> int:
    from atrobayes.inference.multiverse import fit_fork

    return len(fit_fork(one))


def warm_up(_: int) -> float:
    import atrobayes.inference.multiverse  # noqa: F401

    return time.process_time()


def main() -> None:
    """Print posteriors, seconds and rate for each number of processes."""
    ask = argparse.ArgumentParser()
    ask.add_argument("study", type=Path)
    ask.add_argument("results", type=Path)
    ask.add_argument("--default", action="store_true")
    ask.add_argument("--most", type=int, default=WANTED)
    ask.add_argument("--processes", type=int, nargs="+", default=[1, 2])
    given = ask.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    began = time.perf_counter()
    work = forks(given.study, given.results, default=given.default)
    print(f"planned and framed: {time.perf_counter() - began:.1f} s")
    if not given.default:
        total = list(itertools.accumulate(map(posteriors, work)))
        work = work[: 1 + next((k for k, count in enumerate(total) if count >= given.most), len(total))]
    count = sum(map(posteriors, work))
    print("processes\tforks\tposteriors\tseconds\tper second\tCPU seconds")
    for processes in given.processes:
        with ProcessPoolExecutor(processes) as pool:
            before = sum(pool.map(warm_up, range(processes)))
            began, spent = time.perf_counter(), os.times()
            rows = sum(pool.map(fit, work, chunksize=4))
            seconds = time.perf_counter() - began
        # what children spent is known once they have ended
        ended = os.times()
        cpu = ended.children_user + ended.children_system - spent.children_user - spent.children_system - before
        print(f"{processes}\t{len(work)}\t{count}\t{seconds:.1f}\t{count / seconds:.0f}\t{cpu:.1f}", flush=True)
        assert rows


if __name__ == "__main__":
    main()
