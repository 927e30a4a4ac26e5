"""Build the blocked layout of `ranvier_loihi.config.SparseSynapse`: 3 bytes per synapse."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ranvier.errors import QuantizationError

from .config.synapse import BLOCK, SignMode, SparseSynapse

Fields = dict[str, Any]


def blocked_from_csr(
    indptr: NDArray[Any],
    indices: NDArray[Any],
    weights: NDArray[Any],
    delays: NDArray[Any] | None = None,
    *,
    n_source: int,
    block: int = BLOCK,
) -> Fields:
    """Return a CSR matrix as the fields of a `SparseSynapse`.

    Parameters
    ----------
    indptr : array of int, (n_target + 1,)
        Where the synapses of each target begin.
    indices : array of int, (n_synapses,)
        Sources, 0..n_source - 1, in any order; a pair may occur several times.
    weights : array of int, (n_synapses,)
        Within [-256, 255].
    delays : array of int, (n_synapses,), or None
        Steps, 0..255.
    n_source : int
        Columns of the matrix.
    block : int, 1..65536
        Targets per block.

    Returns
    -------
    dict
        ``block``, ``pointers`` int64, ``targets`` uint16, ``weights`` int8 (int16 where they do
        not fit), ``delays`` uint8 or None.

    Raises
    ------
    QuantizationError
        The arrays do not belong together or a value is out of range.

    Examples
    --------
    >>> fields = blocked_from_csr(
    ...     np.array([0, 1, 3]), np.array([1, 0, 1]), np.array([2, 4, 6]), n_source=2
    ... )
    >>> fields["pointers"].tolist(), fields["targets"].tolist(), fields["weights"].tolist()
    ([[0, 1, 3]], [1, 0, 1], [4, 2, 6])
    """
    indptr, indices = np.asarray(indptr, dtype=np.int64), np.asarray(indices)
    _check_csr(indptr, indices, weights, delays, n_source=n_source, block=block)
    from .kernels import _build

    pointers = np.zeros((max(1, -(-(indptr.size - 1) // block)), n_source + 1), dtype=np.int64)
    _build.count_rows(indptr, indices, block, pointers)
    _build.chain(pointers)
    targets = np.empty(indices.size, dtype=np.uint16)
    _build.place_targets(indptr, indices, block, pointers, targets)

    def placed(values: NDArray[Any], dtype: type[np.generic]) -> NDArray[Any]:
        out = np.empty(indices.size, dtype=dtype)
        _build.place_rows(indptr, indices, np.asarray(values), block, pointers, out)
        return _frozen(out)

    return {
        "block": block,
        "pointers": _frozen(pointers),
        "targets": _frozen(targets),
        "weights": placed(weights, _narrowest(np.asarray(weights))),
        "delays": None if delays is None else placed(delays, np.uint8),
    }


def random_sparse_synapse(
    source: str,
    target: str,
    *,
    n_source: int,
    n_target: int,
    fan_out: int,
    grid: ArrayLike = (-2, 2),
    seed: int = 0,
    block: int = BLOCK,
    weight_exp: int = 0,
    sign_mode: SignMode = "mixed",
) -> SparseSynapse:
    """Return random connections with the same fan-out for every source.

    Weights are drawn from ``grid`` with equal chances. The synapses of a source are shared among
    the blocks in proportion to their targets; within a block targets are independent, so that a
    pair may occur twice. A counter-based hash draws them: nothing but the result is ever held.

    Parameters
    ----------
    source, target : str
        Names of the ends.
    n_source, n_target : int
        Their sizes.
    fan_out : int
        Synapses per source.
    grid : sequence of int
        Weights to draw from.
    seed : int
        Same seed, same network.
    block : int, 1..65536
        Targets per block.
    weight_exp, sign_mode
        As in `SparseSynapse`.

    Returns
    -------
    SparseSynapse
        3 bytes per synapse where the grid fits into int8, and 8 per source and block.
    """
    from .kernels import _build

    values = np.asarray(grid, dtype=np.int64)
    pointers = np.zeros((-(-n_target // block), n_source + 1), dtype=np.int64)
    key = np.uint64(_build.mixed(np.uint64(seed)))
    _build.random_counts(key, n_target, fan_out, block, pointers)
    _build.chain(pointers)
    total = int(pointers[-1, -1])
    targets = np.empty(total, dtype=np.uint16)
    weights = np.empty(total, dtype=_narrowest(values))
    _build.random_fill(
        key, n_target, block, pointers, values.astype(weights.dtype), targets, weights
    )
    return SparseSynapse(
        source=source,
        target=target,
        block=block,
        pointers=_frozen(pointers),
        targets=_frozen(targets),
        weights=_frozen(weights),
        weight_exp=weight_exp,
        sign_mode=sign_mode,
    )


def _frozen(array: NDArray[Any]) -> NDArray[Any]:
    """Make an array read-only: a configuration then takes it without a copy."""
    array.setflags(write=False)
    return array


def _narrowest(weights: NDArray[Any]) -> type[np.int8] | type[np.int16]:
    fits = not weights.size or (int(weights.min()) >= -128 and int(weights.max()) <= 127)
    return np.int8 if fits else np.int16


def _check_csr(
    indptr: NDArray[Any],
    indices: NDArray[Any],
    weights: NDArray[Any],
    delays: NDArray[Any] | None,
    *,
    n_source: int,
    block: int,
) -> None:
    """Refuse what a compiled loop would read or write beyond an array."""
    size = indices.size
    problems = []
    if not 1 <= block <= 65536:
        problems.append(f"block is {block}, must be in 1..65536")
    if indptr.ndim != 1 or not indptr.size or indptr[0] != 0 or indptr[-1] != size:
        problems.append(f"indptr does not run from 0 to the {size} indices")
    elif np.any(indptr[1:] < indptr[:-1]):
        problems.append("indptr falls")
    if size and (int(indices.min()) < 0 or int(indices.max()) >= n_source):
        problems.append(
            f"indices are {indices.min()}..{indices.max()}, there are {n_source} sources"
        )
    for name, values, least, most in (
        ("weights", weights, -256, 255),
        ("delays", delays, 0, 255),
    ):
        if values is None:
            continue
        array = np.asarray(values)
        if array.shape != (size,) or array.dtype.kind not in "iu":
            problems.append(f"{name} are {array.dtype} {array.shape}, expected {size} integers")
        elif size and (int(array.min()) < least or int(array.max()) > most):
            problems.append(f"{name} are {array.min()}..{array.max()}, allowed are {least}..{most}")
    if problems:
        raise QuantizationError(
            "loihi: sparse synapses: " + "; ".join(problems) + "; pass the arrays of one CSR matrix"
        )
