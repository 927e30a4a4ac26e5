"""What a board offers to a placement: limits, usable tags and usable CAM entries."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ranvier.errors import InputError

from ..targets import Limits

Bools = NDArray[np.bool_]
_MASK_BITS = 4
_SIZES = (
    "chips",
    "cores_per_chip",
    "neurons_per_core",
    "synapses_per_neuron",
    "destinations",
    "tags",
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Budget:
    """Size of the board, and what of it may be used.

    Parameters
    ----------
    chips, cores_per_chip, neurons_per_core, synapses_per_neuron : int
        Sizes, >= 1; at most 4 cores per chip.
    destinations : int
        Packets that one spike may send: SRAM words of a neuron; a monitored one has one less.
    tags : int
        Different tags.
    tag_usable : array of bool, (chips, cores_per_chip, tags)
        Tags that the CAM of a core tells apart reliably.
    cam_usable : array of bool, (chips, cores_per_chip, neurons_per_core, synapses_per_neuron)
        CAM entries that may be used.
    fewest_chips : bool
        Whether chips stay empty when fewer of them can hold the network.

    Raises
    ------
    InputError
        A number is out of range or an array has another shape; all are named at once.
    """

    chips: int
    cores_per_chip: int
    neurons_per_core: int
    synapses_per_neuron: int
    destinations: int
    tags: int
    tag_usable: Bools
    cam_usable: Bools
    fewest_chips: bool = True

    def __post_init__(self) -> None:
        bad = [f"{n} = {getattr(self, n)} (>= 1)" for n in _SIZES if getattr(self, n) < 1]
        if self.cores_per_chip > _MASK_BITS:
            bad.append(f"cores_per_chip = {self.cores_per_chip} (<= {_MASK_BITS})")
        for name, shape in self._shapes().items():
            if getattr(self, name).shape != shape:
                bad.append(f"{name} has shape {getattr(self, name).shape} (must be {shape})")
        if bad:
            raise InputError(f"dynapse2: budget: {', '.join(bad)}; correct these options")

    def _shapes(self) -> dict[str, tuple[int, ...]]:
        cores = (self.chips, self.cores_per_chip)
        return {
            "tag_usable": (*cores, self.tags),
            "cam_usable": (*cores, self.neurons_per_core, self.synapses_per_neuron),
        }

    @classmethod
    def of(
        cls,
        limits: Limits,
        *,
        chips: int,
        tag_pool: ArrayLike | None = None,
        cam_usable: ArrayLike | None = None,
        fewest_chips: bool = True,
    ) -> Budget:
        """Return the budget of a board.

        Parameters
        ----------
        limits : Limits
            Of the target.
        chips : int
            Chips of the board.
        tag_pool : array of bool, (tags,), (4, tags) or (chips, 4, tags), or None
            Usable tags, of every core, of the cores of every chip, or of each core; None: all.
        cam_usable : array of bool, (64,), (256, 64), (4, 256, 64) or (chips, 4, 256, 64), or None
            Usable CAM entries, completed in the same way; None: all.
        fewest_chips : bool
            Whether chips stay empty when fewer of them can hold the network.

        Raises
        ------
        InputError
            Chips out of range, or an array of another shape.

        Examples
        --------
        >>> from ranvier_dynapse2.targets import limits_of
        >>> Budget.of(limits_of("dynapse2"), chips=2).cores
        8
        """
        if not 1 <= chips <= limits.chips:
            raise InputError(
                f"dynapse2: budget: {chips} chips, a board has 1 to {limits.chips}; choose one of "
                "these sizes"
            )
        cores = (chips, limits.cores_per_chip)
        cams = (*cores, limits.neurons_per_core, limits.synapses_per_neuron)
        return cls(
            chips=chips,
            cores_per_chip=limits.cores_per_chip,
            neurons_per_core=limits.neurons_per_core,
            synapses_per_neuron=limits.synapses_per_neuron,
            destinations=limits.destinations_per_neuron,
            tags=limits.tags,
            tag_usable=_completed("tag_pool", tag_pool, (*cores, limits.tags)),
            cam_usable=_completed("cam_usable", cam_usable, cams),
            fewest_chips=fewest_chips,
        )

    def on(self, chips: int) -> Budget:
        """Return the budget of the first chips alone."""
        return dataclasses.replace(
            self,
            chips=chips,
            tag_usable=self.tag_usable[:chips],
            cam_usable=self.cam_usable[:chips],
        )

    @property
    def cores(self) -> int:
        """Cores of the board."""
        return self.chips * self.cores_per_chip

    @property
    def tags_per_core(self) -> NDArray[np.int64]:
        """Usable tags of every core, (cores,)."""
        counts: NDArray[np.int64] = self.tag_usable.sum(axis=2, dtype=np.int64)
        return counts.ravel()

    @property
    def entries_per_slot(self) -> NDArray[np.int64]:
        """Usable CAM entries of every neuron slot, (cores, neurons_per_core)."""
        counts: NDArray[np.int64] = self.cam_usable.sum(axis=3, dtype=np.int64)
        return counts.reshape(self.cores, self.neurons_per_core)

    def words(self, monitored: ArrayLike) -> NDArray[np.int64]:
        """Return the packets that a spike of each neuron may send into the network.

        Parameters
        ----------
        monitored : array of bool, (n,)
            Neurons that spend one word on reporting their spikes.
        """
        watched = np.asarray(monitored, dtype=np.bool_)
        words: NDArray[np.int64] = self.destinations - watched.astype(np.int64)
        return words


def errata_tags(limits: Limits) -> Bools:
    """Return the tags that scripts of a laboratory found reliable on their boards, (4, tags).

    Parameters
    ----------
    limits : Limits
        Of the target.

    Returns
    -------
    array of bool, (4, tags)
        A pool for `Budget.of`; the same for every chip.

    References
    ----------
    Aramatos/dynapse2_adaptation, lib/dynapse2_network.py: tags that cores 0..3 tell apart.
    """
    pool = np.zeros((limits.cores_per_chip, limits.tags), dtype=np.bool_)
    tag = np.arange(limits.tags)
    pool[0] = True
    pool[1] = tag >= 512
    pool[2] = (tag >= 1032) & ((tag - 1032) % 16 < 8)
    pool[3] = (tag < 1024) | (tag >= 1280)
    return pool


def _completed(name: str, usable: ArrayLike | None, shape: tuple[int, ...]) -> Bools:
    if usable is None:
        return np.ones(shape, dtype=np.bool_)
    array = np.asarray(usable)
    if array.dtype != np.bool_ or array.shape != shape[len(shape) - array.ndim :]:
        raise InputError(
            f"dynapse2: budget: {name} is {array.dtype} of shape {array.shape}, must be bool of "
            f"shape {shape}; leading axes may be left out"
        )
    return np.broadcast_to(array, shape).copy()
