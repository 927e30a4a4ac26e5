"""Neurons with a leak: firing, reading out, and trained by adjoint equations."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Unpack

from ._handles import LIFObservables, LIObservables
from ._layer import Input, NeuronLayer, default_capacitance
from ._readout import RecordOptions, RecordSettings

if TYPE_CHECKING:
    from ._experiment import Experiment


class LIF(NeuronLayer[LIFObservables]):
    """Leaky integrate-and-fire neurons with current-based synapses.

    Every value may be a number, an array (size,), or a parameter with separate values for model and
    chip. Times are in s.

    Parameters
    ----------
    size : int
        Number of neurons.
    experiment : Experiment
        To which they belong.
    leak, reset, threshold : value
        Potentials: model units, and LSB of the CADC on the chip.
    tau_mem, tau_syn : value
        Time constants.
    i_synin_gm, synapse_dac_bias : value
        Strength of the chip's synaptic inputs, codes.
    membrane_capacitance : value, optional
        Of the model in s, of the chip a code 0..63; 10 us and 63 by default.
    refractory_time : value
        At 0, none in the model.
    holdoff_time : value
        Between reset and release, on the chip.
    method : str
        Surrogate gradient; there is ``"superspike"``.
    alpha : float
        Its steepness.
    **recording
        See `ranvier_bss2.nn.RecordOptions`.

    References
    ----------
    hxtorch @3bfc7aa, spiking modules; the numerics are those of `ranvier_bss2.numerics`.
    """

    kind: ClassVar[str] = "lif"
    observables: ClassVar[type[LIFObservables]] = LIFObservables

    def __init__(
        self,
        size: int,
        experiment: Experiment,
        *,
        leak: Input = 80.0,
        reset: Input = 80.0,
        threshold: Input = 125.0,
        tau_mem: Input = 10e-6,
        tau_syn: Input = 10e-6,
        i_synin_gm: Input = 500.0,
        membrane_capacitance: Input | None = None,
        refractory_time: Input = 1e-6,
        synapse_dac_bias: Input = 600.0,
        holdoff_time: Input = 0.0,
        method: str = "superspike",
        alpha: float = 50.0,
        **recording: Unpack[RecordOptions],
    ) -> None:
        parameters = {
            "leak": leak,
            "reset": reset,
            "threshold": threshold,
            "tau_mem": tau_mem,
            "tau_syn": tau_syn,
            "i_synin_gm": i_synin_gm,
            "membrane_capacitance": _or_default(membrane_capacitance),
            "refractory_time": refractory_time,
            "synapse_dac_bias": synapse_dac_bias,
            "holdoff_time": holdoff_time,
        }
        super().__init__(
            size,
            experiment,
            switches=("leaky", "fire"),
            parameters=parameters,
            recording=RecordSettings(**recording),
            alpha=alpha,
            method=method,
        )


class EventPropLIF(LIF):
    """LIF neurons behind `EventPropSynapse`, with the gradients of the adjoint system at spikes.

    The model has ``capacitance = tau_mem`` and no refractory time. Parameters as `LIF`; ``alpha``
    is not used. From a chip, the current is None.

    References
    ----------
    T. Wunderlich, C. Pehle, Sci. Rep. 11 (2021); hxtorch @3bfc7aa.
    """

    kind: ClassVar[str] = "eventprop"
    exact_capacitance: ClassVar[bool] = True


class LI(NeuronLayer[LIObservables]):
    """Leaky integrators: neurons that do not fire, read out by their membrane.

    Parameters
    ----------
    size : int
        Number of neurons.
    experiment : Experiment
        To which they belong.
    leak, tau_mem, tau_syn, i_synin_gm, membrane_capacitance, synapse_dac_bias
        As `LIF`.
    **recording
        See `ranvier_bss2.nn.RecordOptions`.
    """

    kind: ClassVar[str] = "li"
    observables: ClassVar[type[LIObservables]] = LIObservables

    def __init__(
        self,
        size: int,
        experiment: Experiment,
        *,
        leak: Input = 80.0,
        tau_mem: Input = 10e-6,
        tau_syn: Input = 10e-6,
        i_synin_gm: Input = 500.0,
        membrane_capacitance: Input | None = None,
        synapse_dac_bias: Input = 600.0,
        **recording: Unpack[RecordOptions],
    ) -> None:
        parameters = {
            "leak": leak,
            "tau_mem": tau_mem,
            "tau_syn": tau_syn,
            "i_synin_gm": i_synin_gm,
            "membrane_capacitance": _or_default(membrane_capacitance),
            "synapse_dac_bias": synapse_dac_bias,
        }
        super().__init__(
            size,
            experiment,
            switches=("leaky",),
            parameters=parameters,
            recording=RecordSettings(**recording),
        )


def _or_default(capacitance: Input | None) -> Input:
    return default_capacitance() if capacitance is None else capacitance
