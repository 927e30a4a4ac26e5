"""The node kinds as one plain loop over time, one sample, written from their definitions."""

import itertools

import numpy as np

from ranvier.graph import node_kinds

K = node_kinds()


def run_plain(graph, inputs):
    """Return what every node emits, and every state, per step: {(node, quantity): (time, ...)}."""
    n_steps = len(next(iter(inputs.values())))
    cells = {name: make(graph.nodes[name], graph.dt) for name in graph.order}
    history = {name: [] for name in graph.nodes}
    trace = {}
    for t in range(n_steps):
        for name in graph.order:
            node = graph.nodes[name]
            if isinstance(node, K["Input"]):
                out = np.asarray(inputs[name][t], dtype=float)
            else:
                arriving = [gather(graph, history, name, port, t) for port in node.ports]
                out = cells[name](*arriving)
            history[name].append(out)
            trace.setdefault((name, "out"), []).append(out)
            for quantity, value in getattr(cells[name], "states", dict)().items():
                trace.setdefault((name, quantity), []).append(np.array(value))
    return {key: np.array(values) for key, values in trace.items()}


def gather(graph, history, name, port, t):
    total = np.zeros(graph.nodes[name].input_shape(port))
    for edge in graph.edges:
        if edge.target == name and edge.port == port and t - edge.delay >= 0:
            total = total + history[edge.source][t - edge.delay]
    return total


def make(node, dt):
    maps = {"Input": None, "Output": lambda x: x, "Flatten": lambda x: x.reshape(-1)}
    if node.kind in maps:
        return maps[node.kind]
    if node.kind == "Linear":
        return lambda x: node.weight @ x + (0 if node.bias is None else node.bias)
    if node.kind == "SparseLinear":
        return lambda x: dense(node) @ x + (0 if node.bias is None else node.bias)
    if node.kind == "Scale":
        return lambda x: x * node.scale
    if node.kind == "Threshold":
        above = np.greater if node.comparison == ">" else np.greater_equal
        return lambda x: above(x, node.threshold).astype(float)
    if node.kind in ("Conv1d", "Conv2d"):
        return lambda x: convolve(node, x)
    if node.kind == "ConvTranspose2d":
        return lambda x: convolve_back(node, x)
    if node.kind in ("SumPool2d", "AvgPool2d"):
        return lambda x: pool(node, x)
    return CELLS[node.kind](node, dt)


def dense(node):
    matrix = np.zeros((node.indptr.size - 1, node.n_in))
    for row in range(len(matrix)):
        for k in range(node.indptr[row], node.indptr[row + 1]):
            matrix[row, node.indices[k]] += node.data[k]
    return matrix


def convolve(node, x):
    out = np.zeros(node.output_shape)
    c_out, c_in = node.weight.shape[:2]
    kernel = node.weight.shape[2:]
    for c, *place in itertools.product(*(range(s) for s in out.shape)):
        first = c // (c_out // node.groups) * c_in
        for k in itertools.product(range(c_in), *(range(s) for s in kernel)):
            at = [
                p * s - pad + tap * d
                for p, s, pad, tap, d in zip(
                    place, node.stride, node.padding, k[1:], node.dilation, strict=True
                )
            ]
            if all(0 <= a < n for a, n in zip(at, x.shape[1:], strict=True)):
                out[(c, *place)] += node.weight[(c, *k)] * x[(first + k[0], *at)]
        if node.bias is not None:
            out[(c, *place)] += node.bias[c]
    return out


def convolve_back(node, x):
    out = np.zeros(node.output_shape)
    c_in, c_out = node.weight.shape[:2]
    for c, i, j in itertools.product(*(range(s) for s in x.shape)):
        first = c // (c_in // node.groups) * c_out
        for o, k, m in itertools.product(*(range(s) for s in node.weight.shape[1:])):
            row = i * node.stride[0] - node.padding[0] + k * node.dilation[0]
            column = j * node.stride[1] - node.padding[1] + m * node.dilation[1]
            if 0 <= row < out.shape[1] and 0 <= column < out.shape[2]:
                out[first + o, row, column] += node.weight[c, o, k, m] * x[c, i, j]
    if node.bias is not None:
        out += node.bias[:, None, None]
    return out


def pool(node, x):
    pad = [(0, 0), *((p, p) for p in node.padding)]
    padded = np.pad(x, pad)
    out = np.zeros(node.output_shape)
    for c, i, j in itertools.product(*(range(s) for s in out.shape)):
        rows = slice(i * node.stride[0], i * node.stride[0] + node.kernel_size[0])
        columns = slice(j * node.stride[1], j * node.stride[1] + node.kernel_size[1])
        window = padded[c, rows, columns]
        out[c, i, j] = window.sum()
    return out / np.prod(node.kernel_size) if node.kind == "AvgPool2d" else out


def factor(node, tau, dt):
    if node.decay == "euler":
        return 1 - dt / tau
    if node.decay == "bitshift":
        return 1 - 2.0 ** -np.maximum(1, np.round(np.log2(tau / dt)))
    return np.exp(-dt / tau)


class DelayCell:
    def __init__(self, node, dt):
        self.steps = np.broadcast_to(np.round(node.delay / dt), node.shape).astype(int)
        self.past = []

    def __call__(self, x):
        self.past.append(x)
        out = np.zeros(x.shape)
        for place in np.ndindex(x.shape):
            t = len(self.past) - 1 - self.steps[place]
            out[place] = self.past[t][place] if t >= 0 else 0.0
        return out


class Cell:
    """Canonical neuron; the other kinds override `__call__`."""

    def __init__(self, node, dt):
        self.node, self.dt = node, dt
        full = np.zeros(node.shape)
        self.v = node.v_rest + full
        self.left = full.copy()
        self.currents = [full.copy() for _ in range(node.n_synapses)]
        if "tau_syn" in vars(node):
            self.beta = np.broadcast_to(
                factor(node, node.tau_syn, dt), (node.n_synapses, *node.shape)
            )

    def states(self):
        named = {"v_mem": self.v}
        if "i_syn" in self.node.states:
            for k, current in enumerate(self.currents):
                named["i_syn" if k == 0 else f"i_syn{k + 1}"] = current
        return named

    def drive(self, arriving):
        if "tau_syn" not in vars(self.node):
            return arriving[0]
        pairs = zip(self.beta, self.currents, arriving, strict=True)
        self.currents = [beta * i + x for beta, i, x in pairs]
        return sum(self.currents[1:], self.currents[0])

    def integrate(self, drive):
        n = self.node
        if n.kind in ("I", "IF"):
            self.v = self.v + drive + n.bias
        else:
            alpha = factor(n, n.tau_mem, self.dt)
            self.v = n.v_rest + alpha * (self.v - n.v_rest) + drive + n.bias

    def above(self, v, threshold):
        return v > threshold if self.node.comparison == ">" else v >= threshold

    def fire(self):
        n = self.node
        held = self.left > 0
        self.v = np.where(held, n.v_reset, self.v)
        fires = self.above(self.v, n.threshold) & ~held
        if n.reset == "subtract":
            most = np.minimum(np.floor(self.v / n.threshold), n.max_spikes)
            spikes = np.where(fires, most, 0.0)
            self.v = self.v - spikes * n.threshold
        else:
            spikes = fires.astype(float)
            self.v = np.where(fires, n.v_reset, self.v)
        self.left = np.where(fires, np.round(n.refractory / self.dt), np.maximum(self.left - 1, 0))
        return spikes

    def __call__(self, *arriving):
        self.integrate(self.drive(arriving))
        return self.fire() if self.node.spiking else self.v


class AdaptiveCell(Cell):
    def __init__(self, node, dt):
        super().__init__(node, dt)
        self.th, self.r = node.threshold + np.zeros(node.shape), np.zeros(node.shape)

    def states(self):
        return {**super().states(), "threshold": self.th, "refractory": self.r}

    def __call__(self, *arriving):
        n = self.node
        self.integrate(self.drive(arriving))
        held = self.left > 0
        self.v = np.where(held, n.v_reset, self.v)
        self.r = factor(n, n.tau_refractory, self.dt) * self.r
        self.th = n.threshold + factor(n, n.tau_threshold, self.dt) * (self.th - n.threshold)
        spikes = (self.above(self.v, self.th + self.r) & ~held).astype(float)
        self.r = self.r + 2 * self.th * spikes
        self.th = self.th + n.threshold_step * spikes
        steps = np.round(n.refractory / self.dt)
        self.left = np.where(spikes > 0, steps, np.maximum(self.left - 1, 0))
        return spikes


class AdExCell(Cell):
    def __init__(self, node, dt):
        super().__init__(node, dt)
        self.w = np.zeros(node.shape)

    def states(self):
        return {**super().states(), "w_adaptation": self.w}

    def __call__(self, *arriving):
        n, m = self.node, self.dt / self.node.tau_mem
        old = sum(self.currents[1:], self.currents[0])
        slope = np.where(n.slope > 0, n.slope, 1.0)
        upswing = np.where(n.slope > 0, slope * np.exp((self.v - n.v_exp) / slope), 0.0)
        dv = m * (n.v_rest - self.v + upswing) + m * (old + n.bias - self.w)
        self.drive(arriving)
        v = np.where(self.left > 0, n.v_reset, self.v + dv)
        self.v = v
        spikes = self.fire()
        a_w = self.dt / n.tau_adaptation
        self.w = (1 - a_w) * self.w + a_w * n.a * (v - n.v_rest) + n.b * spikes
        return spikes


class ResonatorCell(Cell):
    def __init__(self, node, dt):
        super().__init__(node, dt)
        self.z = np.zeros(node.shape, dtype=complex)
        turn = np.exp(2j * np.pi * node.frequency * dt - dt / node.tau)
        self.turn = np.broadcast_to(turn, node.shape)

    def states(self):
        return {"re": self.z.real, "im": self.z.imag}

    def __call__(self, re, im):
        n, before = self.node, self.z.imag
        self.z = self.turn * self.z + re + 1j * (im + n.bias)
        if n.trigger == "amplitude":
            fires = self.above(self.z.imag, n.threshold)
            below = np.nextafter(n.threshold, -np.inf)
            self.z = np.where(fires, 1j * below, self.z)
        else:
            fires = self.above(self.z.real, n.threshold) & (self.z.imag >= 0) & (before < 0)
        return fires.astype(float)


class SigmaDeltaCell(Cell):
    def __init__(self, node, dt):
        super().__init__(node, dt)
        self.sigma, self.y, self.residual = (np.zeros(node.shape) for _ in range(3))

    def states(self):
        return {"sigma": self.sigma, "activation": self.y, "residual": self.residual}

    def __call__(self, x):
        self.sigma = self.sigma + x
        y = self.sigma + self.node.bias
        y = np.maximum(y, 0) if self.node.activation == "relu" else y
        change = y - self.y + self.residual
        out = np.where(np.abs(change) >= self.node.threshold, change, 0.0)
        self.y, self.residual = y, change - out
        return out


CELLS = {
    **dict.fromkeys(("I", "IF", "LIF", "CubaLIF", "LI", "CubaLI"), Cell),
    "AdaptiveLIF": AdaptiveCell,
    "AdEx": AdExCell,
    "ResonateAndFire": ResonatorCell,
    "SigmaDelta": SigmaDeltaCell,
    "Delay": DelayCell,
}
