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
# # SynNet: temporal features from synapses
#
# A SynNet is a feed-forward network whose hidden layers remember the past with *synapses of many
# time constants*: within a layer they form a geometric series, so that some neurons respond to the
# last milliseconds and others to the last second. It needs no recurrent weights and fits small
# chips well (Weidel and Sheik, *WaveSense*, arXiv:2111.01456).
#
# You need `ranvier[torch,plot]`, and `ranvier-xylo` for the last section.

# %%
import matplotlib.pyplot as plt
import torch

import ranvier as rv
import ranvier.nn as rnn
from ranvier.plotting import learning_curve, raster, time_constants, traces

_ = torch.manual_seed(0)

# %% [markdown]
# ## The architecture
#
# Four classes, four input channels, three hidden layers with two, four and eight time constants.

# %%
net = rnn.SynNet(
    n_classes=4,
    n_channels=4,
    size_hidden_layers=[16, 24, 32],
    time_constants_per_layer=[2, 4, 8],
    tau_syn_base=2e-3,
    threshold=0.5,
    dt=1e-3,
)
print(net)

# %% [markdown]
# ## Time constants
#
# Number *j* of the series is $dt\,(\tau_\mathrm{base}/dt)^j$: with a base of 2 ms and a step of
# 1 ms it doubles from one to the next. Neuron *q* of a layer with *m* of them has number
# $(q \bmod m) + 1$. Each is replaced by the nearest one whose decay is a bit shift, so that digital
# chips take it as it is.

# %%
_ = time_constants(
    {name: net.seq[name].tau_syn.expand(net.seq[name].shape) for name in net.lif_names}, dt=net.dt
)

# %% [markdown]
# ## Inside
#
# Layers are found by name or by position, and iterated like any list.

# %%
print(net.seq["0_neurons"] is net.seq[1], net.lif_names)

# %%
for name, module in net.seq.named_children():
    if isinstance(module, rnn.Linear):
        print(f"{name:12} {tuple(module.weight.shape)}, mean |w| {module.weight.abs().mean():.3f}")

# %% [markdown]
# Slow synapses sum more input; their initial weights are smaller in proportion.
#
# With `record=True` every layer shows its currents, membranes and spikes.

# %%
spikes_in = (torch.rand(1, 100, 4) < 0.1).float()
with torch.no_grad():
    output, states = net(spikes_in, record=True)

figure, axes = plt.subplots(2, 1, figsize=(7, 5), sharex=True, layout="constrained")
raster(spikes_in[0].int(), dt=net.dt, ax=axes[0], title="input")
_ = traces(
    states["0_neurons"].current[0, :, :4],
    dt=net.dt,
    ax=axes[1],
    title="synaptic currents of four neurons of the first layer: short and long memory",
)

# %% [markdown]
# ## Spikes or membranes
#
# A classifier may also be read out by the membranes of its last layer. The switch can be set when
# the network is built, or at any time later.

# %%
net.output = "vmem"
with torch.no_grad():
    membranes = net(spikes_in)
_ = traces(membranes[0], dt=net.dt, title="membranes of the output neurons")
net.output = "spikes"

# %% [markdown]
# ## Other neurons
#
# Any neuron model of `ranvier.nn` takes the place of the default. One without synaptic currents has
# no use for the series; further arguments go to all layers.

# %%
adaptive = rnn.SynNet(
    4, 4, size_hidden_layers=[16], time_constants_per_layer=[2], neuron_model=rnn.AdaptiveLIF
)
bitshift = rnn.SynNet(
    4, 4, size_hidden_layers=[16], time_constants_per_layer=[2], neuron_kwargs={"decay": "bitshift"}
)
print(adaptive.seq["0_neurons"])
print(bitshift.seq["0_neurons"])

# %% [markdown]
# ## Trainable constants
#
# Time constants and thresholds are fixed by default. Asked for, they are among the parameters.

# %%
trained = rnn.SynNet(4, 4, train_time_constants=True, train_threshold=True)
print([name for name, _ in trained.named_parameters()])

# %% [markdown]
# ## Dropout
#
# With a dropout probability each hidden layer is followed by a module that drops spikes of single
# steps while training. In evaluation it does nothing.

# %%
dropping = rnn.SynNet(4, 4, p_dropout=0.1)
print([name for name, _ in dropping.seq.named_children()])

# %% [markdown]
# ## Training
#
# A plain torch loop; nothing special is needed. One sample of random spikes, 100 steps on four
# channels, is to be recognised as class 2: ten epochs of cross entropy on the mean membranes.

# %%
torch.manual_seed(1)
spikes_in = (torch.rand(1, 100, 4) < 0.05).float()
label = torch.tensor([2])
net.output = "vmem"
optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
losses = []
for _ in range(10):
    loss = torch.nn.functional.cross_entropy(net(spikes_in).mean(dim=1), label)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
_ = learning_curve({"training": losses}, quantity="cross entropy")

# %% [markdown]
# ## To a chip
#
# As every network of `ranvier.nn`, a SynNet becomes a graph, and from there anything that is
# installed.

# %%
net.output = "spikes"
config = rv.build(rnn.to_graph(net), "xylo-audio2")
print(config)

# %%
taus = net.seq["2_neurons"].tau_syn
ratios = taus[1:8] / taus[:7]
assert ((ratios > 1.9) & (ratios < 2.5)).all()
assert losses[-1] < losses[0]
assert config.n_hid == 16 + 24 + 32
