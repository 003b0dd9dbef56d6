"""How many directions of a matrix are worth keeping: by energy, by bytes, or by what is noise."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from edge_runtime.errors import TargetUnreachable

Spectrum = NDArray[np.float64]
"""Singular values, largest first."""

_TAU = 2.5129
"""Zero of log(z + 1) / z = 1 / 2; times sqrt(alpha) it is the paper's tau (equation 28)."""
_TRIED = 2000


def spectrum(matrix: Tensor) -> Spectrum:
    """Singular values of a matrix, largest first."""
    values = torch.linalg.svdvals(matrix.detach().double())
    return np.asarray(values.cpu().numpy(), np.float64)


def rank_by_energy(values: Spectrum, energy: float) -> int:
    """The fewest directions that hold this share (above 0, up to 1) of the squared sum."""
    if not 0 < energy <= 1:
        raise TargetUnreachable(f"energy {energy}: expected above 0, up to 1")
    share = np.cumsum(values**2) / max(float((values**2).sum()), 1e-300)
    return min(int(np.searchsorted(share, energy - 1e-12)) + 1, len(values))


def rank_by_vbmf(matrix: Tensor) -> int:
    """Directions that stand out of the noise, 1 at least.

    Empirical variational Bayesian matrix factorization, solved analytically (Nakajima, Sugiyama,
    Babacan and Tomioka, "Global analytic solution of fully-observed variational Bayesian matrix
    factorization", JMLR 14, 2013): values above sqrt(M s (1 + tau)(1 + alpha / tau)) are kept,
    where s is the noise's variance that minimizes the free energy.
    """
    short, long = sorted(matrix.shape)
    values = spectrum(matrix)
    variance = _noise_variance(values, short, long)
    limit = math.sqrt(long * variance * _edge(short / long))
    return max(1, int((values > limit).sum()))


def _edge(alpha: float) -> float:
    """Where noise ends, in units of M s: the paper's x underlined."""
    tau = _TAU * math.sqrt(alpha)
    return (1 + tau) * (1 + alpha / tau)


def _noise_variance(values: Spectrum, short: int, long: int) -> float:
    """The variance at which the free energy is least, searched between the paper's bounds."""
    alpha = short / long
    largest = min(math.ceil(short / (1 + alpha)) - 1, short - 1)
    rest = values[largest:] ** 2
    upper = float((values**2).sum()) / (short * long)
    lower = max(
        float(values[largest]) ** 2 / (long * _edge(alpha)), float(rest.mean()) / long, 1e-30
    )
    if lower >= upper:
        return upper
    tried = np.geomspace(lower, upper, _TRIED)
    energies = [_free_energy(values**2 / (long * each), alpha) for each in tried]
    return float(tried[int(np.argmin(energies))])


def _free_energy(x: Spectrum, alpha: float) -> float:
    """Sum of psi(x): x - log x, and for what stands out of the noise a second term."""
    x = np.maximum(x, 1e-300)
    total = float((x - np.log(x)).sum())
    out = x[x > _edge(alpha)]
    inner = out - (1 + alpha)
    tau = (inner + np.sqrt(np.maximum(inner**2 - 4 * alpha, 0))) / 2
    return total + float((np.log(tau + 1) + alpha * np.log(tau / alpha + 1) - tau).sum())
