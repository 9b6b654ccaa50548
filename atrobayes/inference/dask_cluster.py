"""Chunks computed by the workers of a Dask cluster: `Client.map`, and nothing more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from logging import CRITICAL
from typing import TYPE_CHECKING, Any

from atrobayes.errors import UsageError
from atrobayes.inference.chunk import Chunk, Texts, work

if TYPE_CHECKING:
    from distributed import Client

LOCAL = "local"
_AT_ONCE = 100  # chunks sent to the scheduler in one message
_ANY_PORT = "127.0.0.1:0"  # two runs on one machine do not ask for the same one


def on_dask(chunks: Sequence[Chunk[Any]], address: str, jobs: int) -> Iterator[Texts]:
    """Compute chunks on a cluster; Dask computes anew what a lost worker had.

    Parameters
    ----------
    chunks : sequence of Chunk
        At least one.
    address : str
        Of the scheduler, or "local": workers of this machine.
    jobs : int
        Workers of this machine.

    Yields
    ------
    dict of int to str
        Place of an item → its table as text, a chunk as it is finished.

    Raises
    ------
    UsageError
        If distributed is not installed, no scheduler answers, or a chunk ended several workers.
    """
    with _client(address, jobs) as client:
        from distributed import as_completed
        from distributed.scheduler import KilledWorker

        futures = client.map(work, chunks, pure=False, batch_size=_AT_ONCE)
        try:
            for future in as_completed(futures):
                yield future.result()
                future.release()
        except KilledWorker as error:
            raise UsageError(f"{error} What was finished is kept. Do the workers have enough memory?") from error
        finally:
            client.cancel([future for future in futures if not future.done()], force=True)


@contextmanager
def _client(address: str, jobs: int) -> Iterator[Client]:
    try:
        from distributed import Client, LocalCluster
    except ImportError as error:
        raise UsageError("--dask needs more packages: pip install 'atrobayes[cluster]'") from error
    if address == LOCAL:
        with (
            LocalCluster(jobs, threads_per_worker=1, dashboard_address=_ANY_PORT, silence_logs=CRITICAL) as cluster,
            Client(cluster) as client,
        ):
            yield client
        return
    try:
        client = Client(address)
    except (OSError, ValueError) as error:
        raise UsageError(f"no Dask scheduler answers at {address!r}: {error}") from error
    with client:
        yield client
