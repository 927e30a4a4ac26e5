"""The Xylo core once more, one Python integer at a time, straight from its equations.

Slow on purpose; shares nothing with the kernel.
"""


def clip(x):
    return max(-32768, min(32767, x))


def wrap(x):
    return (x + 32768) % 65536 - 32768


def leak(x, dash):
    lost = x // 2**dash
    if lost == 0 and x > 0:
        lost = 1
    return x - lost


def membrane(v, current, bias, dash, version):
    if version == 1:
        return clip(leak(v, dash) + current)
    lost = v - leak(v, dash)
    change = clip(current + wrap(-lost))
    change = clip(change + bias)
    return clip(v + change)


class ScalarCore:
    """One sample; ``arrays`` has the attributes of CoreArrays."""

    def __init__(self, arrays):
        self.net = {k: v.tolist() if hasattr(v, "tolist") else v for k, v in vars(arrays).items()}
        self.n_hidden, self.n_out = len(self.net["threshold"]), len(self.net["threshold_out"])
        self.current = [[0, 0] for _ in range(self.n_hidden)]
        self.v = [0] * self.n_hidden
        self.spikes = [0] * self.n_hidden
        self.current_out = [0] * self.n_out
        self.v_out = [0] * self.n_out

    def step(self, counts):
        """Return everything that can be observed in this step."""
        self._add(counts)
        self._decay_and_charge()
        self.spikes = self._fire()
        out = []
        for o, threshold in enumerate(self.net["threshold_out"]):
            out.append(int(self.v_out[o] >= threshold))
            self.v_out[o] = wrap(self.v_out[o] - out[o] * threshold)
        return {
            "out": out,
            "spikes": list(self.spikes),
            "i_syn": [c[0] for c in self.current],
            "i_syn2": [c[1] for c in self.current],
            "v_mem": list(self.v),
            "i_syn_out": list(self.current_out),
            "v_mem_out": list(self.v_out),
        }

    def _add(self, counts):
        net = self.net
        for c, count in enumerate(counts):
            for h, weights in enumerate(net["weights_in"][c]):
                for s, w in enumerate(weights):
                    addend = min(count, 15) * wrap(w * 2 ** net["weight_shift_in"])
                    self.current[h][s] = clip(self.current[h][s] + addend)
        first_out = self.n_hidden - len(net["weights_out"])
        for n, count in enumerate(self.spikes):
            for h, weights in enumerate(net["weights_rec"][n]):
                for s, w in enumerate(weights):
                    addend = count * wrap(w * 2 ** net["weight_shift_rec"])
                    self.current[h][s] = clip(self.current[h][s] + addend)
            if n >= first_out:
                for o, w in enumerate(net["weights_out"][n - first_out]):
                    addend = count * wrap(w * 2 ** net["weight_shift_out"])
                    self.current_out[o] = clip(self.current_out[o] + addend)

    def _decay_and_charge(self):
        net, version = self.net, self.net["version"]
        for h in range(self.n_hidden):
            for s in (0, 1):
                self.current[h][s] = leak(self.current[h][s], net["dash_syn"][h][s])
            self.v[h] = membrane(
                self.v[h], sum(self.current[h]), net["bias"][h], net["dash_mem"][h], version
            )
        for o in range(self.n_out):
            self.current_out[o] = leak(self.current_out[o], net["dash_syn_out"][o])
            self.v_out[o] = membrane(
                self.v_out[o],
                self.current_out[o],
                net["bias_out"][o],
                net["dash_mem_out"][o],
                version,
            )

    def _fire(self):
        new = [0] * self.n_hidden
        for h in range(self.n_hidden):
            n = new[h]
            while self.v[h] >= self.net["threshold"][h] and n < 31:
                self.v[h] = wrap(self.v[h] - self.net["threshold"][h])
                n += 1
            new[h] = n
            target = self.net["aliases"][h]
            if target >= 0:
                new[target] = min(31, new[target] + n)
        return new
