"""The fixed-point processes neuron by neuron in plain Python integers: slow, and easy to check.

Written from the equations in the Lava 0.10.0 documentation (LIF, LIFReset, TernaryLIF, Dense,
DelayDense, Sparse, Conv, RF, RF_IZ, Delta, SigmaDelta, Sigma); shares nothing with the simulator.
"""

import numpy as np

M = 2**23
REGISTERS = (
    "decay_u",
    "decay_v",
    "threshold",
    "threshold_low",
    "bias_mant",
    "bias_exp",
    "refractory",
    "v_initial",
    "sin_decay",
    "cos_decay",
)


def dz(p):
    return (abs(p) >> 12) * (1 if p >= 0 else -1)


def shifted(acc, exponent):
    return acc << exponent if exponent > 0 else acc >> -exponent


class Neurons:
    def __init__(self, p):
        n = p.size
        self.p, self.n = p, n
        for name in REGISTERS:
            setattr(self, name, [int(x) for x in np.broadcast_to(getattr(p, name), (n,))])
        self.weight = np.broadcast_to(p.drive_weight, (n,)).tolist()
        self.offset = np.broadcast_to(p.drive_offset, (n,)).tolist()
        self.u, self.v = [0] * n, list(self.v_initial)
        self.re, self.im = [0] * n, [0] * n
        self.sigma, self.act, self.residue = [0] * n, [0] * n, [0] * n
        self.last = [None] * n  # time step of the last spike
        self.wrapped = self.clipped = 0

    def step(self, a, time_step, x):
        """Return what is emitted; ``a`` maps ports to lists, ``x`` drives the bias or is None."""
        p = self.p
        if p.reset_interval and time_step % p.reset_interval == p.reset_offset % p.reset_interval:
            self.u, self.v = [0] * self.n, [0] * self.n
        one = {
            "lif": self.lif,
            "ternary": self.lif,
            "rf": self.rf,
            "rf_iz": self.rf_iz,
            "delta": self.delta,
            "sigma_delta": self.sigma_delta,
            "sigma": self.running_sum,
        }[p.model]
        return [
            one(j, {port: values[j] for port, values in a.items()}, time_step, x)
            for j in range(self.n)
        ]

    def lif(self, j, a, time_step, x):
        b = self.bias_mant[j] << self.bias_exp[j]
        if x is not None:
            b += int(self.weight[j] * x[j] + self.offset[j]) << self.bias_exp[j]
        u = dz(self.u[j] * (4096 - self.decay_u[j])) + (a["in"] << 6)
        if u > M:
            u, self.wrapped = u - 2 * M, self.wrapped + 1
        elif u <= -M:
            u, self.wrapped = u + 2 * M, self.wrapped + 1
        v = dz(self.v[j] * (4096 - self.decay_v[j])) + u + b
        self.clipped += abs(v) > M - 1
        v = max(-M + 1, min(M - 1, v))
        s = int(v > self.threshold[j] << 6)
        if self.p.model == "ternary":
            s -= int(v < self.threshold_low[j] << 6)
        if self.last[j] is not None and time_step < self.last[j] + self.refractory[j]:
            s, v = 0, 0
        elif s:
            self.last[j], v = time_step, 0
        self.u[j], self.v[j] = u, v
        return s

    def rotated(self, j, a):
        re, im, sin, cos = self.re[j], self.im[j], self.sin_decay[j], self.cos_decay[j]
        new_re = dz(cos * re) - dz(sin * im) + (a["re"] << self.p.state_exp)
        new_im = dz(sin * re) + dz(cos * im) + (a["im"] << self.p.state_exp)
        self.clipped += abs(new_re) > M - 1 or abs(new_im) > M - 1
        return max(-M + 1, min(M - 1, new_re)), max(-M + 1, min(M - 1, new_im))

    def rf(self, j, a, time_step, x):
        before = self.im[j]
        self.re[j], self.im[j] = self.rotated(j, a)
        return int(self.re[j] >= self.threshold[j] and self.im[j] >= 0 and before < 0)

    def rf_iz(self, j, a, time_step, x):
        self.re[j], self.im[j] = self.rotated(j, a)
        s = int(self.im[j] >= self.threshold[j])
        if s:
            self.re[j], self.im[j] = 0, self.threshold[j] - 1
        return s

    def sent(self, j, new):
        d = new - self.act[j] + self.residue[j]
        out = d if abs(d) >= self.threshold[j] else 0
        self.residue[j], self.act[j] = d - out, new
        return out >> self.p.state_exp

    def delta(self, j, a, time_step, x):
        new = a["in"] << (self.p.spike_exp + self.p.state_exp)
        if x is not None:
            new += int(x[j] * 2**self.p.spike_exp) << self.p.state_exp
        return self.sent(j, new)

    def sigma_delta(self, j, a, time_step, x):
        self.sigma[j] += a["in"]
        new = self.sigma[j] + (self.bias_mant[j] << self.bias_exp[j])
        return self.sent(j, max(0, new) if self.p.activation == "relu" else new)

    def running_sum(self, j, a, time_step, x):
        self.sigma[j] += a["in"]
        return self.sigma[j]

    def quantities(self):
        model = self.p.model
        if model in ("lif", "ternary"):
            return {"i_syn": self.u, "v_mem": self.v}
        if model in ("rf", "rf_iz"):
            return {"re": self.re, "im": self.im}
        found = {"sigma": self.sigma} if model != "delta" else {}
        return found | (
            {"activation": self.act, "residual": self.residue} if model != "sigma" else {}
        )


def entries(s, n_target):
    """Return synapses as (target, source, weight, delay)."""
    if s.kind == "dense":
        return [
            (i, j, int(w), 0 if s.delays is None else int(s.delays[i, j]))
            for (i, j), w in np.ndenumerate(s.weights)
        ]
    if s.kind == "sparse":
        found = []
        for b, row in enumerate(s.pointers.tolist()):
            for j in range(len(row) - 1):
                for k in range(row[j], row[j + 1]):
                    target = b * s.block + int(s.targets[k])
                    delay = 0 if s.delays is None else int(s.delays[k])
                    found.append((target, j, int(s.weights[k]), delay))
        return found
    found = []
    c_out, per_group, kh, kw = s.weights.shape
    _, h, w = s.input_shape
    h_out = (h + 2 * s.padding[0] - s.dilation[0] * (kh - 1) - 1) // s.stride[0] + 1
    w_out = (w + 2 * s.padding[1] - s.dilation[1] * (kw - 1) - 1) // s.stride[1] + 1
    for (co, ci, ky, kx), weight in np.ndenumerate(s.weights):
        c = co // (c_out // s.groups) * per_group + ci
        for oy in range(h_out):
            y = oy * s.stride[0] - s.padding[0] + ky * s.dilation[0]
            for ox in range(w_out):
                x = ox * s.stride[1] - s.padding[1] + kx * s.dilation[1]
                if 0 <= y < h and 0 <= x < w:
                    target, source = (co * h_out + oy) * w_out + ox, (c * h + y) * w + x
                    found.append((target, source, int(weight), 0))
    return found


class Connection:
    """Axon delays, then the process Dense or DelayDense, Sparse, Conv."""

    def __init__(self, s, n_source, n_target):
        self.s, self.n = s, n_target
        self.axon = [int(d) for d in np.broadcast_to(s.axon_delay, (n_source,))]
        self.by_source = [[] for _ in range(n_source)]
        for target, source, weight, delay in entries(s, n_target):
            self.by_source[source].append((target, weight, delay))
        self.history = []
        self.slots = [[0] * n_target for _ in range(64)]
        self.wrapped = 0

    def send(self):
        out = self.slots.pop(0)
        self.slots.append([0] * self.n)
        return out

    def receive(self, messages):
        self.history.append(messages)
        acc = {}
        for j, d in enumerate(self.axon):
            message = self.history[-1 - d][j] if d < len(self.history) else 0
            if message == 0:
                continue
            if self.s.num_message_bits == 0:
                message = 1
            for target, weight, delay in self.by_source[j]:
                acc[delay, target] = acc.get((delay, target), 0) + weight * message
        for (delay, target), value in acc.items():
            if self.s.kind == "conv":
                inside = (value + M) % (2 * M) - M
                self.wrapped += inside != value
            else:
                inside = shifted(value, self.s.weight_exp)
            self.slots[delay][target] += inside


def run(config, inputs):
    """Return ``{(population, quantity): array (time, n)}``, "out" being what is emitted."""
    neurons = {p.name: Neurons(p) for p in config.populations}
    connections = [
        Connection(s, config.size_of(s.source), config.size_of(s.target)) for s in config.synapses
    ]
    steps = len(next(iter(inputs.values())))
    found = {}
    for t in range(steps):
        a = {
            p.name: {
                port: [0] * p.size
                for port in (("re", "im") if p.model in ("rf", "rf_iz") else ("in",))
            }
            for p in config.populations
        }
        for c in connections:
            into = a[c.s.target][c.s.port]
            for i, value in enumerate(c.send()):
                into[i] += value
        messages = {name: x[t].reshape(-1).tolist() for name, x in inputs.items()}
        for name, group in neurons.items():
            drive = group.p.drive
            messages[name] = group.step(a[name], t + 1, messages[drive] if drive else None)
            found.setdefault((name, "out"), []).append(list(messages[name]))
            for quantity, values in group.quantities().items():
                found.setdefault((name, quantity), []).append(list(values))
        for c in connections:
            c.receive(messages[c.s.source])
    lost = {f"{name}.wrapped": g.wrapped for name, g in neurons.items()}
    lost |= {f"{name}.clipped": g.clipped for name, g in neurons.items()}
    lost |= {f"synapse {i}": c.wrapped for i, c in enumerate(connections)}
    return {k: np.array(v, dtype=np.int64) for k, v in found.items()}, lost
