"""Imports run one way, and what is heavy is loaded only where it is needed."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "atrobayes"
# a room imports itself and what stands before it
ROOMS = ("errors", "files", "study", "folder", "data_prep", "models", "inference", "reports", "cli")
SAMPLERS = {"pymc", "bambi", "pytensor", "nutpie", "numpyro", "jax", "arviz"}
# what is asked of fits that were sampled
WITH_ARVIZ = {f"atrobayes.inference.{name}" for name in ("diagnose", "importance", "patient_loo")}
NEVER_IN_DATA_PREP = {"pymc", "bambi", "jax", "arviz", "pytensor", "nutpie", "numpyro", "scipy.stats"}
NEVER_BY_QUADRATURE = {"pymc", "bambi", "arviz", "pytensor", "statsmodels", "jax", "nutpie", "numpyro"}


@dataclass(frozen=True)
class Import:
    """One import statement of one of our modules."""

    module: str
    imported: str
    line: int
    inside_function: bool

    def __str__(self) -> str:
        return f"{self.module} line {self.line} imports {self.imported}"


def _modules() -> dict[str, Path]:
    paths = sorted(PACKAGE.rglob("*.py"))
    parts = {path: ("atrobayes", *path.relative_to(PACKAGE).with_suffix("").parts) for path in paths}
    return {".".join(part[:-1] if part[-1] == "__init__" else part): path for path, part in parts.items()}


MODULES = _modules()


def _imports(module: str, node: ast.AST, inside: bool = False) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (Import(module, name.name, child.lineno, inside) for name in child.names)
        elif isinstance(child, ast.ImportFrom):
            assert child.level == 0, f"{module} line {child.lineno}: a relative import"
            for name in child.names:
                whole = f"{child.module}.{name.name}"
                ours = child.module is not None and child.module.startswith("atrobayes")
                named_module = whole in MODULES or not ours
                yield Import(module, whole if named_module else str(child.module), child.lineno, inside)
        function = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        yield from _imports(module, child, inside or function)


IMPORTS = [one for name, path in MODULES.items() for one in _imports(name, ast.parse(path.read_text()))]
# the package itself is the shop window: it names the public functions of every room, and is asked only for them
OURS = [one for one in IMPORTS if one.imported.startswith("atrobayes.") and one.module != "atrobayes"]


def _room(module: str) -> str:
    return module.split(".")[1]


def _is_of(imported: str, libraries: set[str]) -> bool:
    return any(imported == name or imported.startswith(f"{name}.") for name in libraries)


def test_every_file_belongs_to_a_room() -> None:
    """A file outside the rooms would escape the order of imports checked below."""
    assert set(ROOMS) == {_room(name) for name in MODULES if name != "atrobayes"}


def test_imports_run_downwards_only() -> None:
    """Were a room to import a later one, data preparation could need samplers, or a model depend on its report."""
    upward = [str(one) for one in OURS if ROOMS.index(_room(one.imported)) > ROOMS.index(_room(one.module))]
    assert upward == []


def test_no_module_imports_itself_round_a_corner() -> None:
    """A cycle makes what works depend on which module happens to be imported first."""
    graph: dict[str, set[str]] = {name: set() for name in MODULES}
    for one in OURS:
        if one.imported != one.module:
            graph[one.module].add(one.imported)
    try:
        list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        pytest.fail(f"a cycle of imports: {' imports '.join(reversed(error.args[1]))}")


def test_samplers_are_imported_only_where_a_graph_is_built_or_sampled() -> None:
    """PyMC, Bambi and ArviZ take seconds to import; a run by quadrature must not wait for them."""
    allowed = ("atrobayes.models.", "atrobayes.inference.engines.")
    wrong = [
        str(one)
        for one in IMPORTS
        if _is_of(one.imported, SAMPLERS)
        and not (one.inside_function and one.module.startswith(allowed))
        and not (one.inside_function and one.module in WITH_ARVIZ and one.imported == "arviz")
    ]
    assert wrong == []
    # the rule would hold of no code at all
    assert {"atrobayes.models.linear_graph", "atrobayes.inference.engines.nutpie"} <= {
        one.module for one in IMPORTS if _is_of(one.imported, SAMPLERS)
    }


def test_data_prep_names_no_statistics_library() -> None:
    """Someone who only wants the cohort table must be able to use data_prep without a sampler installed."""
    named = [one for one in IMPORTS if _room_or_root(one.module) == "data_prep"]
    assert [] == [str(one) for one in named if _is_of(one.imported, NEVER_IN_DATA_PREP)]
    assert len(named) > 50


def _room_or_root(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


def _python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_data_prep_loads_where_the_samplers_are_not_installed() -> None:
    """The static check sees only our own import lines; a library of ours could pull in a sampler unseen."""
    out = _python("""
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"pymc", "bambi", "arviz", "jax", "pytensor", "nutpie", "numpyro"}:
            raise ImportError(f"{name} is not installed")
sys.meta_path.insert(0, Absent())
try:
    import pymc
except ImportError:
    print("blocked")
import atrobayes.data_prep.prepare
print(atrobayes.prep.__name__)
""")
    assert ["blocked", "prepare"] == out.split()


def test_a_run_by_quadrature_loads_no_sampler(example_run) -> None:
    """Were one loaded, each run would be seconds slower, for something it does not use."""
    assert set() == {name.split(".")[0] for name in example_run.modules} & NEVER_BY_QUADRATURE
    # the list is that of a whole run, not of a start that failed
    assert {"atrobayes.inference.engines.quadrature.engine", "atrobayes.reports.page", "numpy"} <= example_run.modules


def test_help_loads_neither_numpy_nor_pandas() -> None:
    """Help that waits for numpy and pandas to load takes a second more than it must."""
    loaded = _python("""
import sys
sys.argv = ["atrobayes", "--help"]
from atrobayes.cli import main
try:
    main()
except SystemExit as end:
    assert not end.code
print(*sys.modules, sep="\\n")
""").split()
    assert "atrobayes.cli.run" in loaded
    assert set() == set(loaded) & {"numpy", "pandas", "xarray", "scipy", "matplotlib", "pydantic", "importlib.metadata"}


def test_help_answers_in_half_a_second() -> None:
    """Whoever types --help has lost the thread; half a second keeps it."""
    if os.getloadavg()[0] > (os.cpu_count() or 1):
        pytest.skip("the machine has more to do than it has cores: a wall time would say nothing")
    script = Path(sys.executable).with_name("atrobayes")
    assert 0.5 > min(_wall_time(str(script), "--help") for _ in range(5))


def _wall_time(*words: str) -> float:
    began = time.perf_counter()
    subprocess.run(words, check=True, capture_output=True)
    return time.perf_counter() - began


def test_public_names_are_the_functions_of_the_rooms() -> None:
    """A name that leads elsewhere, or nowhere, breaks the first line of somebody's notebook."""
    import atrobayes
    from atrobayes.data_prep.prepare import prepare
    from atrobayes.inference.fit import fit
    from atrobayes.models.frame import Frame
    from atrobayes.reports.contrast import contrast
    from atrobayes.reports.report import write_report
    from atrobayes.study import Study, read_study

    homes = {
        "Frame": Frame,
        "Study": Study,
        "compare": contrast,
        "fit": fit,
        "prep": prepare,
        "read_study": read_study,
        "report": write_report,
    }
    assert homes == {name: getattr(atrobayes, name) for name in atrobayes.__all__ if name != "__version__"}
    assert set(atrobayes.__all__) <= set(dir(atrobayes))
    with pytest.raises(AttributeError, match="'atrobayes' has no attribute 'sample'"):
        atrobayes.sample  # noqa: B018 - asking for it is the test


def test_importing_the_package_loads_none_of_its_rooms() -> None:
    """`import atrobayes` is paid by every command, --help among them."""
    out = _python("import sys, atrobayes; print(sum(name.startswith('atrobayes.') for name in sys.modules))")
    assert "0" == out.strip()
