"""What a board offers to a placement: the limits of a core, options included."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from ranvier.errors import InputError

from ..targets import Limits


@dataclass(frozen=True, kw_only=True)
class Budget:
    """Limits of one core and the size of the board.

    Parameters
    ----------
    chips, cores_per_chip : int
        Size of the board, >= 1.
    neurons : int
        Most neurons of a core.
    axons_in : int
        Most distinct sources (neurons or input channels) with a synapse on a core.
    axons_out : int
        Most pairs of a neuron of the core and another core that it reaches, its own included.
    synapse_words, bits_per_word : int
        Synaptic memory of a core.
    bits_per_synapse, overhead_bits_per_axon : int
        The synapses of one axon on one core from one connection take
        ``ceil((n * bits_per_synapse + overhead_bits_per_axon) / bits_per_word)`` words.
    groups, thresholds : int
        Most different sets of neuron parameters, and of thresholds, on a core.
    convolution_shared : bool
        Whether a core keeps the kernel of a convolution once, instead of its synapses.

    Raises
    ------
    InputError
        A number is out of range; all are named at once.
    """

    chips: int
    cores_per_chip: int
    neurons: int
    axons_in: int
    axons_out: int
    synapse_words: int
    bits_per_word: int
    bits_per_synapse: int
    overhead_bits_per_axon: int
    groups: int
    thresholds: int
    convolution_shared: bool

    def __post_init__(self) -> None:
        lowest = {"overhead_bits_per_axon": 0}
        values = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        bad = [
            f"{name} = {value!r} (must be >= {lowest.get(name, 1)})"
            for name, value in values.items()
            if name != "convolution_shared" and value < lowest.get(name, 1)
        ]
        if bad:
            raise InputError(f"loihi: budget: {', '.join(bad)}; correct these options")

    @classmethod
    def of(cls, limits: Limits, *, chips: int, **overrides: Any) -> Budget:
        """Return the budget of a board.

        Parameters
        ----------
        limits : Limits
            Of the target.
        chips : int
            Chips of the board.
        **overrides
            Fields of `Budget` that differ from the target's; None leaves a field as it is.

        Raises
        ------
        InputError
            An override is no field, or out of range.

        Examples
        --------
        >>> from ranvier_loihi.targets import limits_of
        >>> Budget.of(limits_of("loihi2"), chips=8, neurons=2048).cores
        960
        """
        fields: dict[str, Any] = {
            "chips": chips,
            "cores_per_chip": limits.cores_per_chip,
            "neurons": limits.neurons_per_core,
            "axons_in": limits.axons_in_per_core,
            "axons_out": limits.axons_out_per_core,
            "synapse_words": limits.synapse_words_per_core,
            "bits_per_word": limits.bits_per_word,
            "bits_per_synapse": limits.weight_bits_max + limits.overhead_bits_per_synapse,
            "overhead_bits_per_axon": limits.overhead_bits_per_axon,
            "groups": limits.groups_per_core,
            "thresholds": limits.thresholds_per_core,
            "convolution_shared": limits.convolution_shared,
        }
        unknown = sorted(set(overrides) - set(fields))
        if unknown:
            raise InputError(f"loihi: budget: no field {unknown}; fields: {', '.join(fields)}")
        return cls(**{**fields, **{k: v for k, v in overrides.items() if v is not None}})

    @property
    def cores(self) -> int:
        """Cores of the board."""
        return self.chips * self.cores_per_chip

    def words(self, synapses: int) -> int:
        """Return the words that the synapses of one axon take on one core."""
        bits = synapses * self.bits_per_synapse + self.overhead_bits_per_axon
        return -(-bits // self.bits_per_word)
