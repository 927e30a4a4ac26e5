"""Node kinds of this plugin: layers of Loihi networks that the core's graph has no kind for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ranvier.errors import GraphError
from ranvier.graph import Neuron, Node, Shape, ShapedNode, SpikingNeuron, array


@dataclass(frozen=True, kw_only=True, eq=False)
class InputLayer(SpikingNeuron):
    """Neurons that are driven through their bias: ``V[t] = alpha V[t-1] + weight x[t] + offset``.

    It turns real-valued input, an image for instance, into spikes. Defaults are Loihi's: reset to
    zero, strict comparison.

    Parameters
    ----------
    shape, v_rest, bias, decay
        As `ranvier.graph.Neuron`.
    threshold, reset, v_reset, refractory, max_spikes, comparison
        As `ranvier.graph.SpikingNeuron`.
    tau_mem : array
        Membrane time constant, in s, > 0.
    weight, offset : array
        Gain and offset of the input.

    References
    ----------
    lava-dl documentation, netx, layer type ``input``.
    """

    kind: ClassVar[str] = "loihi.input"
    states: ClassVar[tuple[str, ...]] = ("v_mem",)
    reset: str = "to_value"
    comparison: str = ">"
    tau_mem: NDArray[np.float64] = array(unit="s", minimum=0.0, exclusive=True)
    weight: NDArray[np.float64] = array(1.0)
    offset: NDArray[np.float64] = array(0.0)


@dataclass(frozen=True, kw_only=True, eq=False)
class Ternary(SpikingNeuron):
    """CUBA neuron that fires +1 above one threshold and -1 below another, reset to zero by both.

    Parameters
    ----------
    shape, v_rest, bias, decay
        As `ranvier.graph.Neuron`.
    threshold, reset, v_reset, refractory, max_spikes, comparison
        As `ranvier.graph.SpikingNeuron`.
    tau_mem, tau_syn : array
        Time constants, in s, > 0.
    threshold_low : array
        Lower threshold.

    References
    ----------
    Lava documentation, process ``TernaryLIF``.
    """

    kind: ClassVar[str] = "loihi.ternary"
    spiking: ClassVar[bool] = False  # emits -1, 0 or 1, which is no count
    states: ClassVar[tuple[str, ...]] = ("i_syn", "v_mem")
    reset: str = "to_value"
    comparison: str = ">"
    tau_mem: NDArray[np.float64] = array(unit="s", minimum=0.0, exclusive=True)
    tau_syn: NDArray[np.float64] = array(unit="s", minimum=0.0, exclusive=True)
    threshold_low: NDArray[np.float64] = array(-1.0)


@dataclass(frozen=True, kw_only=True, eq=False)
class Delta(Neuron):
    """Emits the change of its input once it reaches the threshold; the rest waits as residual.

    Per step: ``d = x - x[t-1] + residual``; ``out = d where |d| >= threshold else 0``;
    ``residual = d - out``.

    Parameters
    ----------
    shape, v_rest, bias, decay
        As `ranvier.graph.Neuron`.
    threshold : array
        Smallest change that is emitted, >= 0.

    References
    ----------
    Lava documentation, process ``Delta``.
    """

    kind: ClassVar[str] = "loihi.delta"
    states: ClassVar[tuple[str, ...]] = ("activation", "residual")
    threshold: NDArray[np.float64] = array(minimum=0.0)


@dataclass(frozen=True, kw_only=True, eq=False)
class Sigma(Neuron):
    """Emits the running sum of its input; the read-out of a sigma-delta network.

    Parameters
    ----------
    shape, v_rest, bias, decay
        As `ranvier.graph.Neuron`.

    References
    ----------
    Lava documentation, process ``Sigma``.
    """

    kind: ClassVar[str] = "loihi.sigma"
    states: ClassVar[tuple[str, ...]] = ("sigma",)


@dataclass(frozen=True, kw_only=True, eq=False)
class AdaptiveResonateAndFire(SpikingNeuron):
    """Resonator without reset whose threshold and refractory variable grow with every spike.

    The rotation is that of `ranvier.graph.ResonateAndFire`; per step::

        r  <- rho r;   th <- threshold + delta (th - threshold)
        phase:      S = re >= th + r and im >= 0 and im[t-1] < 0
        amplitude:  S = im >= th + r
        r  <- r + 2 th S;   th <- th + threshold_step S        (th before its own step)

    Parameters
    ----------
    shape, v_rest, bias, decay
        As `ranvier.graph.Neuron`.
    threshold, reset, v_reset, refractory, max_spikes, comparison
        As `ranvier.graph.SpikingNeuron`.
    frequency : array
        In Hz, > 0.
    tau : array
        Damping time constant, in s, > 0.
    threshold_step : array
        Rise of the threshold per spike, >= 0.
    tau_threshold, tau_refractory : array
        Time constants of ``delta`` and ``rho``, in s, > 0.
    trigger : {"phase", "amplitude"}
        When the neuron fires.

    References
    ----------
    lava-dl documentation, neurons ``adrf`` and ``adrf_iz``.
    """

    kind: ClassVar[str] = "loihi.adrf"
    states: ClassVar[tuple[str, ...]] = ("re", "im", "threshold", "refractory")
    frequency: NDArray[np.float64] = array(unit="Hz", minimum=0.0, exclusive=True)
    tau: NDArray[np.float64] = array(unit="s", minimum=0.0, exclusive=True)
    threshold_step: NDArray[np.float64] = array(0.1, minimum=0.0)
    tau_threshold: NDArray[np.float64] = array(unit="s", minimum=0.0, exclusive=True)
    tau_refractory: NDArray[np.float64] = array(unit="s", minimum=0.0, exclusive=True)
    trigger: str = "phase"

    def check(self) -> None:
        """Check the trigger."""
        super().check()
        self._one_of("trigger", ("phase", "amplitude"))

    @property
    def ports(self) -> tuple[str, ...]:
        """Real and imaginary input."""
        return ("re", "im")


@dataclass(frozen=True, kw_only=True, eq=False)
class Unpool(ShapedNode):
    """Every value repeated over a window: the transpose of a sum pool without overlap.

    Parameters
    ----------
    shape : tuple of int
        Input, (c, h, w).
    kernel_size : int or pair of int
        Window, >= 1; also the step between windows.

    References
    ----------
    lava-dl documentation, block ``Unpool``.
    """

    kind: ClassVar[str] = "loihi.unpool"
    kernel_size: Shape = (2, 2)

    def check(self) -> None:
        """Check shape and window."""
        super().check()
        size = self.kernel_size
        pair = (size, size) if isinstance(size, int) else tuple(int(k) for k in size)
        if len(self.shape) != 3 or len(pair) != 2 or min(pair) < 1:
            raise GraphError(
                f"{self.kind}: shape {self.shape} and kernel_size {pair} must be (c, h, w) and "
                "two integers >= 1"
            )
        object.__setattr__(self, "kernel_size", pair)

    @property
    def output_shape(self) -> Shape:
        """(c, h * kh, w * kw)."""
        c, h, w = self.shape
        return (c, h * self.kernel_size[0], w * self.kernel_size[1])


@dataclass(frozen=True, kw_only=True, eq=False)
class Average(ShapedNode):
    """Mean over consecutive groups of the flattened input.

    Parameters
    ----------
    shape : tuple of int
        Input.
    num_outputs : int
        Groups, a divisor of the input's size.

    References
    ----------
    lava-dl documentation, block ``Average``.
    """

    kind: ClassVar[str] = "loihi.average"
    num_outputs: int

    def check(self) -> None:
        """Check that the groups divide the input."""
        super().check()
        size = int(np.prod(self.shape))
        if self.num_outputs < 1 or size % self.num_outputs:
            raise GraphError(
                f"{self.kind}: num_outputs {self.num_outputs} does not divide the {size} inputs"
            )

    @property
    def output_shape(self) -> Shape:
        """``(num_outputs,)``."""
        return (self.num_outputs,)


@dataclass(frozen=True, kw_only=True, eq=False)
class TimeDecimation(ShapedNode):
    """Mean over blocks of steps; one value per block.

    Parameters
    ----------
    shape : tuple of int
        Shape of input and output.
    factor : int
        Steps of a block, a power of two.

    References
    ----------
    lava-dl documentation, block ``TimeDecimation``.
    """

    kind: ClassVar[str] = "loihi.time_decimation"
    factor: int = 2

    def check(self) -> None:
        """Check the factor."""
        super().check()
        if self.factor < 1 or self.factor & (self.factor - 1):
            raise GraphError(f"{self.kind}: factor {self.factor} must be a power of two")


@dataclass(frozen=True, kw_only=True, eq=False)
class KWinners(SpikingNeuron):
    """CUBA neurons that excite themselves and inhibit each other so that about k of them fire.

    Parameters
    ----------
    shape, v_rest, bias, decay
        As `ranvier.graph.Neuron`.
    threshold, reset, v_reset, refractory, max_spikes, comparison
        As `ranvier.graph.SpikingNeuron`.
    tau_mem, tau_syn : array
        Time constants, in s, > 0.
    num_winners : int
        Neurons that fire, >= 1.
    self_excitation : float
        Weight of a neuron onto itself, 0..1.

    References
    ----------
    lava-dl documentation, block ``KWTA``.
    """

    kind: ClassVar[str] = "loihi.kwta"
    states: ClassVar[tuple[str, ...]] = ("i_syn", "v_mem")
    reset: str = "to_value"
    comparison: str = ">"
    tau_mem: NDArray[np.float64] = array(unit="s", minimum=0.0, exclusive=True)
    tau_syn: NDArray[np.float64] = array(unit="s", minimum=0.0, exclusive=True)
    num_winners: int = 1
    self_excitation: float = 0.5

    def check(self) -> None:
        """Check winners and self-excitation."""
        super().check()
        if not 1 <= self.num_winners <= int(np.prod(self.shape)):
            raise GraphError(f"{self.kind}: num_winners {self.num_winners} is beyond the layer")
        if not 0.0 <= self.self_excitation <= 1.0:
            raise GraphError(f"{self.kind}: self_excitation {self.self_excitation} is not in 0..1")


KINDS: tuple[type[Node], ...] = (
    InputLayer,
    Ternary,
    Delta,
    Sigma,
    AdaptiveResonateAndFire,
    Unpool,
    Average,
    TimeDecimation,
    KWinners,
)
"""All kinds that the plugin registers."""
