"""Seeds that depend on what is fitted, not on the order or the number of workers."""

from __future__ import annotations

import hashlib

import numpy as np


def derive(seed: int, *labels: str) -> int:
    """Seed for one piece of work, from the study's seed and the labels of that piece.

    Returns
    -------
    int
        Between 0 and 2**32 - 1; equal arguments give equal seeds.
    """
    digest = hashlib.sha256("\0".join(labels).encode()).digest()
    entropy = [seed, int.from_bytes(digest[:16], "little")]
    return int(np.random.SeedSequence(entropy).generate_state(1)[0])
