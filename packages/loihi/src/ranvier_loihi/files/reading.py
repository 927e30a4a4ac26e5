""".net to graph: layers one after the other, all problems at once."""

from __future__ import annotations

import math
from os import PathLike
from typing import Any

import numpy as np

from ranvier.diagnostics import Findings, describe
from ranvier.errors import GraphError, InputError
from ranvier.files.hdf5 import MAX_BYTES
from ranvier.graph import Delay, Graph, Linear, Neuron, Scale, Shape

from ..diagnostics import (
    NET_CYCLE,
    NET_DELAY_CLIPPED,
    NET_FLATTENED,
    NET_IGNORED,
    NET_LAYOUT,
    NET_MISSING,
    NET_SHAPE,
    NET_UNKNOWN_TYPE,
    NET_VALUE,
    NET_VENDOR_CONV_DELAY,
    NET_VENDOR_DELAY_BIAS,
    NET_VENDOR_REFUSES,
)
from ..nodes import Average
from .chain import Chain, Tip
from .fields import known_fields
from .neurons import COMPLEX, neuron_type, read_input_neuron, read_neuron
from .source import DELAY_MAX, BrokenLayerError, RawLayer, checked_path, read_layers
from .synapses import (
    MAPS,
    check_declared,
    declared_shape,
    dense_inputs,
    dense_matrix,
    dense_size,
    read_bias,
    recurrent_maps,
    squeezed,
    weight_names,
    whole,
)

_OTHERS = ("input", "flatten", "average", "concat")


def read_net(
    path: str | PathLike[str],
    *,
    dt: float = 1e-3,
    strict: bool = False,
    max_bytes: int = MAX_BYTES,
) -> Graph:
    """Read a .net file of netx (lava-dl) as a graph in the chip's arithmetic.

    Weights, thresholds and biases are divided by 64; decays become Euler time constants. Between a
    layer of neurons and the next synapse an edge carries ``delay=1``.

    Parameters
    ----------
    path : path
        Written by lava-dl, by SLAYER's older exporters, or by `write_net`.
    dt : float
        Time step, in s, > 0; the format states none.
    strict : bool
        Whether losses are errors.
    max_bytes : int
        Limit of the sizes that the file's arrays declare together.

    Returns
    -------
    Graph
        Nodes are named by layer: ``"2.synapse"``, ``"2.neuron"``. ``metadata`` has ``source``,
        ``dt`` and ``diagnostics`` (dictionaries for `Diagnostic.from_dict`): what was lost, and
        what the vendor's reader ignores or runs differently.

    Raises
    ------
    FileError
        No HDF5, truncated, or hostile.
    GraphError
        The layers make no network; ``diagnostics`` has every problem.
    InputError
        ``dt`` is out of range.

    References
    ----------
    lava-dl 0.6.0 documentation, netx: the HDF5 description of networks.
    """
    if isinstance(dt, bool) or not isinstance(dt, (int, float)) or not 0 < dt < math.inf:
        raise InputError(f"read_net: dt is {dt!r}, must be a finite number of seconds > 0")
    source = checked_path(path, "read_net")
    findings = Findings()
    reader = _Reader(float(dt), findings)
    for layer in read_layers(source, findings, max_bytes=max_bytes):
        reader.take(layer)
    bad = findings.errors(strict=strict)
    if bad:
        raise GraphError(describe(bad, heading=f"{source}: {len(bad)} problem(s)"), bad)
    notes = {
        "source": {"format": "net"},
        "dt": float(dt),
        "diagnostics": [d.to_dict() for d in findings],
    }
    return reader.chain.finished(dt=float(dt), metadata=notes)


class _Reader:
    """Appends layers to a chain; after a broken layer it goes on with the stored shapes."""

    def __init__(self, dt: float, findings: Findings) -> None:
        self.dt = dt
        self.findings = findings
        self.chain = Chain()

    def take(self, layer: RawLayer) -> None:
        """Read one layer; its problems are among the findings afterwards."""
        try:
            self._read(layer)
        except BrokenLayerError:
            self.chain.tips = [Tip(None, self._fallback(layer))]
        except GraphError as error:
            layer.report(NET_SHAPE, str(error))
            self.chain.tips = [Tip(None, self._fallback(layer))]
        self.chain.ends[layer.number] = list(self.chain.tips)

    def _fallback(self, layer: RawLayer) -> Shape | None:
        try:
            shape = declared_shape(layer)
            dense = layer.type in ("dense", "dense_rec", "flatten")
        except BrokenLayerError:
            return None
        return squeezed(shape) if dense and shape is not None else shape

    def _read(self, layer: RawLayer) -> None:
        if "type" not in layer:
            raise layer.broken(NET_MISSING, "has no dataset 'type'")
        kind = layer.type
        if kind not in MAPS and kind not in _OTHERS:
            known = ", ".join((*_OTHERS, *MAPS)).replace("convt", "convT")
            message = f"layer type {kind!r}; known: {known}"
            raise layer.broken(NET_UNKNOWN_TYPE, message, value=kind)
        left_out = sorted(set(layer.fields) - known_fields(kind))
        if left_out:
            layer.report(NET_IGNORED, f"left out: {', '.join(left_out)}")
        if kind == "input":
            return self._input(layer)
        if kind == "concat":
            return self._concat(layer)
        self._begin_without_input(layer)
        if kind == "flatten":
            return self._flatten(layer)
        if kind == "average":
            return self._average(layer)
        return self._synapse(layer)

    def _input(self, layer: RawLayer) -> None:
        if self.chain.tips:
            raise layer.broken(NET_LAYOUT, "an input layer stands behind other layers")
        shape = declared_shape(layer)
        if shape is None:
            raise layer.broken(NET_MISSING, "has no dataset 'shape'")
        shape = squeezed(shape)
        self.chain.begin(shape)
        if not layer.has_neuron:
            return
        gain, neuron = read_input_neuron(layer, shape, dt=self.dt)
        tip = self.chain.tips[0]
        if gain != 1.0:
            scale = Scale(shape=shape, scale=np.asarray(gain))
            tip = self.chain.add(f"{layer.name}.scale", scale, tip, synapse=False)
        self.chain.neuron(f"{layer.name}.neuron", neuron, [("in", tip)])
        self._delay(layer, shape)

    def _begin_without_input(self, layer: RawLayer) -> None:
        """Take the shape of the input from the first layer if there is no input layer."""
        if self.chain.tips:
            return
        size = dense_inputs(layer) if layer.type in ("dense", "dense_rec") else None
        if size is None or size < 1:
            message = "no input layer, and this one does not tell the shape of its input"
            raise layer.broken(NET_SHAPE, message)
        self.chain.begin((size,))

    def _flatten(self, layer: RawLayer) -> None:
        size = self.chain.size
        if size is not None:
            check_declared(layer, (size,))
        self.chain.flatten(f"{layer.name}.flatten")

    def _average(self, layer: RawLayer) -> None:
        shape = declared_shape(layer)
        if shape is None:
            raise layer.broken(NET_MISSING, "has no dataset 'shape'")
        layer.report(NET_VENDOR_REFUSES, "the vendor's reader has no layer type average")
        tip = self._only_tip(layer)
        node = Average(shape=tip.shape or (1,), num_outputs=int(np.prod(shape)))
        self.chain.tips = [self.chain.add(f"{layer.name}.average", node, tip, synapse=False)]

    def _concat(self, layer: RawLayer) -> None:
        numbers = [int(n) for n in layer.integers("layers").reshape(-1)]
        layer.report(NET_VENDOR_REFUSES, "the vendor's reader has no layer type concat")
        late = [n for n in numbers if n >= layer.number]
        if late:
            raise layer.broken(NET_CYCLE, f"joins the layers {late}", value=late[0])
        unknown = [n for n in numbers if n not in self.chain.ends]
        if unknown or len(set(numbers)) != len(numbers):
            raise layer.broken(NET_LAYOUT, f"joins the layers {numbers}; each once, from 0 on")
        self.chain.tips = [tip for n in numbers for tip in self.chain.ends[n]]

    def _only_tip(self, layer: RawLayer) -> Tip:
        """Return the tip that feeds a layer; its shape is known."""
        if len(self.chain.tips) > 1:
            message = f"a {layer.type} layer behind a concat layer is not read, only dense layers"
            raise layer.broken(NET_LAYOUT, message)
        tip = self.chain.tips[0]
        if tip.shape is None:
            raise BrokenLayerError  # the layer before was reported
        return tip

    def _synapse(self, layer: RawLayer) -> None:
        self._check_complex(layer)
        dense = layer.type in ("dense", "dense_rec")
        if dense:
            self._merge_axes(layer)
        shape: Shape = (dense_size(layer),) if dense else ()
        self._delay_before(layer, shape)
        sources = self._dense_sources(layer) if dense else self._map_sources(layer)
        shape = shape or sources[0][1].shape or (1,)
        check_declared(layer, shape)
        bias = read_bias(layer, shape)
        neuron = read_neuron(layer, shape, bias=bias, dt=self.dt)
        self.chain.neuron(f"{layer.name}.neuron", neuron, sources)
        if layer.type == "dense_rec":
            back = recurrent_maps(layer, shape[0], neuron.ports)
            for port, node in back.items():
                own = f"{layer.name}.recurrent" if len(back) == 1 else f"{layer.name}.back_{port}"
                self.chain.recur(own, node, port)
        self._delay(layer, shape, neuron)

    def _check_complex(self, layer: RawLayer) -> None:
        kind = neuron_type(layer)
        is_complex = "re" in weight_names(layer)
        if is_complex != (kind in COMPLEX):
            weights = "weight/real and weight/imag" if is_complex else "weight"
            message = f"has {weights} and neurons of type {kind or 'none'}"
            raise layer.broken(NET_MISSING, message)

    def _merge_axes(self, layer: RawLayer) -> None:
        if self.chain.size is None:  # a layer before is broken; this one states its own input
            size = dense_inputs(layer)
            self.chain.tips = [Tip(None, None if size is None else (size,))]
        shapes = [tip.shape for tip in self.chain.tips]
        if any(shape is not None and len(shape) > 1 for shape in shapes):
            layer.report(NET_FLATTENED, f"the input {shapes[0]} was flattened")
            self.chain.flatten(f"{layer.name}.flatten")

    def _map_sources(self, layer: RawLayer) -> list[tuple[str, Tip]]:
        tip = self._only_tip(layer)
        found = []
        for port, name in weight_names(layer).items():
            maps = MAPS[layer.type](layer, name, tip.shape or (1,))
            names = [f"{layer.name}.{_LABELS[port]}", f"{layer.name}.{_LABELS[port]}.scale"]
            found.append((port, self.chain.in_series(names[: len(maps)], maps, tip)))
        return found

    def _dense_sources(self, layer: RawLayer) -> list[tuple[str, Tip]]:
        """Connect a dense layer; behind a concat layer its matrix is cut into one per source."""
        tips = self.chain.tips
        if len(tips) == 1:
            return self._map_sources(layer)
        n_in = self.chain.size
        if n_in is None:
            raise BrokenLayerError
        found = []
        for port, name in weight_names(layer).items():
            matrix = dense_matrix(layer, name, n_out=dense_size(layer), n_in=n_in)
            start = 0
            for i, tip in enumerate(tips):
                stop = start + int(np.prod(tip.shape or (1,)))
                own = f"{layer.name}.{_LABELS[port]}.{i}"
                part = Linear(weight=matrix[:, start:stop])
                found.append((port, self.chain.add(own, part, tip, synapse=True)))
                start = stop
        return found

    def _steps(self, layer: RawLayer) -> Any:
        """Return the delays of a layer in steps, None without any."""
        if "delay" not in layer:
            return None
        steps = whole(layer, "delay")
        if int(steps.min()) < 0:
            message = f"delay is {int(steps.min())}, must be >= 0"
            raise layer.broken(NET_VALUE, message, value=int(steps.min()), limit=0)
        longest = int(steps.max())
        if longest > DELAY_MAX:
            message = f"delays up to {longest} steps were clipped to {DELAY_MAX}"
            layer.report(NET_DELAY_CLIPPED, message, value=longest, limit=DELAY_MAX)
        return np.minimum(steps, DELAY_MAX).reshape(-1) if np.any(steps) else None

    def _delay_before(self, layer: RawLayer, shape: Shape) -> None:
        """Delay the inputs of a dense layer whose delays are one per input."""
        steps = self._steps(layer) if shape else None
        size = self.chain.size
        if steps is None or steps.size in (1, shape[0]) or steps.size != size:
            return
        tip = self._only_tip(layer)
        node = Delay(shape=tip.shape or (1,), delay=steps * self.dt)
        self.chain.tips = [self.chain.add(f"{layer.name}.before", node, tip, synapse=False)]

    def _delay(self, layer: RawLayer, shape: Shape, neuron: Neuron | None = None) -> None:
        """Delay what the neurons of a layer emit; delays per input were applied before."""
        steps = self._steps(layer)
        if steps is None or f"{layer.name}.before" in self.chain.nodes:
            return
        if steps.size not in (1, shape[0], int(np.prod(shape))):
            message = f"delay has {steps.size} values; the layer has {shape[0]} channels"
            raise layer.broken(NET_SHAPE, message, value=int(steps.size), limit=int(shape[0]))
        if layer.type not in ("dense", "dense_rec"):
            layer.report(NET_VENDOR_CONV_DELAY, f"delays up to {int(steps.max())} step(s)")
        elif neuron is not None and np.any(neuron.bias):
            layer.report(NET_VENDOR_DELAY_BIAS, f"delays up to {int(steps.max())}, and a bias")
        if steps.size == shape[0]:
            steps = steps.reshape(-1, *(1,) * (len(shape) - 1))
        delay = steps.reshape(shape) if steps.size > shape[0] else steps
        node = Delay(shape=shape, delay=(delay if delay.size > 1 else delay.reshape(())) * self.dt)
        tip = self.chain.tips[0]
        self.chain.tips = [self.chain.add(f"{layer.name}.delay", node, tip, synapse=False)]


_LABELS = {"in": "synapse", "re": "real", "im": "imag"}
