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
# # Frozen noise on the DYNAP-SE2
#
# Two neurons learn to tell two patterns of noise apart, and keep their decisions on a chip whose
# neurons all differ. We train the network in the chip's own currents, map it, squeeze its weights
# into four base currents, inspect every register, send it through the loopback of the driver, and
# ask a hundred virtual chips what they think.
#
# You need `ranvier[torch,plot]` and `ranvier-dynapse2`; no chip, no vendor software.

# %%
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from rich.progress import track

import ranvier as rv
import ranvier.nn as rnn
import ranvier.plotting as rvp
from ranvier_dynapse2 import VirtualChip
from ranvier_dynapse2.mapping import specification
from ranvier_dynapse2.nn import DPI, with_mismatch
from ranvier_dynapse2.plotting import core_weights, device_events, rate_ratio, rate_ratios
from ranvier_dynapse2.tables import as_table, bias_rows, cam_rows, input_map, output_map

torch.set_num_threads(1)  # two neurons do not fill a second one
DT, N_STEPS, N_CHANNELS = 1e-3, 500, 60

# %% [markdown]
# ## Frozen noise
#
# Poisson spikes of 60 channels at 50 Hz for half a second. Two samples are to be recognised, one
# hundred others are not.


# %%
def frozen_noise(n_samples, seed):
    """Draw spike counts, (n_samples, 500, 60)."""
    rng = np.random.RandomState(seed)
    return rng.poisson(50 * DT, (n_samples, N_STEPS, N_CHANNELS))


train_set, test_set = frozen_noise(2, seed=2022), frozen_noise(100, seed=2023)

figure, axes = plt.subplots(1, 2, figsize=(10, 3), sharey=True, layout="constrained")
for number, ax in enumerate(axes):
    rvp.raster(train_set[number], dt=DT, ax=ax, title=f"training sample {number}")

# %% [markdown]
# ## Training in the chip's currents
#
# `DPI` is the chip's neuron: a synapse that integrates currents, a membrane below threshold, a
# refractory period. Sample 0 is to make neuron 0 fire nine times as often as neuron 1, sample 1
# the other way round. Every epoch meets **another virtual chip**: all parameters of all neurons
# deviate by 5 % (three standard deviations make the percentage, 1.67 % is one), so that
# nothing that is learned belongs to one chip. (At 5 % this network would be as robust without.)

# %%
torch.manual_seed(0)
net = rnn.Sequential(
    ("w_in", rnn.Linear(N_CHANNELS, 2, bias=False)),
    ("dpi", DPI(2, dt=DT, recurrent=True)),
)
print(net)

x = torch.as_tensor(train_set, dtype=torch.float32)
wanted = torch.tensor([[45.0, 5.0], [5.0, 45.0]])  # spikes in half a second
optimizer = torch.optim.Adam(net.parameters(), lr=0.1)
losses = []
for epoch in range(400):
    counts = with_mismatch(net, VirtualChip(1000 + epoch, mismatch=0.05))(x).sum(1)
    loss = ((counts - wanted) / 45).pow(2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    losses.append(float(loss.detach()))

print(f"loss {losses[0]:.3f} -> {np.mean(losses[-20:]):.3f}")
figure, ax = plt.subplots(figsize=(6, 2.6), layout="constrained")
ax.plot(losses)
ax.set(xlabel="epoch", ylabel="loss", yscale="log")

# %% [markdown]
# ## Simulated with mismatch
#
# A virtual chip that training has not seen. The firing-rate ratio is the larger of both spike
# counts over the smaller; on noise that the network does not know, it should stay near 1.


# %%
def counts_of(network, samples):
    """Return the spike counts of both neurons, (n_samples, 2)."""
    with torch.no_grad():
        return network(torch.as_tensor(samples, dtype=torch.float32)).sum(1).numpy()


def decides(counts):
    """Say whether each training sample drives its own neuron more."""
    return bool(counts[0, 0] > counts[0, 1] and counts[1, 1] > counts[1, 0])


chip = VirtualChip(seed=0, mismatch=0.05)
mismatched = with_mismatch(net, chip)
with torch.no_grad():
    output, traces = mismatched(x, record=True)
ideal, on_chip = counts_of(net, train_set), counts_of(mismatched, train_set)
print("without mismatch", ideal.tolist(), rate_ratio(ideal).round(2))
print("with mismatch   ", on_chip.tolist(), rate_ratio(on_chip).round(2))

figure, axes = plt.subplots(1, 2, figsize=(10, 2.2), sharey=True, layout="constrained")
for number, ax in enumerate(axes):
    title = f"sample {number}: ratio {rate_ratio(on_chip)[number]:.2f}"
    rvp.raster(output[number].numpy().astype(int), dt=DT, ax=ax, title=title)

# %% [markdown]
# The currents behind it: what the synapse delivers, the membrane current with the threshold as
# dashed line, and the membrane voltage. Currents of nanoamperes and less are what the chip works
# with.

# %%
record = traces["dpi"].extra
threshold = mismatched.get_submodule("dpi").values()["i_spkthr"]
figure, axes = plt.subplots(3, 1, figsize=(9, 6), sharex=True, layout="constrained")
panels = {
    "synaptic current": (record["i_syn"], 1e9, "nA", None),
    "membrane current": (record["i_mem"], 1e9, "nA", threshold * 1e9),
    "membrane voltage": (record["v_mem"], 1e3, "mV", None),
}
for ax, (title, (trace, scale, unit, limit)) in zip(axes, panels.items(), strict=True):
    values = trace[0].numpy() * scale
    labels = ["neuron 0", "neuron 1"]
    rvp.traces(values, dt=DT, ax=ax, thresholds=limit, labels=labels, unit=unit, title=title)
for ax in axes[:-1]:
    ax.set_xlabel("")

# %%
ratios = rate_ratio(counts_of(mismatched, test_set))
print(
    f"100 unknown samples: ratio {ratios.mean():.2f} +- {ratios.std():.2f}, max {ratios.max():.2f}"
)
rate_ratios(ratios, marked=rate_ratio(on_chip), title="unknown noise, and the two trained samples")

# %% [markdown]
# ## Map
#
# All neurons of a core share their parameters; the two of ours do anyway. The mapper places them,
# allocates tags, and checks that the network fits. Its result can be read as a table.

# %%
graph = net.to_graph()
mapped = rv.map(graph, "dynapse2")
print(specification(mapped))

# %% [markdown]
# ## Quantise
#
# A synapse adds up a subset of four base currents. Which four, and which subset for which weight?
# ranvier minimises
#
# $$\sum_i \Big(v_i - \sum_{k=0}^{3} m_{ik}\, c_k\Big)^2, \qquad m_{ik} \in \{0, 1\},\quad
# 0 \le c_k \le c_{max},$$
#
# over the base currents $c$ *and* the masks $m$, within what the bias generator can make, and
# chooses the scale of currents so that no bias saturates: nothing has to be multiplied by hand.

# %%
config = rv.quantize(mapped)
report = config.provenance["weights"]["core 0 of chip 0"]
print(f"mean squared error of the weights: {report['mse']:.4f}")
print("base currents (nA):", np.round(np.array(report["bases"]) * 1e9, 2))
print(f"a weight of 1 is {report['i_scale'] * 1e9:.3g} nA")
figure = core_weights(config)

# %% [markdown]
# ## The configuration
#
# Everything a board needs, readable without one. Which neuron is output 1? Which tag does channel
# 7 have, what is in the CAM of neuron 0, which codes do the biases have?

# %%
print(as_table(output_map(config)))
print(as_table(input_map(config)[5:10]))
print(as_table(cam_rows(config, 0, 0, 0)[:8]))

# %%
print(as_table([row for row in bias_rows(config) if row.chip == 0 and row.core == 0]))

# %% [markdown]
# A configuration is a file that runs anywhere, also without torch.

# %%
path = Path(tempfile.mkdtemp()) / "noise.rv"
rv.save(config, path)
config = rv.load(path)
print(f"{path.stat().st_size / 1e3:.0f} kB")
print(config)

# %% [markdown]
# ## Deploy
#
# `rv.devices` lists attached boards. There is none here, so the **loopback** takes its place:
# inputs become time-stamped packets with tags, the simulator takes the place of the chip, and its
# packets are decoded as those of a board. With a board, only the name of the device changes.

# %%
for device in rv.devices("dynapse2"):
    print(device.get("problem") or device["id"])

with rv.deploy(config, device="loopback") as board:
    recording = board.run(train_set)
    board.reset()
    unknown = board.run(test_set[:4])
print("training samples", recording.output.sum(axis=1).tolist())
print("unknown samples ", unknown.output.sum(axis=1).tolist())

for sample in range(2):
    figure = device_events(config, train_set, recording, sample=sample)
    figure.suptitle(f"training sample {sample}: events sent and heard")

# %% [markdown]
# Now from the configuration, codes turned back into currents, on the same virtual chip as before,
# over all unknown samples: the negative test.

# %%
simulated = rv.simulate(config, train_set, mismatch=0.05, chip_seed=0, record=["i_mem"])
quantised = simulated.output.sum(axis=1)
print("trained, mismatch   ", on_chip.tolist(), rate_ratio(on_chip).round(2))
print("quantised, mismatch ", quantised.tolist(), rate_ratio(quantised).round(2))

negative = rv.simulate(config, test_set, mismatch=0.05, chip_seed=0).output.sum(axis=1)
ratios = rate_ratio(negative)
print(
    f"100 unknown samples: ratio {ratios.mean():.2f} +- {ratios.std():.2f}, max {ratios.max():.2f}"
)
rate_ratios(ratios, marked=rate_ratio(quantised), title="quantised: unknown noise, trained samples")

# %%
figure, axes = plt.subplots(1, 2, figsize=(10, 2.2), sharey=True, layout="constrained")
for number, ax in enumerate(axes):
    title = f"quantised, sample {number}: ratio {rate_ratio(quantised)[number]:.2f}"
    rvp.raster(simulated.output[number], dt=DT, ax=ax, title=title)

# %% [markdown]
# ## A hundred virtual chips
#
# How many chips of a batch would decide both samples correctly, before and after quantisation?

# %%
before, after = [], []
for seed in track(range(100), description="virtual chips", disable=None):
    before.append(counts_of(with_mismatch(net, VirtualChip(seed, mismatch=0.05)), train_set))
    run = rv.simulate(config, train_set, mismatch=0.05, chip_seed=seed)
    after.append(run.output.sum(axis=1))
for name, found in {"float": before, "quantised": after}.items():
    right = sum(map(decides, found))
    mid = np.median([rate_ratio(counts) for counts in found], axis=0)
    print(f"{name:9} {right} of 100 chips decide both; median ratios {mid.round(2)}")

figure, axes = plt.subplots(1, 2, figsize=(10, 3.2), sharey=True, layout="constrained")
for sample, ax in enumerate(axes):
    for name, found in {"float": before, "quantised": after}.items():
        pairs = np.array(found)[:, sample]
        ax.scatter(pairs[:, 0], pairs[:, 1], s=12, alpha=0.6, label=name)
    top = int(np.max(before)) + 5
    ax.plot([0, top], [0, top], color="grey", linewidth=0.8, linestyle="--")
    ax.set(xlabel="spikes of neuron 0", title=f"sample {sample}", xlim=(0, top), ylim=(0, top))
axes[0].set_ylabel("spikes of neuron 1")
axes[0].legend()
