from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest


def _made_up() -> ModuleType:
    # tests are no package (import mode importlib), so the neighbour is loaded by its path
    if "made_up_results" not in sys.modules:
        spec = importlib.util.spec_from_file_location("made_up_results", Path(__file__).with_name("made_up_results.py"))
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules["made_up_results"] = module
        spec.loader.exec_module(module)
    return sys.modules["made_up_results"]


@pytest.fixture(scope="session")
def made_up() -> ModuleType:
    """The module that writes made-up results folders."""
    return _made_up()
