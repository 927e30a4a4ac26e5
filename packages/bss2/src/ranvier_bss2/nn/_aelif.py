"""Neurons with all terms, and those without a leak."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, Unpack

from .. import diagnostics as codes
from ..nodes import SWITCHES
from ._handles import AELIFObservables, LIFObservables
from ._layer import Input, NeuronLayer, default_capacitance
from ._module import input_error
from ._readout import RecordOptions, RecordSettings

if TYPE_CHECKING:
    from ._experiment import Experiment

Shown = Literal["voltage", "adaptation"]


class AELIF(NeuronLayer[AELIFObservables]):
    """Adaptive exponential leaky integrate-and-fire neurons, with five switches.

    Parameters
    ----------
    size : int
        Number of neurons.
    experiment : Experiment
        To which they belong.
    leaky, fire, exponential, subthreshold_adaptation, spike_triggered_adaptation : bool
        Terms that are there.
    leak, reset, threshold, tau_mem, tau_syn, i_synin_gm, membrane_capacitance, refractory_time
        As `LIF`.
    synapse_dac_bias, holdoff_time, method, alpha
        As `LIF`.
    exponential_slope, exponential_threshold : value
        Of the exponential term, model units, the slope > 0.
    subthreshold_adaptation_strength, spike_triggered_adaptation_increment : value
        Model units.
    clock_scale_adaptation_pulse : tuple of int
        Length of the chip's adaptation pulses, 0..15 each; only a real chip uses it.
    tau_adap : value
        Time constant of the adaptation.
    leak_adaptation : value, optional
        Membrane at which the adaptation rests; the leak by default.
    cadc_readout, madc_readout : {"voltage", "adaptation"}
        What converters sample. Only the numeric backend has ``"adaptation"``: the others refuse
        it, and give the adaptation that the model has around the records of a chip.
    **recording
        See `ranvier_bss2.nn.RecordOptions`.

    References
    ----------
    hxtorch @3bfc7aa, spiking modules; Billaudelle et al., arXiv 2209.09280.
    """

    kind: ClassVar[str] = "aelif"
    observables: ClassVar[type[AELIFObservables]] = AELIFObservables

    def __init__(
        self,
        size: int,
        experiment: Experiment,
        *,
        leaky: bool = True,
        fire: bool = True,
        exponential: bool = True,
        subthreshold_adaptation: bool = True,
        spike_triggered_adaptation: bool = True,
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
        exponential_slope: Input = 50e-3,
        exponential_threshold: Input = 110.0,
        subthreshold_adaptation_strength: Input = 1.0,
        spike_triggered_adaptation_increment: Input = 1.0,
        clock_scale_adaptation_pulse: tuple[int, int] = (5, 5),
        tau_adap: Input = 100e-6,
        leak_adaptation: Input | None = None,
        method: str = "superspike",
        alpha: float = 50.0,
        cadc_readout: Shown = "voltage",
        madc_readout: Shown = "voltage",
        **recording: Unpack[RecordOptions],
    ) -> None:
        on = (leaky, fire, exponential, subthreshold_adaptation, spike_triggered_adaptation)
        parameters: dict[str, Any] = {
            "leak": leak,
            "reset": reset,
            "threshold": threshold,
            "tau_mem": tau_mem,
            "tau_syn": tau_syn,
            "i_synin_gm": i_synin_gm,
            "membrane_capacitance": (
                default_capacitance() if membrane_capacitance is None else membrane_capacitance
            ),
            "refractory_time": refractory_time,
            "synapse_dac_bias": synapse_dac_bias,
            "holdoff_time": holdoff_time,
            "exponential_slope": exponential_slope,
            "exponential_threshold": exponential_threshold,
            "subthreshold_adaptation_strength": subthreshold_adaptation_strength,
            "spike_triggered_adaptation_increment": spike_triggered_adaptation_increment,
            "tau_adap": tau_adap,
        }
        if leak_adaptation is not None:
            parameters["leak_adaptation"] = leak_adaptation
        super().__init__(
            size,
            experiment,
            switches=tuple(s for s, there in zip(SWITCHES, on, strict=True) if there),
            parameters=parameters,
            recording=RecordSettings(**recording),
            alpha=alpha,
            method=method,
        )
        self.clock_scale_adaptation_pulse = clock_scale_adaptation_pulse
        self.cadc_readout, self.madc_readout = cadc_readout, madc_readout
        self._check_readouts()

    @property
    def adapts(self) -> bool:
        """Whether there is an adaptation variable."""
        return any(s.endswith("adaptation") for s in self.switches)

    def _check_readouts(self) -> None:
        shown = (self.cadc_readout, self.madc_readout)
        bad: list[str] = [s for s in shown if s not in ("voltage", "adaptation")]
        if "adaptation" in shown and not self.adapts:
            bad.append("adaptation, of neurons that do not adapt")
        if bad or not all(0 <= k <= 15 for k in self.clock_scale_adaptation_pulse):
            text = f"readouts {bad}, pulse scales {self.clock_scale_adaptation_pulse}"
            hint = "read out 'voltage', or 'adaptation' where there is one; scales are 0..15"
            raise input_error(codes.BAD_CHOICE.at(self.name, text, hint=hint))


class IAF(NeuronLayer[LIFObservables]):
    """Integrate-and-fire neurons: no leak. The model's membrane starts at 0.

    Parameters
    ----------
    size, experiment, leak, reset, threshold, tau_mem, tau_syn, i_synin_gm, membrane_capacitance
        As `LIF`; leak and tau_mem are targets of the calibration only.
    refractory_time, synapse_dac_bias, holdoff_time, method, alpha, **recording
        As `LIF`.
    """

    kind: ClassVar[str] = "iaf"
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
        capacitance = membrane_capacitance
        super().__init__(
            size,
            experiment,
            switches=("fire",),
            parameters={
                "leak": leak,
                "reset": reset,
                "threshold": threshold,
                "tau_mem": tau_mem,
                "tau_syn": tau_syn,
                "i_synin_gm": i_synin_gm,
                "membrane_capacitance": (
                    default_capacitance() if capacitance is None else capacitance
                ),
                "refractory_time": refractory_time,
                "synapse_dac_bias": synapse_dac_bias,
                "holdoff_time": holdoff_time,
            },
            recording=RecordSettings(**recording),
            alpha=alpha,
            method=method,
        )
