"""A plain loop over the steps of a graph, written from the equations in the documentation."""

import numpy as np


def run(graph, spikes):
    """Return what every node emits, (time, *shape), and the membrane of every neuron."""
    steps = len(spikes)
    out = {n: np.zeros((steps, *node.output_shape)) for n, node in graph.nodes.items()}
    state = {n: start(node, graph.dt) for n, node in graph.nodes.items()}
    for t in range(steps):
        for name in graph.order:
            node = graph.nodes[name]
            if node.kind == "Input":
                out[name][t] = spikes[t]
                continue
            x = sum(
                out[e.source][t - e.delay] for e in graph.edges_into(name) if t - e.delay >= 0
            ) + np.zeros(node.input_shape())
            out[name][t] = step(node, state[name], x, out[name], t, graph.dt)
    return out


def start(node, dt):
    if not hasattr(node, "v_rest"):
        return {"x": []}
    return {
        "v": node.parameter("v_rest").copy(),
        "i": np.zeros(node.shape),
        "rest": np.zeros(node.shape, int),
        "alpha": factor(node, "tau_mem", dt),
        "beta": factor(node, "tau_syn", dt),
    }


def factor(node, name, dt):
    if not hasattr(node, name):
        return 1.0 if name == "tau_mem" else 0.0
    tau = node.parameter(name)
    tau = tau[0] if name == "tau_syn" else tau
    if node.decay == "bitshift":
        return 1 - 0.5 ** np.maximum(1, np.rint(np.log2(tau / dt)))
    return 1 - dt / tau if node.decay == "euler" else np.exp(-dt / tau)


def step(node, state, x, own, t, dt):
    if node.kind in ("Output",):
        return x
    if node.kind == "Linear":
        return node.weight @ x + (0 if node.bias is None else node.bias)
    if node.kind == "Scale":
        return node.scale * x
    if node.kind == "Flatten":
        return x.ravel()
    if node.kind == "Threshold":
        return (x > node.threshold) if node.comparison == ">" else (x >= node.threshold)
    if node.kind == "Delay":
        state["x"].append(x)
        lag = np.broadcast_to(np.rint(node.delay / dt).astype(int), node.shape)
        past = np.array(state["x"])
        flat = [
            past[(t - d, *i)] if t >= d else 0.0
            for i, d in zip(np.ndindex(node.shape), lag.ravel(), strict=True)
        ]
        return np.reshape(flat, node.shape)
    return fire(node, state, x, dt)


def fire(node, state, x, dt):
    v_rest = node.parameter("v_rest")
    state["i"] = state["beta"] * state["i"] + x
    v = v_rest + state["alpha"] * (state["v"] - v_rest) + state["i"] + node.bias
    if not node.spiking:
        state["v"] = v
        return v
    waiting = state["rest"] > 0
    v = np.where(waiting, node.v_reset, v)
    over = v >= node.threshold if node.comparison == ">=" else v > node.threshold
    over &= ~waiting
    if node.reset == "subtract":
        many = np.clip(np.floor(v / node.threshold), 1, node.max_spikes)
        spikes = np.where(over, many, 0)
        v = v - spikes * node.threshold
    else:
        spikes = over.astype(float)
        v = np.where(over, node.v_reset, v)
    wait = np.rint(node.parameter("refractory") / dt).astype(int)
    state["rest"] = np.where(over, wait, np.maximum(state["rest"] - 1, 0))
    state["v"] = v
    return spikes
