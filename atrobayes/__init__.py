"""Brain atrophy in small longitudinal MRI cohorts, Bayesian beside classical.

The names listed in `__all__` are the public ones. Each is imported when it is first asked
for, so that `import atrobayes` and `atrobayes --help` cost next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from atrobayes.data_prep.prepare import prepare as prep
    from atrobayes.inference.fit import fit
    from atrobayes.models.frame import Frame
    from atrobayes.reports.contrast import contrast as compare
    from atrobayes.reports.report import write_report as report
    from atrobayes.study import Study, read_study

    __version__: str

__all__ = ["Frame", "Study", "__version__", "compare", "fit", "prep", "read_study", "report"]

# public name → module and its name there
_HOMES = {
    "Frame": ("atrobayes.models.frame", "Frame"),
    "Study": ("atrobayes.study", "Study"),
    "compare": ("atrobayes.reports.contrast", "contrast"),
    "fit": ("atrobayes.inference.fit", "fit"),
    "prep": ("atrobayes.data_prep.prepare", "prepare"),
    "read_study": ("atrobayes.study", "read_study"),
    "report": ("atrobayes.reports.report", "write_report"),
}


def __getattr__(name: str) -> object:
    import importlib

    if name == "__version__":
        from importlib.metadata import version

        return version("atrobayes")
    if name not in _HOMES:
        raise AttributeError(f"module 'atrobayes' has no attribute {name!r}")
    module, attribute = _HOMES[name]
    return getattr(importlib.import_module(module), attribute)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
