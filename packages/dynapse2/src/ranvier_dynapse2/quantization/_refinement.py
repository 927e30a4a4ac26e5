"""Masks chosen on the drive that the neurons of a core have on calibration spikes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ..network import Floats, Ints
from ..nodes import PORTS
from ..weights import refine_masks
from ._connections import n_groups_of
from ._task import Task
from ._weights import CoreWeights

INHIBITORY = tuple(PORTS.index(name) for name in ("gaba", "shunt"))


@dataclass(frozen=True, eq=False)
class Drive:
    """What arrives at the synapses.

    Parameters
    ----------
    raster : array, (samples * time, n_groups)
        Spikes of every group of sources when they act: those of neurons one step later.
    """

    raster: Floats

    @classmethod
    def of(cls, counts: NDArray[Any], spikes: NDArray[Any], task: Task) -> Self:
        """Build it from spikes of the channels and neurons of the float network.

        Parameters
        ----------
        counts : array of int, (batch, time, channels)
        spikes : array of int, (batch, time, N)
        task : Task
        """
        later = np.zeros_like(spikes)
        later[:, 1:] = spikes[:, :-1]
        arriving = np.concatenate([counts, later], axis=2)
        group = task.network.group
        raster = np.zeros((n_groups_of(task), arriving.shape[0] * arriving.shape[1]))
        driving = np.flatnonzero(group >= 0)
        flat = arriving.reshape(-1, arriving.shape[2]).T
        np.add.at(raster, group[driving], flat[driving])
        return cls(np.ascontiguousarray(raster.T))


def refined_masks(
    made: CoreWeights, drive: Drive, *, penalty: float, task: Task
) -> NDArray[np.uint8]:
    """Return masks of a core whose drive is closer to the wanted one on calibration spikes.

    Parameters
    ----------
    made : CoreWeights
        Masks to start from, and base currents, which stay.
    drive : Drive
    penalty : float
        Price of a changed weight, >= 0.
    task : Task

    Returns
    -------
    array of uint8, (n,)
        A synapse whose mask was 0 may get one, and the other way round.
    """
    network = task.network
    wanted = network.synapse_weight[made.synapses]
    row, column, sign, groups = _matrix(made.synapses, task)
    shape = groups.size, int(column.max(initial=-1)) + 1
    weights, masks = np.zeros(shape), np.zeros(shape, dtype=np.uint8)
    weights[row, column] = sign * wanted
    masks[row, column] = made.masks
    refined = refine_masks(
        drive.raster[:, groups],
        weights,
        masks,
        bases=made.bases / made.i_scale,
        weight_penalty=penalty,
    )
    return np.asarray(refined.masks[row, column])


def _matrix(synapses: Ints, task: Task) -> tuple[Ints, Ints, Floats, Ints]:
    """Return row, column and sign of every synapse, and the group of every row.

    All synapses of a neuron of the merged model make one sum; each port of the four-synapse model
    makes its own.
    """
    network = task.network
    group, port = network.synapse_group[synapses], network.synapse_port[synapses].astype(np.int64)
    _, target = np.unique(network.synapse_target[synapses], return_inverse=True)
    if network.model == "merged_synapse":
        keys, row = np.unique(group * len(PORTS) + port, return_inverse=True)
        sign = np.where(np.isin(port, INHIBITORY), -1.0, 1.0)
        return row, target, sign, keys // len(PORTS)
    groups, row = np.unique(group, return_inverse=True)
    _, column = np.unique(target * len(PORTS) + port, return_inverse=True)
    return row, column, np.ones(port.size), groups
