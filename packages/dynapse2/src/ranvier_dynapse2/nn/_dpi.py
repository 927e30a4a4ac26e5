"""The layer of DPI neurons."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal, cast

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

import ranvier.nn as rnn
from ranvier.errors import GraphError, InputError, SimulationError

from ..nodes import CONSTANTS, CURRENTS, MODELS, PORTS, Dpi
from ..translation import currents_from_times
from ._constants import Constants, Floats, constants_of
from ._run import run_kernel, run_loop
from ._surrogates import LogSigmoid, Surrogate

VALUES = (*CURRENTS, *CONSTANTS, "i_scale")
"""Buffers of a layer: scalars or arrays of its shape, float64."""


class DPI(rnn.Neuron):
    """A layer of DYNAP-SE2 neurons: currents of DPI synapses and an exponential membrane.

    Takes weighted input ``(batch, time, n * n_ports)``, columns ``neuron * n_ports + port``, and
    gives spike counts ``(batch, time, *shape)``. All arithmetic is in float32.

    Parameters
    ----------
    shape : int or tuple of int
        Shape of the layer.
    dt : float
        Time step, in s, > 0.
    model : {"merged_synapse", "four_synapse"}
        One synapse of signed input, or the ports ``ampa, gaba, nmda, shunt``; see
        `ranvier_dynapse2.nodes.Dpi`.
    recurrent : bool
        Add trainable ``weight_rec`` ``(n * n_ports, n)``, which deliver the spikes of the previous
        step. Uniform in ±sqrt(6/n) at first.
    surrogate : Surrogate or None
        Derivative of the spike counts; None takes `LogSigmoid`.
    stateful : bool
        Start each call from the state in which the last one ended, instead of at rest.
    times : mapping of str to array, optional
        Times in s and gain ratios, names of `ranvier_dynapse2.translation.DEFAULTS`.
    currents : mapping of str to array, optional
        Currents in A, and constants, by their names on `ranvier_dynapse2.nodes.Dpi`; they win over
        ``times``. Scalars or arrays of the layer's shape.
    i_scale : float or array
        Synaptic current of a weight of 1, in A, > 0.
    backend : {"auto", "loop", "kernel"}
        ``"loop"`` is plain torch. ``"auto"`` takes the kernel, but the loop where a recording is to
        have gradients. Both give the same spikes.

    Attributes
    ----------
    state : tuple of Tensor or None
        ``i_syn`` ``(batch, n, n_ports)``, ``i_ahp``, ``i_mem``, ``v_mem``, ``spikes``, ``timer``
        ``(batch, n)`` after the last call. The timer is in s, or in steps with four synapses.

    Raises
    ------
    GraphError
        A shape, an option, a time or a current is out of range or unknown.
    SimulationError
        While running: input or weights are not finite.

    Notes
    -----
    Traces of a recording: ``i_syn``, or ``i_ampa`` … ``i_shunt``; ``i_ahp``, ``i_mem`` (after the
    reset), in A; ``v_mem`` (before the reset), in V. Gradients pass all states and the reset; the
    refractory time counts as constant. Only weights are trained: currents are buffers. Strong
    recurrence makes gradients grow from spike to spike; clip them where a run is long.

    References
    ----------
    Chicca et al., Proc. IEEE 102 (2014); equations of rockpool 3.1.0, devices/dynapse/simulation.

    Examples
    --------
    >>> import torch, ranvier.nn as rnn
    >>> net = rnn.Sequential(rnn.Linear(60, 2, bias=False), DPI(2, recurrent=True))
    >>> net(torch.ones(1, 10, 60)).shape
    torch.Size([1, 10, 2])
    """

    i_scale: Tensor

    def __init__(
        self,
        shape: int | tuple[int, ...],
        *,
        dt: float = 1e-3,
        model: str = "merged_synapse",
        recurrent: bool = False,
        surrogate: Surrogate | None = None,
        stateful: bool = False,
        times: Mapping[str, ArrayLike] | None = None,
        currents: Mapping[str, ArrayLike] | None = None,
        i_scale: ArrayLike = 1e-8,
        backend: Literal["auto", "loop", "kernel"] = "auto",
    ) -> None:
        super().__init__(shape, dt=dt, stateful=stateful)
        self.model = model
        self.backend = backend
        self.surrogate = surrogate if surrogate is not None else LogSigmoid()
        self._check_options(currents)
        given = {**(currents_from_times(times) if times else {}), **dict(currents or {})}
        node = Dpi(shape=self.shape, model=model, **cast("Any", {**given, "i_scale": i_scale}))
        self.set_values({name: getattr(node, name) for name in VALUES})
        self.weight_rec: nn.Parameter | None = None
        if recurrent:
            bound = math.sqrt(6.0 / self.n)
            start = torch.empty(self.columns, self.n).uniform_(-bound, bound)
            self.weight_rec = nn.Parameter(start)

    def _check_options(self, currents: Mapping[str, ArrayLike] | None) -> None:
        problems = []
        if self.model not in MODELS:
            problems.append(f"model is {self.model!r}; use {' or '.join(map(repr, MODELS))}")
        if self.backend not in ("auto", "loop", "kernel"):
            problems.append(f"backend is {self.backend!r}; use 'auto', 'loop' or 'kernel'")
        unknown = sorted(set(currents or {}) - {*CURRENTS, *CONSTANTS})
        if unknown:
            known = ", ".join((*CURRENTS, *CONSTANTS))
            problems.append(f"unknown currents {unknown}; known: {known}")
        if problems:
            raise GraphError(f"{self._where}: " + "; ".join(problems))

    @classmethod
    def from_node(
        cls,
        node: Dpi,
        *,
        dt: float,
        weight_rec: ArrayLike | None = None,
        surrogate: Surrogate | None = None,
        stateful: bool = False,
        backend: Literal["auto", "loop", "kernel"] = "auto",
    ) -> DPI:
        """Build a layer from a graph node.

        Parameters
        ----------
        node : Dpi
            Neurons.
        dt : float
            Time step of the graph, in s.
        weight_rec : array, (n * n_ports, n), optional
            Recurrent weights.
        surrogate, stateful, backend
            As for the class.

        Raises
        ------
        GraphError
            The weights have another shape.
        """
        layer = cls(
            node.shape,
            dt=dt,
            model=node.model,
            recurrent=weight_rec is not None,
            surrogate=surrogate,
            stateful=stateful,
            currents={name: getattr(node, name) for name in (*CURRENTS, *CONSTANTS)},
            i_scale=node.i_scale,
            backend=backend,
        )
        if layer.weight_rec is not None:
            weights = torch.as_tensor(np.asarray(weight_rec, dtype=np.float32))
            if weights.shape != layer.weight_rec.shape:
                raise GraphError(
                    f"DPI: weight_rec has shape {tuple(weights.shape)}; expected "
                    f"{tuple(layer.weight_rec.shape)}: (n * n_ports, n)"
                )
            layer.weight_rec.data.copy_(weights)
        return layer

    @property
    def n_synapses(self) -> int:
        """Number of ports: 1, or 4 with the four-synapse model."""
        return 1 if self.model == "merged_synapse" else len(PORTS)

    @property
    def columns(self) -> int:
        """Number of input columns, ``n * n_ports``."""
        return self.n * self.n_synapses

    @property
    def recurrent(self) -> bool:
        """Whether the layer has recurrent weights."""
        return self.weight_rec is not None

    def values(self) -> dict[str, np.ndarray[Any, np.dtype[np.float64]]]:
        """Return every current and constant, and ``i_scale``, as float64 ``(n,)``."""
        found = {}
        for name in VALUES:
            array = getattr(self, name).detach().cpu().double().numpy()
            found[name] = np.broadcast_to(array, self.shape).ravel()
        return found

    def set_values(self, values: Mapping[str, ArrayLike]) -> None:
        """Replace currents and constants, scalars or of the layer's shape; not checked again."""
        for name, value in values.items():
            array = np.array(value, dtype=np.float64)
            self.register_buffer(name, torch.from_numpy(array))

    def constants(self) -> Constants:
        """Resolve the numbers of one step, in float32."""
        single: dict[str, Floats] = {n: v.astype(np.float32) for n, v in self.values().items()}
        return constants_of(single, model=self.model, dt=self.dt)

    def rest(self, batch: int) -> tuple[Tensor, ...]:
        """Give the state at rest of ``batch`` samples, in the order of ``state``."""
        dark = cast("Tensor", self.i_o).detach().to(torch.float32)
        i_o = dark.expand(self.shape).reshape(-1).expand(batch, self.n)
        zeros = torch.zeros_like(i_o).contiguous()
        return i_o.unsqueeze(2).expand(-1, -1, self.n_synapses), i_o, i_o, zeros, zeros, zeros

    def _advance(self, x: Tensor, state: tuple[Tensor, ...] | None, *, trace: bool) -> Any:
        self._check_run(x)
        x = x.to(torch.float32)
        weight = None if self.weight_rec is None else self.weight_rec.to(torch.float32)
        start = self.rest(x.shape[0]) if state is None else self._checked(state, x.shape[0])
        learns = torch.is_grad_enabled() and any(
            part is not None and part.requires_grad for part in (x, weight)
        )
        plain = self.backend == "loop" or (self.backend == "auto" and trace and learns)
        run = run_loop if plain else run_kernel
        done = run(x, weight, self.constants(), surrogate=self.surrogate, start=start, trace=trace)
        if not all(bool(part.isfinite().all()) for part in done.state):
            raise SimulationError(
                f"{self._where}: a state is not finite after the run: input or weights hold NaN, "
                "or are so large that they overflow; lower the learning rate or clip gradients"
            )
        return done

    def _check_run(self, x: Tensor) -> None:
        """Refuse what the layer cannot compute."""
        if x.device.type != "cpu":
            raise InputError(
                f"{self._where}: input is on device '{x.device}'; the kernels run on the CPU: move "
                "data and network there with .cpu()"
            )
        if self.readout != "spikes":
            raise GraphError(
                f"{self._where}: readout is {self.readout!r}; these neurons give spikes only: use "
                "readout='spikes', and ranvier.nn.record for the membrane"
            )

    def _checked(self, state: tuple[Tensor, ...], batch: int) -> tuple[Tensor, ...]:
        """Refuse a state that is not this layer's."""
        wanted = [(batch, self.n, self.n_synapses), *[(batch, self.n)] * 5]
        found = [tuple(part.shape) for part in state]
        if found != wanted:
            raise InputError(
                f"{self._where}: the state has shapes {found}; expected {wanted}, as "
                "module.state of a layer of the same size and model gives it"
            )
        return tuple(part.detach().to(torch.float32) for part in state)

    def extra_repr(self) -> str:
        """Describe shape, model and what is not at its default."""
        text = self.describe("i_scale", "i_spkthr")
        flags = [f"model={self.model!r}"] if self.n_synapses > 1 else []
        flags += ["recurrent"] if self.recurrent else []
        return ", ".join([text, *flags])
