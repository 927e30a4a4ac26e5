"""The registers of a Xylo chip: integer arrays, checked against the limits of the target."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import model_validator

from ranvier.artifacts import Array
from ranvier.errors import RanvierError

from . import _checks
from .origin import OriginFields, origin_problems
from .targets import Limits, limits_of

if TYPE_CHECKING:
    from .kernels import CoreArrays

Readout = Literal["spikes", "v_mem", "i_syn"]

_DTYPES: dict[str, type[np.integer[Any]]] = {
    "weights_in": np.int8,
    "weights_rec": np.int8,
    "weights_out": np.int8,
    "dash_mem": np.uint8,
    "dash_syn": np.uint8,
    "dash_mem_out": np.uint8,
    "dash_syn_out": np.uint8,
    "threshold": np.int16,
    "threshold_out": np.int16,
    "bias": np.int16,
    "bias_out": np.int16,
    "aliases": np.int16,
}


class XyloConfig(OriginFields):
    """What `ranvier.quantize` writes for a Xylo target.

    Sizes: ``n_in`` input channels, ``n_hid`` hidden neurons, the first ``n_ien`` of which may
    receive input and the last ``n_oen`` of which may drive outputs, ``n_out`` output neurons,
    ``S`` synapses per hidden neuron (1 or 2).

    Parameters
    ----------
    weights_in : array of int8, (n_in, n_ien, S)
        Columns are the hidden neurons 0..n_ien-1.
    weights_rec : array of int8, (n_hid, n_hid, S)
        Source, target, synapse.
    weights_out : array of int8, (n_oen, n_out)
        Rows are the last ``n_oen`` hidden neurons.
    weight_shift_in, weight_shift_rec, weight_shift_out : int, 0..7
        Left shift of all weights of a class.
    dash_mem, dash_syn, dash_mem_out, dash_syn_out : array of uint8, 1..15
        Decay shifts, ``(n_hid,)``, ``(n_hid, S)``, ``(n_out,)``, ``(n_out,)``: a state loses
        ``1/2**dash`` of itself per step.
    threshold, threshold_out : array of int16, (n_hid,) and (n_out,), 1..32767
        Firing thresholds; 32767 stands for an output that never fires.
    bias, bias_out : array of int16, (n_hid,) and (n_out,), -128..127
        Added to the membrane in every step; zero on a target without bias.
    aliases : array of int16, (n_hid,)
        Hidden neuron that receives a copy of this neuron's spikes, with a higher id; -1 for none.
    readout : {"spikes", "v_mem", "i_syn"}
        What the output neurons show.
    v_lsb, v_lsb_out, v_offset_out : array, (n_hid,), (n_out,), (n_out,)
        Model units per membrane count, and what to add to an output's membrane.
    i_lsb, i_lsb_out : array, (n_hid, S) and (n_out,)
        Model units per count of the synaptic currents.
    origin_* : array or None
        The float network behind the integers, see `OriginFields`.
    target, dt, input_shapes, node_shapes, outputs, placement, latency, diagnostics, provenance
        As in `ranvier.artifacts.ChipConfig`.

    Raises
    ------
    pydantic.ValidationError
        Shapes, ranges and limits of the target; all problems in one error.
    """

    schema_version: ClassVar[int] = 1

    weights_in: Array
    weights_rec: Array
    weights_out: Array
    weight_shift_in: int = 0
    weight_shift_rec: int = 0
    weight_shift_out: int = 0
    dash_mem: Array
    dash_syn: Array
    dash_mem_out: Array
    dash_syn_out: Array
    threshold: Array
    threshold_out: Array
    bias: Array
    bias_out: Array
    aliases: Array
    readout: Readout = "spikes"
    v_lsb: Array
    v_lsb_out: Array
    v_offset_out: Array
    i_lsb: Array
    i_lsb_out: Array

    @model_validator(mode="after")
    def _check(self) -> Self:
        try:
            limits = limits_of(self.target)
        except RanvierError as error:
            raise ValueError(str(error)) from error
        problems = _checks.shape_problems(self, synapses=limits.synapses_per_hidden_neuron)
        if not problems:
            problems = _checks.range_problems(self, limits)
            problems += _checks.limit_problems(self, limits)
            problems += _checks.placement_problems(self)
            problems += origin_problems(self)
        if problems:
            raise ValueError(f"{self.target}: " + "; ".join(problems))
        for name, dtype in _DTYPES.items():
            object.__setattr__(self, name, _frozen(getattr(self, name), dtype))
        return self

    @property
    def limits(self) -> Limits:
        """Limits of the target."""
        return limits_of(self.target)

    @property
    def n_in(self) -> int:
        """Number of input channels."""
        return int(self.weights_in.shape[0])

    @property
    def n_ien(self) -> int:
        """Number of hidden neurons, from id 0, that may receive input."""
        return int(self.weights_in.shape[1])

    @property
    def n_hid(self) -> int:
        """Number of hidden neurons."""
        return int(self.threshold.shape[0])

    @property
    def n_oen(self) -> int:
        """Number of hidden neurons, up to the last id, that may drive outputs."""
        return int(self.weights_out.shape[0])

    @property
    def n_out(self) -> int:
        """Number of output neurons."""
        return int(self.threshold_out.shape[0])

    @property
    def n_synapses(self) -> int:
        """Synapses per hidden neuron, 1 or 2."""
        return int(self.dash_syn.shape[1])

    @property
    def bias_enabled(self) -> bool:
        """Whether any bias is nonzero."""
        return bool(np.any(self.bias) or np.any(self.bias_out))

    @property
    def aliases_enabled(self) -> bool:
        """Whether any neuron has an alias."""
        return bool(np.any(self.aliases >= 0))

    @property
    def recurrent_pairs(self) -> NDArray[np.bool_]:
        """Which pairs of hidden neurons are connected, (n_hid, n_hid); both synapses count once."""
        return np.asarray(np.any(self.weights_rec != 0, axis=2))

    def core_arrays(self) -> CoreArrays:
        """Return the registers as the integer core takes them."""
        from .kernels import CoreArrays

        dash_syn = np.repeat(self.dash_syn, 2 // self.n_synapses, axis=1)
        return CoreArrays(
            weights_in=self.weights_in,
            weights_rec=self.weights_rec,
            weights_out=self.weights_out,
            threshold=self.threshold,
            threshold_out=self.threshold_out,
            dash_mem=self.dash_mem,
            dash_mem_out=self.dash_mem_out,
            dash_syn=dash_syn,
            dash_syn_out=self.dash_syn_out,
            bias=self.bias,
            bias_out=self.bias_out,
            aliases=self.aliases,
            weight_shift_in=self.weight_shift_in,
            weight_shift_rec=self.weight_shift_rec,
            weight_shift_out=self.weight_shift_out,
            version=self.limits.core_version,
        )

    def summary(self) -> str:
        """Return a readable overview with the resources in use."""
        limits, fan_out = self.limits, self.recurrent_pairs.sum(axis=1)
        shifts = (self.weight_shift_in, self.weight_shift_rec, self.weight_shift_out)
        rows = [
            f"XyloConfig for {self.target}, dt = {self.dt:g} s, readout {self.readout}",
            f"  input channels     {self.n_in} of {limits.input_channels}",
            f"  hidden neurons     {self.n_hid} of {limits.hidden_neurons}"
            f" ({self.n_ien} with input, {self.n_oen} with output, {self.n_synapses} synapse(s))",
            f"  output neurons     {self.n_out} of {limits.output_neurons}",
            f"  recurrent weights  {int(fan_out.sum())} of {limits.recurrent_weights}"
            f" (fan-out {int(fan_out.max(initial=0))} of {limits.fan_out})",
            f"  weight shifts      in {shifts[0]}, recurrent {shifts[1]}, out {shifts[2]}",
            f"  aliases            {int((self.aliases >= 0).sum())}",
        ]
        return "\n".join([*rows, *(f"  {d}" for d in self.diagnostics)])


def _frozen(values: NDArray[Any], dtype: type[np.integer[Any]]) -> NDArray[Any]:
    array = np.array(values, dtype=dtype)
    array.setflags(write=False)
    return array
