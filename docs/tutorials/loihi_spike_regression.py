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
# # Spike-to-spike regression on Loihi
#
# Noise goes in, a picture comes out, drawn by the spikes of 200 neurons. The network is trained in
# the chip's own integer arithmetic, exported to a `.net` file, read back and simulated: the
# simulated chip repeats the trained network **spike for spike**. Then it is placed on the cores.
#
# You need `ranvier[torch,plot]` and `ranvier-loihi`; no chip, no vendor software.

# %%
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.path import Path as Outline

import ranvier as rv
import ranvier.nn as rnn
from ranvier.events import EventSeries
from ranvier_loihi.nn import Network, Statistics, Trainer, cuba
from ranvier_loihi.placement import draw_occupancy, occupancy_of, occupancy_table

folder = Path(tempfile.mkdtemp())

# %% [markdown]
# ## The task
#
# 200 input channels fire at random for 2000 steps of 1 ms. The target is a silhouette: over time a
# hall with a dome and two towers passes by, neuron 0 is the ground.

# %%
DT, N_STEPS, N_IN, N_HIDDEN, N_OUT = 1e-3, 2000, 200, 256, 200


def silhouette():
    """Draw a hall, a dome and two towers; True inside, (N_STEPS, N_OUT)."""
    steps, heights = np.meshgrid(np.arange(N_STEPS), np.arange(N_OUT), indexing="ij")
    points = np.column_stack([steps.ravel(), heights.ravel()])
    outlines = [
        [(150, 0), (150, 60), (1850, 60), (1850, 0)],  # hall
        [(250, 0), (250, 120), (330, 165), (410, 120), (410, 0)],  # left tower
        [(1590, 0), (1590, 120), (1670, 165), (1750, 120), (1750, 0)],  # right tower
        [(700, 60), (700, 95), (1300, 95), (1300, 60)],  # drum
        [(985, 150), (985, 185), (1000, 196), (1015, 185), (1015, 150)],  # lantern
    ]
    inside = np.zeros(len(points), dtype=bool)
    for outline in outlines:
        inside |= Outline(outline).contains_points(points)
    x, y = points.T
    inside |= ((x - 1000) / 280) ** 2 + ((y - 95) / 62) ** 2 <= 1  # dome
    for left in range(480, 1560, 120):  # windows
        inside &= ~((abs(x - left) < 22) & (y > 15) & (y < 42))
    return inside.reshape(N_STEPS, N_OUT)


rng = np.random.default_rng(0)
noise = (rng.random((N_STEPS, N_IN)) < 0.006).astype(np.float32)  # 6 spikes per second and channel
picture = (silhouette() & (rng.random((N_STEPS, N_OUT)) < 0.05)).astype(np.float32)

source = EventSeries.from_raster(noise.astype(int), DT)
target = EventSeries.from_raster(picture.astype(int), DT)
print(source, target)

# %%
figure, axes = plt.subplots(1, 2, figsize=(10, 3.5), sharey=True, layout="constrained")
for ax, series, title in zip(axes, (source, target), ("input", "target"), strict=True):
    ax.plot(series.times, series.x, ",", color="C0")
    ax.set(title=title, xlabel="time (s)")
axes[0].set_ylabel("neuron")

# %% [markdown]
# ## The network
#
# Two dense layers of CUBA neurons. The names and the parameters are those of lava-dl's slayer;
# arrays are `(batch, time, neuron)`. Weights act as even integers over 64, decays as integers over
# 4096, thresholds as integers over 64: what you train is what the chip computes.

# %%
device = torch.device("cpu")  # where the kernels run; anything else is refused
torch.manual_seed(0)
neuron = {
    "threshold": 0.1,
    "current_decay": 1,
    "voltage_decay": 0.1,
    "requires_grad": True,
}
net = Network(
    cuba.Dense(neuron, N_IN, N_HIDDEN),
    cuba.Dense(neuron, N_HIDDEN, N_OUT),
).to(device)
print(net)

# %% [markdown]
# ## The loss
#
# Both spike trains pass a filter, `SpikeTime` sums the squared distance of what comes out. The
# first output neuron with a target, before any training:

# %%
x = torch.as_tensor(noise)[None].to(device)
y = torch.as_tensor(picture)[None].to(device)
error = rnn.SpikeTime(time_constant=2, filter_order=2).to(device)

shown = int(np.argmax(picture.any(axis=0)))
with torch.no_grad():
    filtered = error.filter(net(x))[0, :, shown].cpu()
wanted = error.filter(y)[0, :, shown].cpu()

time = np.arange(N_STEPS) * DT
figure, axes = plt.subplots(2, 1, figsize=(9, 4), sharex=True, layout="constrained")
axes[0].plot(time, filtered, label="output")
axes[0].plot(time, wanted, label="target", alpha=0.7)
axes[0].legend(loc="upper right")
axes[1].plot(time, filtered - wanted, color="C3", label="error")
axes[1].legend(loc="upper right")
axes[1].set(xlabel="time (s)")

# %% [markdown]
# ## Training
#
# `Trainer` does one batch at a time and keeps the numbers in `Statistics`. The best network is
# kept. A few hundred epochs show the picture; a few thousand make it sharp.

# %%
EPOCHS = 400
stats = Statistics()
optimizer = torch.optim.Adam(net.parameters(), lr=1e-3, weight_decay=1e-5)
trainer = Trainer(net, error, optimizer, stats=stats)

best = None
for epoch in range(EPOCHS):
    trainer.train(x, y)
    stats.update()
    if stats.training.best_loss:
        best = {name: values.clone() for name, values in net.state_dict().items()}
    if epoch % 100 == 99:
        print(f"epoch {epoch + 1}: {stats}")
stats.save(folder)
stats.plot()

# %% [markdown]
# `best_loss` refers to the loss *before* the step of that epoch, so the kept state is one step
# further, as in lava-dl. We go on with it.

# %%
net.load_state_dict(best)
net.eval()
with torch.no_grad():
    trained = net(x).cpu().numpy()[0]
final = float(error(torch.as_tensor(trained)[None], y.cpu()))
first = stats.training.loss_log[0]
print(f"loss {first:.0f} -> {final:.0f}, {int(trained.sum())} output spikes")

# %% [markdown]
# ## To a file, and back
#
# The `.net` file is the one that lava-dl writes and Lava's netx reads. ranvier reads it as a graph.

# %%
net.export(folder / "net.net")
graph = rv.read(folder / "net.net", dt=DT)
print(graph)

# %% [markdown]
# ## On the chip
#
# Mapping places the neurons, quantisation finds that nothing has to be rounded, the simulator
# computes with the chip's integers. Every hop takes a step; the trained blocks have it inside, so
# that both outputs coincide step by step.

# %%
config = rv.build(graph, "loihi2")
print(config)
recording = rv.simulate(config, noise.astype(int), record=["spikes"])
chip = recording.output
print(f"{int(chip.sum())} spikes on the chip, {int((chip != trained).sum())} differ")

# %% [markdown]
# Where the neurons are, and how full the cores:

# %%
uses = occupancy_of(config)
print(occupancy_table(uses))
draw_occupancy(uses)

# %% [markdown]
# Every dot is a spike: target against output.

# %%
reply = EventSeries.from_raster(chip, DT)
figure, ax = plt.subplots(figsize=(9, 4), layout="constrained")
ax.plot(target.times, target.x, ".", markersize=3, label="target")
ax.plot(reply.times, reply.x, ".", markersize=2, label="output", alpha=0.6)
ax.set(xlabel="time (s)", ylabel="neuron")
ax.legend(loc="upper right")

# %% [markdown]
# Animations as GIF, for the talk:

# %%
for name, series in {"input": source, "target": target, "output": reply}.items():
    series.anim(duration=2.0, frame_rate=12).save(folder / f"{name}.gif")
print(sorted(p.name for p in folder.glob("*.gif")))

# %% [markdown]
# ## What it costs
#
# An estimate from published figures per operation; each names its source.

# %%
for name, entry in rv.estimate(config, recording).items():
    if isinstance(entry, dict) and "value" in entry:
        print(f"{name}: {entry['value']} {entry.get('unit', '')}")

# %%
assert np.array_equal(chip, trained)
assert final < 0.5 * first
assert len(uses) <= 5
