"""NUTS by NumPyro: the same PyMC graph in JAX, all outcomes and chains in one call, on a GPU where there is one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from atrobayes.inference.engine import Settings
from atrobayes.inference.engines.nuts import Work, run_nuts
from atrobayes.models.frame import Frame
from atrobayes.models.marginals import Draws
from atrobayes.models.model import Model
from atrobayes.models.priors import Priors

# samplers by key, shapes of the data, tuning and draws, for this process
_SAMPLERS: dict[tuple[Any, ...], Callable[..., Any]] = {}
STATS = ("diverging", "energy", "n_steps", "step_size")


@dataclass(frozen=True)
class NumPyro:
    """The model's PyMC graph, sampled by NumPyro on JAX."""

    name: str = "numpyro"
    libraries: tuple[str, ...] = ("numpyro", "jax", "jaxlib", "pymc", "pytensor", "numpy", "scipy", "arviz")

    def refuses(self, model: Model, frame: Frame, priors: Priors) -> str | None:  # noqa: ARG002 - the contract's
        """Serve every model."""
        return None

    def run(
        self, model: Model, frame: Frame, priors: Priors, settings: Settings, seed: int
    ) -> tuple[xr.DataTree, Draws]:
        """Sample every outcome."""
        import jax
        import numpyro

        # before any array exists: NUTS in single precision stops short of the posterior's flanks
        jax.config.update("jax_enable_x64", val=True)
        return run_nuts(numpyro, _sample, model, frame, priors, settings, seed)


def _sample(work: Sequence[Work], settings: Settings) -> Iterator[xr.DataTree]:
    """Map NUTS over data sets and chains in one compiled call."""
    import jax

    graph, shapes = work[0].graph, {name: values.shape for name, values in sorted(work[0].data.items())}
    key = (work[0].key, *shapes.values(), settings.tune, settings.draws, settings.correlated)
    if key not in _SAMPLERS:
        settings.note("compiling the model for JAX, once")
        run = _nuts(*_translate(graph, shapes), settings)
        _SAMPLERS[key] = jax.jit(jax.vmap(run, in_axes=(0, 0, 0, None)))
    names = [value.name for value in graph.value_vars]
    # one axis of lanes, chains within data sets: mapping twice over the sampler's loops takes twice as long to compile
    start = [np.concatenate([_start(one, settings.chains)[name] for one in work]) for name in names]
    data = [np.repeat([one.data[name] for one in work], settings.chains, axis=0) for name in shapes]
    keys = np.concatenate([jax.random.split(jax.random.PRNGKey(one.seed), settings.chains) for one in work])
    drawn, stats = jax.device_get(_SAMPLERS[key](start, data, keys, settings.target_accept))
    for k in range(len(work)):
        own = slice(k * settings.chains, (k + 1) * settings.chains)
        yield _tree(graph, [values[own] for values in drawn], [values[own] for values in stats])


def _start(work: Work, chains: int) -> dict[str, np.ndarray]:
    """Where each chain starts: the graph's own point, each value moved by up to one either way."""
    rng = np.random.default_rng(work.seed)
    point = work.graph.initial_point()
    return {name: value + rng.uniform(-1, 1, (chains, *np.shape(value))) for name, value in sorted(point.items())}


def _translate(graph: Any, shapes: dict[str, tuple[int, ...]]) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Turn a graph into JAX: functions of (values, data)."""
    from pymc.sampling.jax import get_jaxified_graph
    from pytensor.graph.replace import clone_replace

    held = [graph[name] for name in shapes]
    # JAX needs lengths that are known: they are those of this batch
    free = [variable.type.clone(shape=shapes[variable.name])(name=variable.name) for variable in held]
    shown = graph.replace_rvs_by_values([*graph.free_RVs, *graph.deterministics])
    density, *shown = clone_replace([graph.logp(), *shown], dict(zip(held, free, strict=True)))
    inputs = [*graph.value_vars, *free]
    log_density, constrained = (get_jaxified_graph(inputs, outputs) for outputs in ([density], shown))
    return (
        lambda values, numbers: log_density(*values, *numbers)[0],
        lambda values, numbers: constrained(*values, *numbers),
    )


def _nuts(log_density: Callable[..., Any], constrained: Callable[..., Any], settings: Settings) -> Callable[..., Any]:
    """One chain: (start, data, random key, target acceptance) to constrained draws and the sampler's record."""
    import jax.numpy as jnp
    from jax import eval_shape, jit, lax, tree, vmap
    from jax.flatten_util import ravel_pytree
    from numpyro.infer.hmc import hmc

    # as functions of their own they are traced once, not at each of the sampler's uses of them
    log_density, constrained = jit(log_density), jit(constrained)
    tune, draws = settings.tune, settings.draws

    def run(start: Any, data: Any, key: Any, target_accept: Any) -> tuple[Any, Any]:
        flat, unravel = ravel_pytree(start)
        begin, step = hmc(lambda values: -log_density(unravel(values), data), algo="NUTS")
        state = begin(flat, tune, target_accept_prob=target_accept, dense_mass=settings.correlated, rng_key=key)

        def record(now: Any) -> Any:
            return now.z, (now.diverging, now.energy, now.num_steps, now.adapt_state.step_size)

        def advance(number: Any, carried: Any) -> Any:
            state, kept = carried
            state = step(state)
            # while tuning, everything goes into the first place, which the first draw then takes
            place = jnp.maximum(number - tune, 0)
            return state, tree.map(lambda all_of, new: all_of.at[place].set(new), kept, record(state))

        room = tree.map(lambda one: jnp.zeros((draws, *one.shape), one.dtype), eval_shape(record, state))
        _, (values, stats) = lax.fori_loop(0, tune + draws, advance, (state, room))
        return vmap(lambda one: constrained(unravel(one), data))(values), stats

    return run


def _tree(graph: Any, drawn: list[np.ndarray], stats: list[np.ndarray]) -> xr.DataTree:
    """Name draws and dims as nutpie and PyMC do."""
    posterior = {}
    for variable, values in zip([*graph.free_RVs, *graph.deterministics], drawn, strict=True):
        named = graph.named_vars_to_dims.get(variable.name, ())
        own = [*named, *[None] * (values.ndim - 2 - len(named))]
        dims = [dim or f"{variable.name}_dim_{axis}" for axis, dim in enumerate(own)]
        posterior[variable.name] = (("chain", "draw", *dims), values)
    record = {name: (("chain", "draw"), values) for name, values in zip(STATS, stats, strict=True)}
    return xr.DataTree.from_dict({"/posterior": xr.Dataset(posterior), "/sample_stats": xr.Dataset(record)})
