# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Spike-time regression on Xylo
#
# A small network learns to fire at prescribed times, is mapped and quantised for Xylo Audio 3, and
# then fires on the chip's integer arithmetic **at the same steps as in floating point**. On the way
# you see every intermediate result: float weights, aliases, integer weights, internal states.
#
# You need `ranvier[torch,plot]` and `ranvier-xylo`; no chip, no vendor software.

# %%
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import torch
from torch.utils.data import DataLoader

import ranvier as rv
import ranvier.nn as rnn
from ranvier.events import EventSeries
from ranvier.graph import bitshift_code
from ranvier.plotting import raster, traces, weight_histograms, weight_images
from ranvier.train import fit

# %% [markdown]
# ## The task
#
# Two classes. Each is a frozen pattern of random binary input on 16 channels, 50 steps of 1 ms
# long. Each of the two output neurons has to fire exactly once per class, at a random step from
# step 10 on. A dataset is anything with a length and an index.

# %%
DT = 1e-3
N_STEPS, N_CHANNELS, N_OUTPUTS, N_CLASSES = 50, 16, 2, 2


class FrozenPatterns:
    """Random binary inputs, each with its random target spikes."""

    def __init__(self, seed):
        rng = np.random.default_rng(seed)
        self.inputs = (rng.random((N_CLASSES, N_STEPS, N_CHANNELS)) < 0.3).astype(np.int64)
        self.targets = np.zeros((N_CLASSES, N_STEPS, N_OUTPUTS), dtype=np.int64)
        for sample, output in np.ndindex(N_CLASSES, N_OUTPUTS):
            self.targets[sample, rng.integers(10, N_STEPS), output] = 1

    def __len__(self):
        return N_CLASSES

    def __getitem__(self, index):
        return (
            torch.tensor(self.inputs[index], dtype=torch.float32),
            torch.tensor(self.targets[index], dtype=torch.float32),
        )


dataset = FrozenPatterns(seed=0)
print(f"{len(dataset)} samples: input {dataset[0][0].shape}, target {dataset[0][1].shape}")

# %% [markdown]
# Inputs as images, targets as events:

# %%
figure, axes = plt.subplots(
    2, N_CLASSES, figsize=(9, 4.5), sharex=True, height_ratios=[3, 1], layout="constrained"
)
for k in range(N_CLASSES):
    axes[0, k].imshow(dataset.inputs[k].T, aspect="auto", cmap="binary", origin="lower")
    axes[0, k].set(title=f"class {k}", ylabel="input channel")
    steps = [np.flatnonzero(dataset.targets[k, :, n]) for n in range(N_OUTPUTS)]
    axes[1, k].eventplot(steps, colors=["C0", "C1"], linelengths=0.7, linewidths=2)
    axes[1, k].set(xlabel="time (steps)", ylabel="target", yticks=range(N_OUTPUTS))

# %% [markdown]
# ## The network
#
# 16 inputs, a hidden layer of 63 neurons, a *residual* block around a second layer of 63, and two
# output neurons. On Xylo the residual connection will cost no weights: it becomes an *alias*.
#
# Three choices let the network run on the chip exactly as it was trained:
#
# - `decay="bitshift"`: the chip multiplies by $1 - 2^{-k}$ instead of $e^{-dt/\tau}$.
# - `latency=1`: on the chip a spike needs one step from neuron to neuron. The residual path skips
#   a hop, so the two paths into the output arrive at different times; trained with the hops, the
#   network knows.
# - `max_spikes`: a hidden neuron of the chip fires up to 31 times per step, an output neuron once.
#
# Initial weights are scaled by $dt/\tau$, because a slow synapse sums its input.

# %%
TAU = 2e-3


def layer(n, max_spikes):
    return rnn.CubaLIF(
        n,
        tau_mem=TAU,
        tau_syn=TAU,
        decay="bitshift",
        max_spikes=max_spikes,
        surrogate=rnn.PeriodicExponential(0.5),
        dt=DT,
    )


torch.manual_seed(0)
net = rnn.Sequential(
    ("weights_in", rnn.Linear(N_CHANNELS, 63)),
    ("hidden", layer(63, max_spikes=31)),
    (
        "residual",
        rnn.Residual(
            ("weights", rnn.Linear(63, 63)), ("neurons", layer(63, max_spikes=31)), latency=1
        ),
    ),
    ("weights_out", rnn.Linear(63, N_OUTPUTS)),
    ("readout", layer(N_OUTPUTS, max_spikes=1)),
    latency=1,
)
with torch.no_grad():
    for linear in (net["weights_in"], net["residual"]["weights"], net["weights_out"]):
        linear.weight *= 0.5 * DT / TAU
print(net)

# %% [markdown]
# ## Training
#
# Mean squared error, Adam, at most 1 000 epochs, stop when not one spike is wrong. Networks start
# every call at rest. The loss that decides is measured after each update, without gradients.

# %%
batches = DataLoader(dataset, batch_size=N_CLASSES)
result = fit(
    net,
    batches,
    validation=batches,
    loss=torch.nn.MSELoss(),
    optimizer=torch.optim.Adam(net.parameters(), lr=1e-2),
    epochs=1000,
    stop=lambda history: history["validation.loss"][-1] == 0,
)
print(f"{len(result.history)} epochs, loss {result.history['validation.loss'][-1]:g}")
_ = result.history.plot()

# %% [markdown]
# With `record=True` the network also returns currents, membranes and spikes of every layer.

# %%
inputs, targets = next(iter(batches))
with torch.no_grad():
    output, states = net(inputs, record=True)
spikes_float = output.numpy().astype(np.int64)
print(states)

# %%
figure, axes = plt.subplots(1, N_CLASSES, figsize=(9, 2.2), sharey=True, layout="constrained")
for k, ax in enumerate(axes):
    for offset, spikes, name in ((0.2, spikes_float, "output"), (-0.2, dataset.targets, "target")):
        steps, neurons = np.nonzero(spikes[k])
        ax.scatter(steps, neurons + offset, marker="|", s=160, label=name)
    ax.set(title=f"class {k}", xlabel="time (steps)", xlim=(0, N_STEPS), ylim=(-0.6, 1.6))
axes[0].set(ylabel="output neuron", yticks=range(N_OUTPUTS))
_ = axes[1].legend(frameon=False)

# %% [markdown]
# ## From network to chip, still in floating point
#
# The graph knows nothing of torch or of a chip. `[1]` is the delay of a hop, in steps.

# %%
graph = rnn.to_graph(net)
print(graph)

# %%
mapped = rv.map(graph, "xylo-audio3")
print(mapped)

# %% [markdown]
# The latency of every node is 0: trained with the chip's hops, nothing arrives late. Both layers of
# 63 share the chip's 126 hidden neurons, so the weights between them are *recurrent* weights of the
# chip: the block from sources 0 to 62 to targets 63 to 125. The alias lets neuron `63 + i` fire
# whenever neuron `i` does.

# %%
aliases = np.zeros((126, 126))
sources = np.flatnonzero(mapped.arrays["aliases"] >= 0)
aliases[mapped.arrays["aliases"][sources], sources] = 1
floats = {
    "input": mapped.arrays["weights_in"][:, :, 0].T,
    "recurrent": mapped.arrays["weights_rec"][:, :, 0].T,
    "output": mapped.arrays["weights_out"].T,
}
_ = weight_images({**floats, "aliases": aliases})

# %% [markdown]
# ### Decay by shifting bits
#
# The chip stores no time constants. Each step a state loses $1/2^{d}$ of itself, computed by a
# shift of *d* bits, with $d = \mathrm{round}(\log_2(\tau/dt))$. Here $\tau/dt = 2$, so $d = 1$.
# Integers round down, and below $2^d$ the decay is a straight line: at least one count per step.
# An example with more to see: 20 ms become a shift of 4, the decay of 15.5 ms.

# %%
tau, start, n = 20e-3, 1000, 200
shift = int(bitshift_code(tau, dt=DT))
exponential = start * np.exp(-np.arange(n) * DT / tau)
integers = [start]
for _ in range(n - 1):
    value = integers[-1]
    integers.append(value - max(value >> shift, int(value > 0)))

figure, axes = plt.subplots(1, 2, figsize=(9, 3), layout="constrained")
for ax, scale in zip(axes, ("linear", "symlog"), strict=True):
    ax.plot(exponential, label=f"exponential, tau = {tau * 1e3:g} ms")
    ax.step(range(n), integers, where="post", label=f"bit shift, d = {shift}")
    ax.set(xlabel="time (ms)", ylabel="state", yscale=scale, ylim=(0, None))
_ = axes[0].legend(frameon=False)

# %% [markdown]
# ## Quantisation
#
# Weights become 8-bit integers, thresholds 15-bit ones. Three methods are offered: `global` takes
# one scale for all hidden neurons, `channel` one for each neuron, and `fit` (the default) chooses a
# scale for each neuron together with the weight shifts that a class of weights shares, and with
# calibration spikes tries its best candidates on the chip's own arithmetic.

# %%
config = rv.quantize(mapped, method="fit", calibration=dataset.inputs, candidates=16)
codes = {
    "input": config.weights_in[:, :, 0],
    "recurrent": config.weights_rec[:, :, 0],
    "output": config.weights_out,
}
_ = weight_histograms(floats, codes)

# %% [markdown]
# How much does the method matter? With one scale for all, a single large weight decides how many
# codes are left for the rest, and an unlucky distribution (a few outliers, many small weights)
# leaves most weights a handful of codes. To see it, the weights and the threshold of one neuron are
# made 20 times larger: in floating point the same network, for `global` another one.

# %%
weights = np.array(graph.nodes["weights_in"].weight)
thresholds = np.ones(63)
weights[0] *= 20
thresholds[0] *= 20
unlucky = graph.with_nodes(
    {
        "weights_in": replace(graph.nodes["weights_in"], weight=weights),
        "hidden": replace(graph.nodes["hidden"], threshold=thresholds),
    }
)
print(f"{'method':12}{'as trained':35}unlucky")
for options in (
    {"method": "global"},
    {"method": "channel"},
    {"method": "fit"},
    {"method": "fit", "calibration": dataset.inputs},
):
    name = options["method"] + (" (cal.)" if "calibration" in options else "")
    results = []
    for network in (graph, unlucky):
        made = rv.quantize(rv.map(network, "xylo-audio3"), **options)
        wrong = np.abs(rv.simulate(made, dataset.inputs).output - spikes_float).sum()
        distinct = np.unique(made.weights_rec).size
        results.append(f"{wrong} spikes differ, {distinct:3} codes in use")
    print(f"{name:12}{results[0]:35}{results[1]}")

# %% [markdown]
# ## A valid configuration
#
# A configuration holds what the registers hold. It is validated when it is made, against every
# range and limit of the target: one that exists is valid. Its summary names the resources in use
# and what was found on the way.

# %%
print(config)

# %% [markdown]
# A value that no register can hold is refused:

# %%
try:
    type(config)(**{**dict(config), "threshold": config.threshold.astype(int) + 40_000})
except ValueError as error:
    message = str(error).splitlines()[1].strip()
print(message[:160])

# %% [markdown]
# ## Simulation
#
# Events in, events out. Several events of a channel in one step are kept as a count; the chip takes
# up to 15.

# %%
series = [
    EventSeries.from_raster(dataset.inputs[k], DT, name=f"class {k}") for k in range(N_CLASSES)
]
chip = rv.simulate(config, series, record=True)
print(chip.output)

# %%
figure, axes = plt.subplots(1, N_CLASSES, figsize=(9, 2.4), layout="constrained")
for k, ax in enumerate(axes):
    raster(chip.output[k], ax=ax, title=f"class {k}: chip (dots), target (bars)")
    steps, neurons = np.nonzero(dataset.targets[k])
    ax.scatter(steps + 0.5, neurons, marker="|", s=300, linewidths=5, color="C1", alpha=0.4)
    ax.set_yticks(range(N_OUTPUTS))

# %% [markdown]
# The integers fire where the floats fire. Currents and membranes side by side, floats on the left,
# the chip's integers (as they stand in its state memory) on the right: the three busiest neurons of
# the second hidden layer, then both output neurons.


# %%
def compare(node, neurons):
    floats_of = states[node]
    rows = (("current", "i_syn"), ("membrane", "v_mem"), ("spikes", "spikes"))
    figure, axes = plt.subplots(3, 2, figsize=(10, 7), sharex=True, layout="constrained")
    figure.suptitle(node)
    for row, (ours, theirs) in enumerate(rows):
        left = getattr(floats_of, ours)[0].numpy()[:, neurons]
        right = chip.raw(node, theirs)[0].reshape(N_STEPS, -1)[:, neurons]
        if ours == "spikes":
            raster(left.astype(int), ax=axes[row, 0], title="spikes, float")
            raster(right, ax=axes[row, 1], title="spikes, chip")
        else:
            traces(left, ax=axes[row, 0], title=f"{ours}, float")
            traces(right, ax=axes[row, 1], title=f"{theirs}, chip (counts)")


busiest = np.argsort(-chip.raster("residual.neurons")[0].sum(axis=0))[:3]
compare("residual.neurons", busiest)

# %%
compare("readout", [0, 1])

# %% [markdown]
# ## On the chip
#
# `rv.devices` lists the boards that are attached; one is chosen by its id. Without a board the
# *loopback* takes its place: the simulator behind the driver's interface. An Audio 3 board clears
# its state between two samples by a soft reset only, which has to be allowed. Nothing else changes.

# %%
boards = [board for board in rv.devices("xylo-audio3") if board["id"]]
device = boards[0]["id"] if boards else "loopback"
with rv.deploy(config, device=device, soft_reset=device != "loopback") as session:
    on_chip = session.run(series)
print(f"ran on {device}")

# %%
figure, axes = plt.subplots(1, N_CLASSES, figsize=(9, 2.4), layout="constrained")
for k, ax in enumerate(axes):
    raster(on_chip.output[k], ax=ax, title=f"class {k}: {device} (dots), target (bars)")
    steps, neurons = np.nonzero(dataset.targets[k])
    ax.scatter(steps + 0.5, neurons, marker="|", s=300, linewidths=5, color="C1", alpha=0.4)
    ax.set_yticks(range(N_OUTPUTS))

# %% [markdown]
# Every output spike of the float network, of the simulated chip and of the device is at the step
# that the task asked for:

# %%
simulated = np.stack([reply.raster(DT) for reply in chip.output])
assert np.array_equal(spikes_float, dataset.targets)
assert np.array_equal(simulated, spikes_float)
assert on_chip.output == chip.output
