"""The equations of the neuron in numpy float32, written without a look at the kernels.

Exponentials and logarithms are those of float64, rounded: the correct float32 values.
"""

import numpy as np

F = np.float32
PORTS = ("ampa", "gaba", "nmda", "shunt")


def exp(x):
    return np.exp(x.astype(np.float64)).astype(F)


def ln(x):
    return np.log(x.astype(np.float64)).astype(F)


def weighted(counts, weights):
    """Sum of counts (b, m) times weights (m, n), source by source."""
    total = np.zeros((counts.shape[0], weights.shape[1]), dtype=F)
    for k in np.flatnonzero(np.any(counts, axis=0)):
        total = total + counts[:, k : k + 1].astype(F) * weights[k].astype(F)
    return total


class Plain:
    """A population; values are float32, one per neuron."""

    def __init__(self, model, values, dt):
        self.model, self.dt = model, F(dt)
        self.v = v = {k: np.asarray(a, dtype=F) for k, a in values.items()}
        self.names = ("ampa",) if model == "merged_synapse" else PORTS
        self.kappa = (v["kappa_n"] + v["kappa_p"]) / F(2)
        self.kappa_prime = self.kappa * self.kappa / (self.kappa + F(1))
        self.t_ref = v["v_th"] * v["c_ref"] / v["i_ref"]
        self.blocked = np.ceil(self.t_ref.astype(float) / dt - 1e-6)
        self.filters = {name: self.filter(name, "pulse") for name in self.names}
        self.filters["ahp"] = self.filter("ahp", "pulse_ahp")

    def clip(self, name):
        return np.maximum(self.v[name], self.v["i_o"])

    def tau(self, i, c):
        return self.v["u_t"] / self.kappa * self.v[c] / i

    def rest(self, batch):
        dark = np.tile(self.v["i_o"], (batch, 1))
        zero = np.zeros_like(dark)
        syn = {name: dark.copy() for name in self.names}
        return {"syn": syn, "ahp": dark, "mem": dark, "v": zero, "s": zero, "timer": zero}

    def filter(self, name, pulse):
        """Decay per step, and charge of a pulse."""
        tau = self.tau(self.clip(f"i_tau_{name}"), f"c_{name}")
        width = self.v["v_th"] * self.v[f"c_{pulse}"] / self.v[f"i_{pulse}"]
        return exp(-self.dt / tau), F(1) - exp(-width / tau)

    def synapse(self, name, current, drive):
        keep, charge = self.filters[name]
        ratio = self.clip(f"i_gain_{name}") / self.clip(f"i_tau_{name}")
        return keep * current + charge * np.maximum(ratio * drive, self.v["i_o"])

    def adaptation(self, current, s):
        keep, charge = self.filters["ahp"]
        added = charge * self.clip("i_gain_ahp") / self.clip("i_tau_ahp") * self.v["i_w_ahp"] * s
        return np.maximum(keep * current + added, self.v["i_o"])

    def step(self, state, recurrent, x):
        v, io = self.v, self.v["i_o"]
        merged = self.model == "merged_synapse"
        syn = {
            name: self.synapse(name, state["syn"][name], (recurrent[q] + x[q]) * v["i_scale"])
            for q, name in enumerate(self.names)
        }
        ahp = self.adaptation(state["ahp"], state["s"])
        fb = io * exp(self.kappa_prime * state["v"] / v["u_t"])
        free = (state["timer"] == 0).astype(F)
        ltau, lgain, mem = self.clip("i_tau_mem"), self.clip("i_gain_mem"), state["mem"]
        if merged:
            leak = ltau + ahp
            i_in = np.maximum((syn["ampa"] - leak + v["i_dc"]) * free, io)
            i_inf = lgain / ltau * (i_in - leak)
            drawn = mem * (F(1) + ahp / ltau)
        else:
            leak = ltau + syn["shunt"]
            nmda = syn["nmda"] / (F(1) + v["i_f_nmda"] / mem)
            i_in = np.maximum((nmda + syn["ampa"] - syn["gaba"] + v["i_dc"]) * free, io)
            i_inf = lgain / ltau * (i_in - ahp - leak)
            drawn = mem * (F(1) + ahp / leak)
        ff = fb / leak * (mem + lgain)
        slope = mem / (self.tau(leak, "c_mem") * (mem + lgain)) * (i_inf + ff - drawn)
        mem = np.maximum(mem + slope * self.dt, io)
        volt = v["u_t"] / self.kappa * ln(mem / io)
        ratio = mem / v["i_spkthr"]
        s = np.maximum(np.ceil(ln(ratio)), F(0))
        b = np.minimum(s, F(1))
        mem = (F(1) - b) * mem + b * io
        passed, period = (self.dt, self.t_ref) if merged else (F(1), self.blocked.astype(F))
        timer = (F(1) - b) * np.maximum(state["timer"] - passed, F(0)) + b * period
        state = {"syn": syn, "ahp": ahp, "mem": mem, "v": volt, "s": s, "timer": timer}
        return state, ratio

    def run(self, x, recurrent=None):
        """Run on x (ports, b, t, n); recurrent weights (ports, n, n), row: source."""
        ports, batch, time, n = x.shape
        silent = np.zeros((ports, batch, n), dtype=F)
        state, out = self.rest(batch), []
        for t in range(time):
            before = silent if recurrent is None else [weighted(state["s"], w) for w in recurrent]
            state, ratio = self.step(state, before, x[:, :, t].astype(F))
            out.append((state, ratio))
        label = {"ampa": "i_syn"} if self.model == "merged_synapse" else {}
        traces = {
            label.get(name, f"i_{name}"): np.stack([o["syn"][name] for o, _ in out], axis=1)
            for name in self.names
        }
        for name, key in (("i_ahp", "ahp"), ("i_mem", "mem"), ("v_mem", "v")):
            traces[name] = np.stack([o[key] for o, _ in out], axis=1)
        spikes = np.stack([o["s"] for o, _ in out], axis=1)
        return spikes, traces, np.stack([r for _, r in out], axis=1), state
