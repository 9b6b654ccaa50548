"""study.toml: its shape, its types and its defaults, as one frozen value.

Names that other rooms own (structures, analyses, engines) are only read as text here;
the room that owns them checks them before any work starts.
"""

from __future__ import annotations

import difflib
import itertools
import json
import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from atrobayes.errors import DataError, Fault, StudyError
from atrobayes.files import read_text


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class About(_Table):
    """[study]: what the study is called and who is compared."""

    name: str = Field("study", description="Name of the study, used in titles.")
    groups: tuple[str, ...] | None = Field(
        None, description="Group labels in order: the interaction is first minus second. Default: as patients.tsv."
    )
    seed: int = Field(1, ge=0, description="Seed of everything random.")

    @field_validator("groups")
    @classmethod
    def _each_once(cls, groups: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if groups is not None and len(set(groups)) < len(groups):
            raise ValueError("each group once")
        return groups


class Data(_Table):
    """[data]: where the files are. Paths are relative to study.toml. At least one of the first three is needed."""

    subjects_dir: Path | None = Field(None, description="FreeSurfer SUBJECTS_DIR.")
    tables: tuple[Path, ...] = Field(
        (),
        description="Wide tables, a row for each scan: asegstats2table, aparcstats2table, SynthSeg, SAMSEG.",
    )
    volumes: Path | None = Field(
        None, description="Tidy table: patient, visit, structure, volume and, optionally, etiv, both in mm³."
    )
    segmentation: str | None = Field(
        None,
        description="File of a run that volumes are taken from where no other is named, such as aseg+DKT.stats. "
        "Default: aseg.stats; must be stated where a run offers several.",
    )
    patients: Path = Field(Path("patients.tsv"), description="One row per patient.")
    visits: Path = Field(Path("visits.tsv"), description="One row per patient and visit.")
    bids: Path | None = Field(
        None, description="BIDS folder whose participants.tsv and sessions.tsv stand in for patients and visits."
    )
    relapses: Path | None = Field(None, description="Relapses, one a row, each with its own date.")
    edss: Path | None = Field(None, description="EDSS assessments, one a row, each with its own date.")
    structures: Literal["paper", "all"] | tuple[str, ...] = Field(
        "paper", description='"paper" (the 13 of its tables), "all", or a list of ids.'
    )
    stream: Literal["long", "cross"] = Field("long", description="FreeSurfer stream the volumes come from.")
    visit_pattern: str | None = Field(
        None,
        description="Regular expression over names of time points with (?P<patient>...) and (?P<visit>...), "
        "in place of the column fsid.",
    )

    @field_validator("visit_pattern")
    @classmethod
    def _names_both(cls, pattern: str | None) -> str | None:
        if pattern is not None:
            try:
                named = set(re.compile(pattern).groupindex)
            except re.error as error:
                raise ValueError(f"a regular expression ({error})") from error
            if named != {"patient", "visit"}:
                raise ValueError("a regular expression with the groups (?P<patient>...) and (?P<visit>...), no other")
        return pattern

    @model_validator(mode="after")
    def _told_once(self) -> Data:
        twice = [name for name in ("patients", "visits") if name in self.model_fields_set]
        if self.bids is not None and twice:
            raise ValueError(
                f"bids alone: it stands in for patients and visits, and {' and '.join(twice)} is named too"
            )
        return self

    @model_validator(mode="after")
    def _from_somewhere(self) -> Data:
        if self.subjects_dir is None and not self.tables and self.volumes is None:
            raise ValueError("a source of volumes: subjects_dir, tables or volumes")
        return self


class OwnStructure(_Table):
    """[structures]: a structure of the user's own, a sum of volumes less others."""

    sum: tuple[str, ...] = Field(
        min_length=1,
        description="What is added up: measures or rows of the segmentation file, ids of structures, or FILE:ROW "
        "for another file, such as lh.aparc.stats:insula.",
    )
    minus: tuple[str, ...] = Field((), description="What is taken off; as sum.")
    label: str = Field("", description="Name for people. Default: the id.")
    orientation: Literal[1, -1] = Field(1, description="1: shrinks with atrophy; -1: grows with atrophy.")
    redefine: bool = Field(False, description="Whether it takes the place of a known structure of this name.")


class Definitions(_Table):
    """[definitions]: how the clinical record is read."""

    steroid_weeks: float = Field(8, ge=0, description="Scans closer than this after steroids are left out.")
    edss_confirmation_weeks: float = Field(24, ge=0, description="How long a rise in EDSS must last.")
    edss_reference: Literal["interval", "baseline"] = Field("interval", description="EDSS a rise is measured from.")
    unconfirmed: Literal["no", "yes", "exclude"] = Field(
        "no", description="How a rise without a late enough assessment counts for NEDA-3."
    )
    lesion_timing: Literal["end", "start"] = Field("end", description="Which visit's lesion count an interval has.")
    annualised: bool = Field(False, description="Divide changes by the real years between the scans.")
    visit_tolerance_months: float = Field(6, gt=0, description="Visits further off their nominal date are flagged.")


class Images(_Table):
    """[images]: how lesions are counted in the masks that visits.tsv names."""

    connectivity: Literal[6, 18, 26] = Field(26, description="Neighbours of a voxel that belong to the same lesion.")
    min_volume_mm3: float = Field(3.0, ge=0, description="Smaller lesions are not counted.")
    enlarging_percent: float = Field(
        50.0, gt=0, description="Growth, in % of the lesion it was, from which a lesion counts as enlarging."
    )


class Quality(_Table):
    """[quality]: when a scan is flagged; flags never drop anything."""

    robust_z: float = Field(3.5, gt=0, description="Flag yearly changes further than this from the cohort's median.")
    change_pct: dict[str, Annotated[float, Field(gt=0)]] = Field(
        default_factory=dict,
        description="Flag yearly changes beyond this many percent, by structure. Default: the catalogue's limits.",
    )
    asymmetry: float = Field(
        3.5, gt=0, description="Flag left-right asymmetry further than this robust z from the cohort's median."
    )
    labels: bool = Field(
        False, description="Compare mri/aseg.mgz with aseg.stats in every usable scan: about a second a scan."
    )
    holes: int = Field(
        100, ge=0, description="Flag scans whose cross-sectional surfaces had more holes before mending, both sides."
    )


class OwnAnalysis(_Table):
    """[[analyses.own]]: a question of the user's own, fitted and reported like those of the catalogue."""

    id: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$", description="Name in the results; letters, digits and _.")
    kind: Literal["mixed", "regression", "comparison"] = Field(
        description='"mixed": slopes, patients with several rows; "regression": slopes, one row a patient; '
        '"comparison": rows with a state against rows without.'
    )
    outcome: str = Field("change_pct_etiv", description="Column of changes.tsv.")
    predictor: str = Field(
        description="Column of intervals.tsv or patients.tsv; new_t2 or new_gd alone follow lesion_timing. "
        'For a comparison: a count (state: above 0), or a yes/no column (for NEDA, the state is "no").'
    )
    group: bool = Field(True, description="Slopes for each group and their difference; false: all rows together.")
    covariates: tuple[str, ...] = Field((), description="Numeric columns, as for the predictor; sex counts as F = 1.")
    from_: int = Field(0, ge=0, alias="from", description='Visit that opens the interval; unused if to = "next".')
    to: int | Literal["next"] = Field("next", description='Visit that closes it, or "next": all patient-years.')
    exclude: str = Field("", description='Rows to leave out, such as "new_t2_from > 20" or "patient == \'A07\'".')

    @model_validator(mode="after")
    def _forwards(self) -> OwnAnalysis:
        if self.to != "next" and self.to <= self.from_:
            raise ValueError("a visit to that lies after from")
        return self


class Analyses(_Table):
    """[analyses]: what is asked."""

    use: tuple[str, ...] | None = Field(None, description="Ids of analyses. Default: all that the data allow.")
    own: tuple[OwnAnalysis, ...] = Field((), description="Further analyses of the user's own.")


class NormalPrior(_Table):
    """A normal prior given as numbers."""

    normal: tuple[float, Annotated[float, Field(gt=0)]] = Field(description="Mean, which must be 0, and SD.")
    scale: Literal["standardised", "raw"] = Field(
        "standardised",
        description='"standardised": SDs of the outcome for u lesions; "raw": the outcome\'s units for one lesion. '
        "A 0/1 state has twice the SD.",
    )

    @model_validator(mode="after")
    def _centred(self) -> NormalPrior:
        if self.normal[0] != 0:
            raise ValueError("a mean of 0: ventricles grow where tissue shrinks, one sign cannot serve both")
        return self


class HalfStudentPrior(_Table):
    """A half-Student-t prior of a standard deviation: degrees of freedom and scale."""

    half_student_t: tuple[Annotated[float, Field(gt=0)], Annotated[float, Field(gt=0)]] = Field(
        description="Degrees of freedom and scale, on the standardised scale."
    )


class GammaPrior(_Table):
    """A gamma prior: shape and rate."""

    gamma: tuple[Annotated[float, Field(gt=0)], Annotated[float, Field(gt=0)]] = Field(description="Shape and rate.")


class PriorChoice(_Table):
    """[priors]: what is believed before the data, on the standardised scale."""

    slope: Literal["regularising", "wide", "sceptical"] | NormalPrior = Field(
        "regularising",
        description="Prior of every group's slope, for outcomes in SDs and lesions in units of u; its mean is 0.",
    )
    slope_group_correlation: float = Field(0.5, gt=-1, lt=1, description="Prior correlation of two groups' slopes.")
    intercept_mean_sd: float = Field(
        2.5,
        gt=0,
        description="Prior SD of the mean of the groups' intercepts (at the mean lesion count, less the mean outcome).",
    )
    intercept_difference_sd: float = Field(1.0, gt=0, description="Prior SD of the difference of two intercepts.")
    patient_sd: HalfStudentPrior = Field(HalfStudentPrior(half_student_t=(3, 1)), description="Patient SD.")
    residual_sd: HalfStudentPrior = Field(HalfStudentPrior(half_student_t=(3, 1)), description="Residual SD.")
    covariate_sd: float = Field(1.0, gt=0, description="Prior SD of a covariate's slope, per SD of the covariate.")
    degrees_of_freedom: GammaPrior = Field(
        GammaPrior(gamma=(2, 0.1)), description="Degrees of freedom of Student-t errors."
    )
    predictor_unit: float | None = Field(
        None,
        gt=0,
        description="u, in lesions. Default: 1 for counts within a year, 3 for counts of the opening visit.",
    )
    outcome_sd: dict[str, Annotated[float, Field(gt=0)]] = Field(
        default_factory=dict, description="s_y by structure. Default: SD of the outcome over all rows."
    )


class Interval(_Table):
    """The interval every estimate is given with."""

    prob: float = Field(0.95, gt=0, lt=1, description="Probability inside.")
    kind: Literal["eti"] = Field("eti", description="Equal-tailed; the highest-density one stands beside it.")


class Rope(_Table):
    """Region of practical equivalence: an effect of u smaller than this counts as none."""

    standardised: float | None = Field(None, gt=0, description="In SD of the outcome, for u lesions. Default 0.1.")
    raw: float | None = Field(None, gt=0, description="In the outcome's units, for u lesions.")

    @model_validator(mode="after")
    def _one_scale(self) -> Rope:
        if self.standardised is not None and self.raw is not None:
            raise ValueError("standardised or raw, not both")
        return self


class Inference(_Table):
    """[inference]: how posteriors are computed."""

    engine: str = Field("auto", description='"auto", "quadrature", "nutpie", "numpyro" or "pymc".')
    draws: int = Field(1000, ge=100, description="Draws per chain.")
    tune: int = Field(1000, ge=100, description="Adaptation steps per chain.")
    chains: int = Field(4, ge=2, description="Chains.")
    interval: Interval = Interval()
    rope: Rope = Rope()


Axis = Literal[
    "prior",
    "likelihood",
    "outliers",
    "timing",
    "outcome",
    "intervals",
    "random_effects",
    "predictor",
    "covariates",
    "pooling",
    "undetermined",
]


class Robust(_Table):
    """[sensitivity] robust: from when on a result is called robust."""

    sign_share: float = Field(0.95, gt=0, le=1, description="Least share of forks with the sign of the result.")
    fork_pd: float = Field(0.975, gt=0.5, lt=1, description="Probability of direction a fork must exceed …")
    fork_share: float = Field(0.8, gt=0, le=1, description="… in at least this share of forks.")
    least_pd: float = Field(
        0.95,
        gt=0.5,
        lt=1,
        description="No single patient left out, and no prior of the ladder, may take pd below this.",
    )


class Sensitivity(_Table):
    """[sensitivity]: which choices are tried. Of each axis the values to try; the study's own choice is always in."""

    prior: tuple[Literal["regularising", "wide", "sceptical"], ...] = Field(
        ("regularising", "wide", "sceptical"), description="Prior of the slopes."
    )
    likelihood: tuple[Literal["normal", "student_t"], ...] = Field(
        ("normal", "student_t"), description="Distribution of the errors."
    )
    outliers: tuple[Literal["keep", "drop_over_20", "winsorise_95", "log1p"], ...] = Field(
        ("keep", "drop_over_20", "winsorise_95", "log1p"),
        description="Large lesion counts: kept; rows over 20 left out; set to the 95th percentile; log(1 + count).",
    )
    timing: tuple[Literal["end", "start"], ...] = Field(
        ("end", "start"), description="Visit the lesions are counted at."
    )
    outcome: tuple[Literal["change_pct_etiv", "change_pct", "annualised", "change_mm3"], ...] = Field(
        ("change_pct_etiv", "change_pct", "annualised", "change_mm3"),
        description="Change in % of eTIV, in % of the opening volume, a year's, or in mm³ with eTIV as a covariate.",
    )
    intervals: tuple[Literal["all", "without_first"], ...] = Field(
        ("all", "without_first"), description="All patient-years, or without 0 to 1, where pseudoatrophy is expected."
    )
    random_effects: tuple[Literal["intercept", "none"], ...] = Field(
        ("intercept", "none"), description="Patient intercepts, or rows as if of different patients."
    )
    predictor: tuple[Literal["counted", "split"], ...] = Field(
        ("counted", "split"), description="Lesions as counted, or a patient's mean and the deviation from it apart."
    )
    covariates: tuple[Literal["none", "demographic", "visit"], ...] = Field(
        ("none", "demographic", "visit"),
        description="None further; age, sex and disease duration; the number of the opening visit.",
    )
    pooling: tuple[Literal["none", "partial"], ...] = Field(
        ("none", "partial"), description="Structures each for itself, or shrunk together."
    )
    undetermined: tuple[Literal["missing", "yes", "no"], ...] = Field(
        ("missing", "yes", "no"), description="Years with undetermined NEDA-3: left out, all with, all without NEDA-3."
    )
    pairs: tuple[tuple[Axis, Axis], ...] = Field(
        (
            ("prior", "outliers"),
            ("prior", "outcome"),
            ("outliers", "timing"),
            ("outliers", "outcome"),
            ("outcome", "intervals"),
            ("timing", "intervals"),
        ),
        description="Axes that are also varied two at a time, as far as most_forks allows, in this order.",
    )
    most_forks: int = Field(60, ge=2, description="Most forks of an analysis, unless all are asked for.")
    ladder: tuple[Annotated[float, Field(gt=0)], ...] = Field(
        (0.25, 0.35, 0.5, 1.0, 2.5),
        description="SDs of the slope prior, standardised, that are tried one by one: from sceptical to wide.",
    )
    power: Annotated[float, Field(gt=1, le=2)] = Field(
        1.25, description="Priors and likelihood are raised to this power and to 1 over it."
    )
    miscounted: float = Field(
        0.1, ge=0, lt=1, description="Probability that a lesion count is one too high or one too low, if miscounted."
    )
    miscounts: int = Field(100, ge=20, description="How many miscounted data sets are drawn.")
    dropout_shift: tuple[float, ...] = Field(
        (-0.5, -0.25, 0.25, 0.5),
        description="Mean of the changes nobody saw, less that of the seen ones, in SDs of the outcome.",
    )
    robust: Robust = Robust()


class Calibration(_Table):
    """[calibration]: how the models and tests are tried on simulated data."""

    simulations: int = Field(1000, ge=50, description="Data sets for models that quadrature serves, and for tests.")
    sampled_simulations: int = Field(200, ge=20, description="Data sets for models that need sampling.")
    effects: tuple[float, ...] = Field(
        (0.0, 0.2, 0.5), description="True effects of u lesions, in SDs of the outcome, that tests are tried at."
    )
    scan_share: float = Field(
        0.4, ge=0, lt=1, description="Share of the error variance that comes from scans two intervals have in common."
    )


class Design(_Table):
    """[design]: the future study whose chances are asked for."""

    analysis: str = Field("year_to_year_t2", description="Analysis the study would repeat.")
    structures: tuple[str, ...] = Field((), description="Structures. Default: all of the analysis.")
    term: str | None = Field(None, description="Term the conclusion is about. Default: the first.")
    patients: tuple[Annotated[int, Field(ge=6)], ...] = Field(
        (50, 100, 200, 400), description="Numbers of patients, in the groups' observed proportions."
    )
    years: tuple[Annotated[int, Field(ge=1, le=10)], ...] = Field((3,), description="Years of follow-up.")
    conclusion: Literal["pd", "rope", "width"] = Field(
        "pd",
        description='"pd": the direction is sure; "rope": outside the region of practical equivalence; '
        '"width": the interval is narrow.',
    )
    threshold: float = Field(
        0.975, gt=0, description="Probability to be exceeded; for width: SDs of the outcome not to be exceeded."
    )
    simulations: int = Field(200, ge=50, description="Studies simulated for each number of patients and years.")


# how tomllib says where: an exception with the line as a number comes with Python 3.14
_PLACE = re.compile(r"(.*) \(at line (\d+), column (\d+)\)", re.DOTALL)
_FORMS = frozenset({"NormalPrior", "HalfStudentPrior", "GammaPrior", "int"})
# pydantic's kinds of error, in the words of someone who writes TOML
_WORDS = {
    "tuple_type": "a list",
    "model_type": "a table",
    "dict_type": "a table",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "string_type": "text in quotes",
    "path_type": "a path in quotes",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "too_short": "at least one entry",
}


class Study(_Table):
    """A study file, read and checked for shape and types.

    Attributes are the tables of study.toml; `path` is the file itself. Paths in `data`
    are absolute after reading.
    """

    path: Path = Field(exclude=True)
    format: Literal[1] = 1
    study: About = About()
    data: Data
    structures: dict[str, OwnStructure] = Field(default_factory=dict)
    definitions: Definitions = Definitions()
    images: Images = Images()
    quality: Quality = Quality()
    analyses: Analyses = Analyses()
    priors: PriorChoice = PriorChoice()
    inference: Inference = Inference()
    sensitivity: Sensitivity = Sensitivity()
    calibration: Calibration = Calibration()
    design: Design = Design()

    def name_of(self, path: Path) -> str:
        """Name of a file in outputs: relative to the study's folder; of one elsewhere its own, never where it is."""
        folder = self.path.parent
        return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.name

    @property
    def default_out(self) -> Path:
        """Results folder when none is named: `results/` beside the study file."""
        return self.path.parent / "results"


def read_study(path: Path) -> Study:
    """Read study.toml.

    Parameters
    ----------
    path : Path
        The file; paths in it are relative to its folder.

    Returns
    -------
    Study
        Checked for shape and types, its paths absolute.

    Raises
    ------
    StudyError
        If the file is absent, not TOML, or has unknown keys or wrong types; every such
        place is named, unknown keys with the nearest known one.
    """
    path = path.absolute()
    if path.is_dir():
        raise StudyError(Fault("a folder", "a study file", f"name the one in it: {path.name}/study.toml", str(path)))
    raw = _toml(path)
    if "path" in raw:
        raise StudyError(_unknown(path, ("path",)))
    try:
        # TOML's types are JSON's: so read, a list may be a tuple and a text a path, but no text is a number
        study = Study.model_validate_json(json.dumps(raw | {"path": str(path)}, default=str), strict=True)
    except ValidationError as error:
        raise StudyError(_faults(path, error.errors())) from error
    return study.model_copy(update={"data": _absolute(study.data, path.parent)})


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(read_text(path, "a study file", "try `atrobayes example DIR` first"))
    except tomllib.TOMLDecodeError as error:
        said, row = str(error), None
        if place := _PLACE.fullmatch(said):
            said, row = f"{place[1]} at column {place[3]}", int(place[2])
        raise StudyError(Fault(said, "TOML", "mend the line", str(path), row)) from error
    except DataError as error:
        raise StudyError(error.faults) from error


def _absolute(data: Data, folder: Path) -> Data:
    single = ("subjects_dir", "volumes", "patients", "visits", "bids", "relapses", "edss")
    places: dict[str, Any] = {name: folder / path for name in single if (path := getattr(data, name)) is not None}
    if data.bids is not None:
        # what messages call the tables; which files they are, data_prep.bids knows
        places |= {"patients": folder / data.bids / "participants.tsv", "visits": folder / data.bids / "sessions.tsv"}
    return data.model_copy(update=places | {"tables": tuple(folder / path for path in data.tables)})


def _faults(path: Path, errors: Sequence[Any]) -> list[Fault]:
    """Faults of a validation: of a value that may have several forms, those of the form it comes nearest to."""
    places: dict[tuple[str, ...], list[Any]] = {}
    for item in errors:
        place = tuple(itertools.takewhile(lambda part: not _is_form(part), map(str, item["loc"])))
        places.setdefault(place, []).append(item)
    return [fault for place, items in places.items() for fault in _faults_at(path, place, items)]


def _faults_at(path: Path, place: tuple[str, ...], items: list[Any]) -> list[Fault]:
    keys = [tuple(part for part in map(str, item["loc"]) if not _is_form(part)) for item in items]
    inside = [(key, item) for key, item in zip(keys, items, strict=True) if len(key) > len(place)]
    if inside:
        return [_fault(path, key, item, _expected(item)) for key, item in inside]
    return [_fault(path, place, items[0], " or ".join(map(_expected, items)))]


def _is_form(part: str) -> bool:
    """Whether a part of a place names one of several allowed forms, as pydantic puts it, and is no key."""
    return part.endswith("]") or part in _FORMS


def _fault(path: Path, key: tuple[str, ...], item: Any, expected: str) -> Fault:
    if item["type"] == "extra_forbidden":
        return _unknown(path, key)
    if item["type"] == "missing":
        return Fault("nothing", "a value", "add this key", str(path), column=".".join(key))
    return Fault(_found(item["input"]), expected, "mend the value", str(path), column=".".join(key))


def _found(given: Any) -> str:
    """What stands at a place; of a whole table its keys, which is what may not go together there."""
    return f"the keys {', '.join(given)}" if isinstance(given, dict) and given else repr(given)


def _expected(item: Any) -> str:
    said = str(item["msg"]).removeprefix("Input should be ").removeprefix("Value error, ")
    return _WORDS.get(item["type"]) or f"{'a number ' if said.startswith(('greater', 'less')) else ''}{said}"


def _unknown(path: Path, key: tuple[str, ...]) -> Fault:
    known = _known_keys(key[:-1])
    near = difflib.get_close_matches(key[-1], known, n=1)
    todo = f"did you mean {near[0]!r}?" if near else "remove it"
    return Fault(f"the unknown key {key[-1]!r}", f"one of {', '.join(known)}", todo, str(path), column=".".join(key))


def _known_keys(parents: tuple[str, ...]) -> list[str]:
    models: list[type[BaseModel]] = [Study]
    for part in parents:
        fields = [model.model_fields[part] for model in models if part in model.model_fields]
        # a name the user chose, as in [structures], leads to the table it stands for
        models = [table for field in fields for table in _tables(field.annotation)] or models
    return [name for model in models for name in model.model_fields if name != "path"]


def _tables(annotation: Any) -> list[type[BaseModel]]:
    """Tables that may stand at a place of this type."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [table for part in get_args(annotation) for table in _tables(part)]
