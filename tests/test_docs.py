"""The documents say what the code does."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest
import typer

from atrobayes.cli import app

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
GENERATED = ("ARCHITECTURE.md", "command-line.md", "output-tables.md", "study-file.md")


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def pages(generator: ModuleType) -> dict[str, str]:
    return {path.name: text for path, text in generator.pages().items()}


@pytest.mark.parametrize("page", GENERATED)
def test_generated_page_is_current(page: str, pages: dict[str, str]) -> None:
    """A reader would be told of keys, options or columns that are not there. If this fails: make docs."""
    assert pages[page] == (ROOT / "docs" / page).read_text(encoding="utf-8")


def test_every_module_says_what_it_is(pages: dict[str, str]) -> None:
    """A module without a first line is a room without a sign; only empty __init__.py files need none."""
    written = {path.relative_to(ROOT).as_posix() for path in (ROOT / "atrobayes").rglob("*.py") if path.stat().st_size}
    listed = re.findall(r"^\| `(atrobayes/\S+\.py)` \| \S", pages["ARCHITECTURE.md"], flags=re.MULTILINE)
    assert sorted(written) == sorted(listed)


def test_every_key_of_the_study_file_is_explained(pages: dict[str, str]) -> None:
    """A key without its meaning has to be guessed, and a guess about a prior or a washout changes results."""
    rows = [line for line in pages["study-file.md"].splitlines() if line.startswith("| `")]
    assert [] == [row for row in rows if not row.strip(" |").rsplit("|", 1)[-1].strip()]
    assert [] == [row for row in rows if len(re.findall(r"(?<!\\)\|", row)) not in {4, 5}]
    assert 50 < len(rows)


def test_keys_are_written_as_toml_reads_them(generator: ModuleType, tmp_path: Path) -> None:
    """A default shown in another spelling than TOML's fails when it is copied into a study file."""
    from atrobayes.study import Study, read_study

    lines = ["[data]", 'subjects_dir = "subjects"']
    for name, field in Study.model_fields.items():
        if name in {"study", "definitions", "priors", "inference"}:
            lines.append(f"[{name}]")
            cells = generator._keys(generator._model_of(field))
            lines += [f"{key} = {default.strip('`')}" for key, _, default, _ in cells if default]
    study = tmp_path / "study.toml"
    study.write_text("\n".join(lines), encoding="utf-8")
    bare = tmp_path / "bare.toml"
    bare.write_text("\n".join(lines[:2]), encoding="utf-8")
    assert 20 < len(lines)
    assert read_study(bare).model_dump(exclude={"path"}) == read_study(study).model_dump(exclude={"path"})


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_and_pictures_lead_somewhere(document: Path) -> None:
    """A dead link in a clone leaves the reader without the page the sentence relies on."""
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", document.read_text(encoding="utf-8"))
    assert [] == [link for link in links if not (document.parent / link).exists()]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_commands_named_in_the_documents_exist(document: Path) -> None:
    """A command that is copied from a page must be one that runs."""
    text = document.read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))
    commands = set(typer.main.get_command(app).commands)
    code = "\n".join(re.findall(r"```.*?```|`[^`\n]+`", text, flags=re.DOTALL))
    assert set() == set(re.findall(r"(?<![\w-])make ([a-z-]+)", code)) - targets
    assert set() == set(re.findall(r"^`?\s*(?:For instance: )?atrobayes ([a-z]+)", code, flags=re.MULTILINE)) - commands


def test_names_in_the_architecture_page_exist() -> None:
    """A page about rooms that were torn down sends a newcomer the wrong way."""
    page = (ROOT / "docs" / "ARCHITECTURE.md").read_text(encoding="utf-8").split("## The modules")[0]
    sources = [*(ROOT / "atrobayes").rglob("*.py"), *(ROOT / "tests").glob("*.py"), ROOT / "Makefile"]
    code = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    names = set(re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", page, flags=re.DOTALL)))
    paths = {name for name in names if name.startswith(("atrobayes/", "tests/", "docs/"))}
    words = {word for name in names - paths - {"n/a"} for word in re.findall(r"[A-Za-z_][\w.]*", name)}
    gone = {name for name in paths if not (ROOT / name).exists()}
    assert set() == gone | {word for word in words if not re.search(rf"\b{re.escape(word)}\b", code)}
    assert {"build_frames", "Marginals"} <= words


def _toml_blocks(page: str) -> list[str]:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    blocks = re.findall(r"^ *```toml\n(.*?)^ *```", text, flags=re.DOTALL | re.MULTILINE)
    return [block if "[data]" in block else f'[data]\nsubjects_dir = "fs"\n{block}' for block in blocks]


@pytest.mark.parametrize("block", [*_toml_blocks("data.md"), *_toml_blocks("study-file.md")])
def test_pieces_of_study_files_in_the_documents_are_read(block: str, tmp_path: Path) -> None:
    """What is copied from a page must work, and mean what the page says."""
    from textwrap import dedent

    from atrobayes.data_prep.structures import resolve_structures
    from atrobayes.study import read_study

    path = tmp_path / "study.toml"
    path.write_text(dedent(block), encoding="utf-8")
    study = read_study(path)
    assert set(study.structures) <= {structure.id for structure in resolve_structures(study)}
