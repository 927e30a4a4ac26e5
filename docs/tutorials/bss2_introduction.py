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
# # BrainScaleS-2: one neuron, two converters, and a readout in the loop
#
# BrainScaleS-2 is an analogue chip that runs a thousand times faster than biology. We calibrate a
# virtual one, watch a single neuron through both of its converters, compute the same neuron
# numerically, bring the two into agreement by hand and then with one call, and train a readout
# with the chip in the loop.
#
# You need `ranvier[torch,plot]` and `ranvier-bss2`; no chip, no container, no account. With a
# chip, the word `"emulator"` becomes `"hardware"`, and nothing else changes.

# %%
from functools import partial

import matplotlib.pyplot as plt
import numpy as np
import torch
from rich.progress import track

from ranvier_bss2 import VirtualChip, nn
from ranvier_bss2.alignment import align
from ranvier_bss2.calibration import calibrate
from ranvier_bss2.encoding import sum_of_sines
from ranvier_bss2.plotting import aligned_traces, calibration_spread, converter_traces

torch.set_num_threads(1)  # these networks are small
torch.manual_seed(0)
DT = 1e-6  # one microsecond of the chip

# %% [markdown]
# ## A chip, calibrated
#
# As fabricated, no two circuits are alike: potentials scatter by several LSB of the converter,
# time constants by tens of per cent. A calibration finds the codes at which every circuit comes
# closest to its targets. It measures through the chip's own converters, so it never sees the
# truth.

# %%
result = calibrate(VirtualChip.of(7, "uncalibrated"))
chip = result.chip()
print(result)
figure = calibration_spread(result)

# %% [markdown]
# ## One synapse, one neuron
#
# Four input spikes meet one synapse of weight 63 and one leaky integrate-and-fire neuron. Modules
# are called first; each call returns a *handle*, which `run` fills. The CADC samples all
# membranes every 1.7 microseconds with 8 bits, the MADC one of them with 10 bits at 29 million
# samples per second.

# %%
events = [10, 15, 20, 30]
spikes = torch.zeros(1, 50, 1)  # (batch, time, neuron)
spikes[0, events] = 1

experiment = nn.Experiment("emulator", dt=DT, chip=chip)
synapse = nn.Synapse(1, 1, experiment)
neuron = nn.LIF(1, experiment, enable_madc_recording=True, record_neuron_id=0)
synapse.weight.data.fill_(63)

handle = neuron(synapse(nn.NeuronHandle(spikes)))
print("before:", handle)
nn.run(experiment, 50)
print("after: ", handle)
print("spikes at step", handle.spikes[0, :, 0].nonzero().flatten().tolist())

figure, ax = plt.subplots(figsize=(8, 3), layout="constrained")
converter_traces(experiment.raw, "lif", events=np.array(events) * DT, ax=ax)

# %% [markdown]
# ## The same neuron, numerically
#
# The backend is the only difference. The model has other units: its weight is 50, so that the
# neuron fires once as well.

# %%
model = nn.Experiment("numeric", dt=DT)
model_synapse, model_neuron = nn.Synapse(1, 1, model), nn.LIF(1, model)
model_synapse.weight.data.fill_(50)
numeric = model_neuron(model_synapse(nn.NeuronHandle(spikes)))
nn.run(model, 50)
print("spikes at step", numeric.spikes[0, :, 0].nonzero().flatten().tolist())

figure, ax = plt.subplots(figsize=(8, 3), layout="constrained")
ax.plot(numeric.membrane_cadc[0, :, 0].detach(), label="model")
ax.plot(handle.membrane_cadc[0, :, 0].detach(), label="chip, CADC")
ax.vlines(events, 70, 76, color="grey", label="input")
ax.set(xlabel="time (us)", ylabel="LSB, or model units")
ax.legend()

# %% [markdown]
# ## Alignment by hand
#
# In a useful model the leak is 0 and the threshold 1. On the chip they are 80 and 125 LSB. Which
# factor turns LSB into model units? **Baseline**: the mean reading without input, over ten runs.
# **Threshold**: the highest reading while every step brings a spike. The distance of the two is
# one unit of the model.

# %%
BOTH = nn.MixedHXModelParameter  # a value for the model, and another for the chip
potentials = {"leak": BOTH(0, 80), "reset": BOTH(0, 80), "threshold": BOTH(1, 125)}


def run_once(backend, inputs, weight, **settings):
    """Run one neuron; return its membrane, (runs, time)."""
    options = {"chip": chip} if backend == "emulator" else {}
    own = nn.Experiment(backend, dt=DT, **options)
    to_neuron, lif = nn.Synapse(1, 1, own), nn.LIF(1, own, **potentials, **settings)
    to_neuron.weight.data.fill_(weight)
    seen = lif(to_neuron(nn.NeuronHandle(inputs)))
    nn.run(own, inputs.shape[1])
    return seen.membrane_cadc.detach()[..., 0].numpy()


silent, busy = torch.zeros(10, 100, 1), torch.ones(10, 100, 1)
baseline = run_once("emulator", silent, 63).mean()
threshold = run_once("emulator", busy, 63).max(axis=1).mean()
trace_scale = 1.0 / (threshold - baseline)
print(f"baseline {baseline:.1f} LSB, threshold {threshold:.1f} LSB")
print(f"trace scale 1/{1 / trace_scale:.1f}")

# %% [markdown]
# **Weights**: single spikes of a weight of 40 on the chip and of 1 in the model; the ratio of
# their postsynaptic potentials tells how many LSB a model weight of 1 is.

# %%
single = torch.zeros(100, 60, 1)  # a hundred runs: noise averages out
single[:, 10] = 1
on_chip = (run_once("emulator", single, 40) - baseline) * trace_scale
in_model = run_once("numeric", single, 1.0)
weight_scale = 40 * in_model.max() / on_chip.mean(axis=0).max()
print(f"weight scale {weight_scale:.1f}")

# %% [markdown]
# ## Alignment in one call
#
# By hand the threshold reads low: under a spike at every step the membrane rises by many LSB
# between two samples, and the CADC misses its highest points. `align` takes the weakest constant
# input that makes the neuron fire, weights of both signs and a line through all of them, finds a
# shift in time, and explains every number.

# %%
layer = nn.LIF(1, nn.Experiment("emulator", dt=DT, chip=chip), **potentials)
alignment = align(layer, chip)
print(alignment.explain())

# %%
weight = 20 / alignment.weight_scale  # in units of the model
written = {"trace_scale": alignment.trace_scale, "trace_offset": alignment.trace_offset}
trace = run_once("emulator", single, weight * alignment.weight_scale, **written)
figure, ax = plt.subplots(figsize=(8, 3), layout="constrained")
aligned_traces(trace.mean(axis=0)[:, None], run_once("numeric", single[:1], weight).T, ax=ax)

# %% [markdown]
# ## A readout, trained in the loop
#
# 128 inputs fire at random; three leaky integrators are to draw sums of sines with their
# membranes. The forward pass runs on the chip: weights are rounded to 6 bits and a sign,
# membranes come back through the CADC, with noise. The backward pass runs through the model. 200
# epochs.

# %%
target = torch.tensor(sum_of_sines(3, seed=0), dtype=torch.float32)


def readout(backend, **settings):
    """Train a readout; return losses and the last output."""
    torch.manual_seed(0)
    own = nn.Experiment(backend, dt=DT, **settings)
    write = partial(nn.linear_saturating, scale=55.0)  # model weights to LSB, for the chip only
    to_readout = nn.Synapse(128, 3, own, transform=write)
    li = nn.LI(3, own, leak=BOTH(0, 80), trace_scale=1 / 45, shift_cadc_to_first=True)
    noise = (torch.rand(1, 100, 128) < 0.03).float()
    optimizer = torch.optim.Adam(to_readout.parameters(), lr=2e-3)
    losses = []
    for _ in track(range(200), description=backend, disable=None):
        optimizer.zero_grad()
        seen = li(to_readout(nn.NeuronHandle(noise)))
        nn.run(own, 100)
        loss = torch.nn.functional.mse_loss(seen.membrane_cadc, target)
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    return losses, seen.membrane_cadc.detach()[0]


in_model, from_model = readout("numeric")
in_loop, from_chip = readout("emulator", chip=chip)
print(f"model: {in_model[0]:.3f} -> {in_model[-1]:.5f}")
print(f"chip:  {in_loop[0]:.3f} -> {in_loop[-1]:.4f}")

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(11, 3.2), layout="constrained")
left.semilogy(in_model, label="numeric")
left.semilogy(in_loop, label="chip in the loop")
left.set(xlabel="epoch", ylabel="loss")
left.legend()
for k, colour in enumerate(("C0", "C1", "C2")):
    right.plot(target[0, :, k] + 2 * k, color=colour, linewidth=3, alpha=0.3)
    right.plot(from_chip[:, k] + 2 * k, color=colour, linewidth=1)
right.set(xlabel="time (us)", yticks=[], title="target (wide) and the chip's membranes")

# %% [markdown]
# The loss on the chip ends where its noise begins. A chip that is released can be used by others:
# `close`, or a `with` block around a session of `ranvier.deploy`, always does.

# %%
experiment.close()
