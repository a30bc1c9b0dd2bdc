"""Which inputs a trained network carries along as samples: a few typical ones that it never saw."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from workloads.topology.samples import Samples

PER_CLASS = 4
"""Images of every class among which samples are chosen: the first of the set."""

KEPT = 16
"""Samples that are kept: three kilobytes of digits."""


def typical_samples(images: NDArray[np.float32], labels: NDArray[np.int64], source: str) -> Samples | None:
    """Of the first images (n, n_in) of every class the ones nearest to the mean in ink, nearest first.

    Ink is the mean of the magnitudes of an image. With labels (n,) of ten classes these are 16 of 40. There
    are none where there are no images.
    """
    if not len(labels):
        return None
    firsts = [np.flatnonzero(labels == label)[:PER_CLASS] for label in np.unique(labels)]
    candidates = images[np.sort(np.concatenate(firsts))]
    ink = np.abs(candidates).mean(axis=1)
    return Samples(candidates[np.argsort(np.abs(ink - ink.mean()), kind="stable")[:KEPT]], source)
