"""Synapse processes: weights as the chip holds them."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from ranvier.artifacts import Array

SignMode = Literal["mixed", "excitatory", "inhibitory"]
BLOCK = 1 << 16
"""Targets of one block of a `SparseSynapse` built here: their states fit the second cache."""


class SynapseBase(BaseModel):
    """What all synapses have.

    The input of a step arrives one step later: ``acc = sum of weights * message``, then
    ``acc << weight_exp`` or, for a negative exponent, ``acc >> -weight_exp`` (floor).

    Parameters
    ----------
    source, target : str
        Input node or population, and population.
    port : {"in", "re", "im"}
        Which input of the target.
    weight_exp : int
        Exponent of all weights.
    num_weight_bits : int, 1..8
        Bits of a weight, sign apart in mode "mixed".
    sign_mode : {"mixed", "excitatory", "inhibitory"}
        In mode "mixed" weights are -256..254 and multiples of ``2**(9 - num_weight_bits)``; else
        magnitudes are 0..255, multiples of ``2**(8 - num_weight_bits)``.
    num_message_bits : int
        0: any message counts as one; else its value counts.
    axon_delay : array of int, (1,) or (n_source,), 0..62
        Further steps per source.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    source: str
    target: str
    port: Literal["in", "re", "im"] = "in"
    weight_exp: int = 0
    num_weight_bits: int = Field(8, ge=1, le=8)
    sign_mode: SignMode = "mixed"
    num_message_bits: int = Field(0, ge=0, le=32)
    axon_delay: Array = Field(default_factory=lambda: np.array([0]))


class DenseSynapse(SynapseBase):
    """A full matrix.

    Parameters
    ----------
    source, target, port, weight_exp, num_weight_bits, sign_mode, num_message_bits, axon_delay
        As `SynapseBase`.
    weights : array of int16, (n_target, n_source)
        After clipping and truncation.
    delays : array of uint8, (n_target, n_source), or None
        Further steps per synapse, 0..62 together with the axon's.
    """

    kind: Literal["dense"] = "dense"
    weights: Array
    delays: Array | None = None


class SparseSynapse(SynapseBase):
    """Some synapses, in blocks of targets; within a block sorted by source.

    Parameters
    ----------
    source, target, port, weight_exp, num_weight_bits, sign_mode, num_message_bits, axon_delay
        As `SynapseBase`.
    block : int, 1..65536
        Targets per block; block b holds the targets from ``b * block`` on.
    pointers : array of int64, (n_blocks, n_source + 1)
        Where the synapses of each source in each block begin.
    targets : array of uint16, (n_synapses,)
        Target within its block.
    weights : array of int8 or int16, (n_synapses,)
        After clipping and truncation.
    delays : array of uint8, (n_synapses,), or None
        Further steps per synapse.
    """

    kind: Literal["sparse"] = "sparse"
    block: int = Field(BLOCK, ge=1, le=65536)
    pointers: Array
    targets: Array
    weights: Array
    delays: Array | None = None


class ConvSynapse(SynapseBase):
    """A cross-correlation, as in torch; the result wraps at 24 bits, ``weight_exp`` is 0.

    Parameters
    ----------
    source, target, port, weight_exp, num_weight_bits, sign_mode, num_message_bits, axon_delay
        As `SynapseBase`.
    weights : array of int16, (c_out, c_in / groups, kh, kw)
        Kernels.
    input_shape : tuple of int
        (c_in, h, w) of the source.
    stride, padding, dilation : pair of int
        As in torch, (h, w).
    groups : int
        Groups of channels.
    """

    kind: Literal["conv"] = "conv"
    weights: Array
    input_shape: tuple[int, int, int]
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)
    dilation: tuple[int, int] = (1, 1)
    groups: int = Field(1, ge=1)

    @property
    def output_shape(self) -> tuple[int, int, int]:
        """(c_out, h_out, w_out)."""
        h, w = (
            (n + 2 * p - d * (k - 1) - 1) // s + 1
            for n, k, s, p, d in zip(
                self.input_shape[1:],
                self.weights.shape[2:],
                self.stride,
                self.padding,
                self.dilation,
                strict=True,
            )
        )
        return (int(self.weights.shape[0]), h, w)


Synapse = Annotated[DenseSynapse | SparseSynapse | ConvSynapse, Field(discriminator="kind")]
"""One connection between an input or population and a population."""
