"""atrobayes environment: versions, for a bug report."""

from __future__ import annotations

import typer

from atrobayes.cli.guard import guarded
from atrobayes.cli.options import Debug, Json

PACKAGES = [
    "atrobayes",
    "arviz",
    "bambi",
    "filelock",
    "jax",
    "jinja2",
    "matplotlib",
    "netcdf4",
    "numba",
    "numpy",
    "numpyro",
    "nutpie",
    "pandas",
    "pydantic",
    "pymc",
    "pytensor",
    "rich",
    "scipy",
    "typer",
    "xarray",
]


@guarded
def environment(
    json: Json = False,
    debug: Debug = False,  # noqa: ARG001 - read by guarded
) -> None:
    """Print the versions of Python and of everything atrobayes computes with.

    For instance: atrobayes environment --json
    """
    import platform
    from importlib.metadata import PackageNotFoundError, version

    from atrobayes.cli.session import print_items

    versions = {"python": platform.python_version(), "platform": f"{platform.system()} {platform.machine()}"}
    for name in PACKAGES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = "not installed"
    if json:
        print_items([{"name": name, "version": found} for name, found in versions.items()])
    else:
        typer.echo("\n".join(f"{name} {found}" for name, found in versions.items()))


command = environment
