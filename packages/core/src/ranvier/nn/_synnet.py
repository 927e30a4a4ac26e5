"""SynNet: feed-forward layers whose synapses have geometrically growing time constants."""

from __future__ import annotations

import inspect
import math
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any, Literal, cast

import torch
from torch import Tensor, nn

from ranvier.errors import GraphError

from ._containers import Sequential
from ._dropout import TimeStepDropout
from ._export import ToGraph
from ._layers import Linear
from ._lif import CubaLIF
from ._neuron import Neuron
from .surrogates import PeriodicExponential

Output = Literal["spikes", "vmem"]


def round_time_constant(tau: float, *, dt: float) -> float:
    """Give the nearest time constant whose decay is a bit shift.

    Parameters
    ----------
    tau, dt : float
        Time constant and time step, in s.

    Returns
    -------
    float
        ``-dt / ln(1 - 2**-k)`` with ``k = max(1, rint(-log2(1 - exp(-dt/tau))))``, in s.

    Examples
    --------
    >>> round(round_time_constant(2e-3, dt=1e-3), 7)
    0.0014427
    """
    shift = max(1, round(-math.log2(-math.expm1(-dt / tau))))
    return -dt / math.log1p(-(2.0**-shift))


class SynNet(ToGraph, nn.Module):
    """Temporal classifier of linear layers and spiking neurons.

    Parameters
    ----------
    n_classes, n_channels : int
        Output neurons and input channels.
    size_hidden_layers : sequence of int
        Neurons of every hidden layer.
    time_constants_per_layer : sequence of int
        Number of different synaptic time constants of every hidden layer.
    tau_syn_base : float
        The j-th synaptic time constant of a layer is ``dt * (tau_syn_base/dt)**j``, j from 1, in
        s; > dt. Neuron ``q`` of a layer with ``m`` of them has number ``q % m + 1``.
    tau_mem, tau_syn_out : float
        Membrane time constant of all layers, synaptic one of the output, in s, > dt.
    quantize_time_constants : bool
        Replace each by the nearest whose decay is a bit shift.
    train_time_constants, train_threshold : bool
        Train them. The membrane time constant is trained in the hidden layers only.
    threshold, threshold_out : float
        Firing thresholds of the hidden layers and the output (that of the hidden layers).
    neuron_model : type
        Any neuron module; it gets those of the arguments that it has.
    max_spikes_per_dt, max_spikes_per_dt_out : int
        Largest number of spikes per step, where the model has ``max_spikes``.
    p_dropout : float
        Probability of `TimeStepDropout` after every hidden layer; no such module for 0.
    dt : float
        Time step, in s.
    output : {"spikes", "vmem"}
        What the network gives; may be changed later. With ``"vmem"`` the output neurons do not
        fire.
    latency : {0, 1}
        Steps of a hop between neuron layers; see `Sequential`.
    neuron_kwargs : mapping, optional
        Further arguments of the neuron model, for all layers.

    Attributes
    ----------
    seq : Sequential
        ``0_linear``, ``0_neurons``, (``0_dropout``,) …, ``out_linear``, ``out_neurons``.
    lif_names : list of str
        Names of the neuron layers.

    Raises
    ------
    GraphError
        Lists of different lengths, ``tau_syn_base <= dt``, an unknown output, or a
        ``threshold_out`` for neurons that do not fire.

    References
    ----------
    P. Weidel, S. Sheik, "WaveSense", arXiv:2111.01456 (2021); SynSense rockpool documentation,
    ``SynNet``.
    """

    def __init__(
        self,
        n_classes: int,
        n_channels: int,
        *,
        size_hidden_layers: Sequence[int] = (60,),
        time_constants_per_layer: Sequence[int] = (10,),
        tau_syn_base: float = 2e-3,
        tau_mem: float = 2e-3,
        tau_syn_out: float = 2e-3,
        quantize_time_constants: bool = True,
        train_time_constants: bool = False,
        threshold: float = 1.0,
        threshold_out: float | None = None,
        train_threshold: bool = False,
        neuron_model: type[Neuron] = CubaLIF,
        max_spikes_per_dt: int = 31,
        max_spikes_per_dt_out: int = 1,
        p_dropout: float = 0.0,
        dt: float = 1e-3,
        output: Output = "spikes",
        latency: int = 0,
        neuron_kwargs: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        sizes, counts = list(size_hidden_layers), list(time_constants_per_layer)
        _check(sizes, counts, tau_syn_base, dt, output, threshold_out)
        self.dt = dt
        self.quantize_time_constants = quantize_time_constants
        self.neuron_model = neuron_model
        self._neuron_kwargs = dict(neuron_kwargs or {})
        trained = {"train_tau": train_time_constants, "train_threshold": train_threshold}
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        n_in = n_channels
        for place, (size, count) in enumerate(zip(sizes, counts, strict=True)):
            taus = self._series(tau_syn_base, count, size)
            neurons = self._neurons(
                size, taus, self._rounded(tau_mem), threshold, max_spikes_per_dt, trained
            )
            layers[f"{place}_linear"] = self._linear(n_in, neurons, taus)
            layers[f"{place}_neurons"] = neurons
            if p_dropout > 0:
                layers[f"{place}_dropout"] = TimeStepDropout(p_dropout)
            n_in = size
        tau_out = torch.full((n_classes,), self._rounded(tau_syn_out))
        out_neurons = self._neurons(
            n_classes,
            tau_out,
            self._rounded(tau_mem),
            threshold if threshold_out is None else threshold_out,
            max_spikes_per_dt_out,
            trained,
        )
        _freeze_membrane(out_neurons)
        layers["out_linear"] = self._linear(n_in, out_neurons, tau_out)
        layers["out_neurons"] = out_neurons
        self.seq = Sequential(layers, latency=latency)
        self.output = output

    @property
    def output(self) -> Output:
        """What the network gives: ``"spikes"``, or ``"vmem"`` of output neurons that never fire."""
        return cast("Neuron", self.seq["out_neurons"]).readout

    @output.setter
    def output(self, value: Output) -> None:
        cast("Neuron", self.seq["out_neurons"]).readout = value

    @property
    def lif_names(self) -> list[str]:
        """Names of the neuron layers in `seq`, input to output."""
        return [name for name, m in self.seq.named_children() if isinstance(m, Neuron)]

    @property
    def label_last_lif(self) -> str:
        """Name of the output's neuron layer."""
        return self.lif_names[-1]

    def reset_state(self) -> None:
        """Forget the states of all layers."""
        self.seq.reset_state()

    def forward(self, x: Tensor, *, record: bool = False) -> Any:
        """Run the network.

        Parameters
        ----------
        x : Tensor
            Input spikes, ``(batch, time, n_channels)``.
        record : bool
            Also return the traces of all neuron layers.

        Returns
        -------
        Tensor or (Tensor, Record)
            ``(batch, time, n_classes)``: output spikes or membranes; and the traces.
        """
        return self.seq(x, record=record)

    def _rounded(self, tau: float) -> float:
        return round_time_constant(tau, dt=self.dt) if self.quantize_time_constants else tau

    def _series(self, base: float, count: int, size: int) -> Tensor:
        """Give the time constant of every neuron of a layer."""
        series = [self._rounded(self.dt * (base / self.dt) ** j) for j in range(1, count + 1)]
        return torch.tensor([series[q % count] for q in range(size)])

    def _linear(self, n_in: int, neurons: Neuron, taus: Tensor) -> Linear:
        """Give weights that are smaller where the synapse remembers longer."""
        linear = Linear(n_in, neurons.columns)
        factors = (self.dt / taus).repeat_interleave(neurons.columns // neurons.n)
        with torch.no_grad():
            linear.weight.mul_(factors.unsqueeze(1))
        return linear

    def _neurons(
        self,
        size: int,
        taus: Tensor,
        tau_mem: float,
        threshold: float,
        max_spikes: int,
        trained: Mapping[str, bool],
    ) -> Neuron:
        """Give a layer of the neuron model, with those of the arguments that the model has."""
        model = self.neuron_model
        options: dict[str, Any] = {"tau_mem": tau_mem, "tau_syn": taus, "threshold": threshold}
        options |= {"max_spikes": max_spikes, "surrogate": PeriodicExponential(0.5), **trained}
        known = set(inspect.signature(model).parameters)
        known -= set() if getattr(model, "synaptic", True) else {"tau_syn"}
        known -= set() if getattr(model, "leaky", True) else {"tau_mem"}
        chosen = {name: value for name, value in options.items() if name in known}
        return model(size, dt=self.dt, **(chosen | self._neuron_kwargs))


def _freeze_membrane(module: nn.Module) -> None:
    """Keep the membrane time constant of the output fixed."""
    values = getattr(module, "tau_mem", None)
    if isinstance(values, nn.Parameter):
        del module.tau_mem
        module.register_buffer("tau_mem", values.detach())


def _check(
    sizes: list[int],
    counts: list[int],
    tau_syn_base: float,
    dt: float,
    output: str,
    threshold_out: float | None,
) -> None:
    """Raise with every problem of the arguments."""
    problems = []
    if len(sizes) != len(counts):
        problems.append(
            f"{len(sizes)} hidden layers but {len(counts)} numbers of time constants; "
            f"give one for each layer"
        )
    if not tau_syn_base > dt:
        problems.append(f"tau_syn_base is {tau_syn_base} s; it must be above dt = {dt} s")
    if output not in ("spikes", "vmem"):
        problems.append(f"output is {output!r}; use 'spikes' or 'vmem'")
    if output == "vmem" and threshold_out is not None:
        problems.append("threshold_out has no effect with output='vmem'; leave it out")
    if problems:
        raise GraphError("SynNet: " + "; ".join(problems))
