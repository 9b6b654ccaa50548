"""nutpie's compilation of a graph, its last step kept on disk as well.

`nutpie.compile_pymc_model` links log density and gradient into one function anew in every process, and that
is nearly all of its time once PyTensor's own cache is warm. Here the same function is written as source that
depends on the graph alone, so that numba keeps the linked machine code beside PyTensor's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import numpy as np

_LOGP = """
def entry(dim, x_, out_, logp_, user_):
    try:
        out, logp = carray(out_, ({size},)), carray(logp_, ())
        words = carray(user_, ({words},), np.uint64)
        value, gradient = inner(carray(x_, ({size},)){shared})
        logp[()] = value
        out[...] = gradient
        if not np.all(np.isfinite(out)):
            return 3
        if not np.isfinite(value):
            return 4
    except Exception:
        return 1
    return 0
"""
_EXPAND = """
def entry(dim, expanded, x_, out_, user_):
    try:
        out = carray(out_, ({expanded},))
        words = carray(user_, ({words},), np.uint64)
        (values,) = inner(carray(x_, ({size},)){shared})
        out[...] = values
    except Exception:
        return -2
    return 0
"""


def compile_graph(graph: Any) -> Any:
    """Compile a PyMC graph for nutpie.

    Parameters
    ----------
    graph : pymc.Model
        All its numbers held as `pm.Data`.

    Returns
    -------
    nutpie.compile_pymc.CompiledPyMCModel
        The same as `nutpie.compile_pymc_model` gives; in a second process in a tenth of the time.
    """
    from nutpie import compile_pymc as inside
    from pymc.initial_point import make_initial_point_fn

    start = inside._wrap_with_lock(
        make_initial_point_fn(model=graph, jitter_rvs=set(graph.free_RVs), return_transformed=True)
    )
    size, expanded, logp, expand, start, shapes, changed = inside._make_functions(
        graph, mode="NUMBA", compute_grad=True, join_expanded=True, pymc_initial_point_fn=start
    )
    shared = list(dict.fromkeys([*logp.get_shared(), *expand.get_shared()]))
    names = {variable: f"data_{k}" for k, variable in enumerate(shared)}
    values = {names[variable]: np.array(variable.get_value(), order="C", copy=True) for variable in shared}
    places = _places(list(values.values()))
    where = dict(zip(shared, places, strict=True))
    sizes = {"size": size, "expanded": expanded, "words": sum(2 + value.ndim for value in values.values())}
    dims, coords = inside._prepare_dims_and_coords(graph, shapes, changed)
    return inside.CompiledPyMCModel(
        _n_dim=size,
        dims=dims,
        _coords=coords,
        _shapes={name: tuple(shape) for name, _, shape in zip(*shapes, strict=True)},
        compiled_logp_func=_link(_LOGP, logp, [where[v] for v in logp.get_shared()], sizes, doubles=3),
        compiled_expand_func=_link(_EXPAND, expand, [where[v] for v in expand.get_shared()], sizes, doubles=2),
        initial_point_func=start,
        shared_data=values,
        shared_var_keys=names,
        user_data=inside.make_user_data(names, values),
        n_expanded=expanded,
        shape_info=shapes,
        logp_func=logp,
        expand_func=expand,
        reparameterized_names=changed,
    )


def _places(values: list[np.ndarray]) -> list[str]:
    """Expression for each array in nutpie's record: 64-bit words, all addresses, all sizes, then all shapes."""
    found, word = [], 2 * len(values)
    for k, value in enumerate(values):
        shape = "".join(f"int(words[{word + axis}]), " for axis in range(value.ndim))
        found.append(f"carray(pointer(words[{k}]), ({shape}), np.{value.dtype})")
        word += value.ndim
    return found


def _link(template: str, function: Any, places: list[str], sizes: dict[str, int], doubles: int) -> Any:
    """Compile the entry that nutpie calls; from disk where an equal one is kept."""
    import numba
    from numba import types
    from nutpie.compile_pymc import address_as_void_pointer
    from pytensor.link.numba.cache import CACHED_SRC_FUNCTIONS, compile_numba_function_src

    inner = function.vm.jit_fn
    source = template.format(shared="".join(f", {place}" for place in places), **sizes)
    scope: dict[str, Callable[..., Any] | Any] = {
        "__name__": __name__,
        "carray": numba.carray,
        "np": np,
        "inner": inner,
        "pointer": address_as_void_pointer,
    }
    # PyTensor's own key of the graph; it has none for a graph that it cannot keep
    graph_key = CACHED_SRC_FUNCTIONS.get(inner.py_func)
    key = graph_key and hashlib.sha256(f"{graph_key}\0{source}".encode()).hexdigest()
    entry = compile_numba_function_src(source, "entry", scope, cache_key=key)
    counts = [types.uint64] * (1 if doubles == 3 else 2)
    signature = types.int64(*counts, *[types.CPointer(types.double)] * doubles, types.voidptr)
    return numba.cfunc(signature, cache=key is not None)(entry)
