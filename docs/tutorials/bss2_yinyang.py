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
# # YinYang on BrainScaleS-2, in the loop
#
# Points in a circle belong to yin, yang or an eye. Coordinates become spike times, 120 hidden
# neurons fire, three integrators vote. The network is trained twice: numerically, and with a
# virtual chip in the loop, whose circuits scatter and whose membranes are noisy. Then it moves to
# another chip.

# %%
from functools import partial

import matplotlib.pyplot as plt
import numpy as np
import torch
from rich.progress import track

import ranvier as rv
from ranvier_bss2 import VirtualChip, nn
from ranvier_bss2.encoding import coordinates_to_spikes, yinyang
from ranvier_bss2.placement import draw_synapses

torch.set_num_threads(1)
BOTH = nn.MixedHXModelParameter
STEPS, HIDDEN, TAU = 38, 120, 6e-6

train_set, test_set = yinyang(3000, seed=42), yinyang(600, seed=40)
figure, ax = plt.subplots(figsize=(4, 4), layout="constrained")
for label, name in enumerate(("yang", "yin", "eye")):
    ax.scatter(*train_set.x[train_set.label == label, :2].T, s=3, label=name)
ax.set(aspect="equal", title="YinYang")
ax.legend(loc="upper right")

# %% [markdown]
# Each coordinate is one spike, the later the larger; a fifth channel spikes at a fixed time. On
# the chip five copies of every input raise its drive.


# %%
class Network(torch.nn.Module):
    """Inputs, a hidden layer, and three classes by the highest membrane."""

    def __init__(self, *, repeat=1, scale=55.0, trace=1 / 45, **settings):
        super().__init__()
        self.experiment, self.repeat = nn.Experiment(**settings), repeat
        e, aligned = self.experiment, {"trace_scale": trace, "trace_offset": 80.0}
        write = partial(nn.linear_saturating, scale=scale)
        self.first = nn.Synapse(5 * repeat, HIDDEN, e, transform=write)
        self.hidden = nn.LIF(
            HIDDEN,
            e,
            leak=BOTH(0, 80),
            reset=BOTH(0, 80),
            threshold=BOTH(1, 80 + 1 / trace),
            tau_mem=TAU,
            tau_syn=TAU,
            membrane_capacitance=BOTH(TAU, 63),
            alpha=150.0,
            **aligned,
        )
        self.second = nn.Synapse(HIDDEN, 3, e, transform=write)
        self.readout = nn.LI(3, e, leak=BOTH(0, 80), tau_mem=TAU, tau_syn=TAU, **aligned)

    def forward(self, points):
        times = {"seq_length": STEPS, "t_early": 2e-6, "t_late": 26e-6, "t_bias": 2e-6}
        spikes = torch.tensor(coordinates_to_spikes(points, **times), dtype=torch.float32)
        handle = self.first(nn.NeuronHandle(spikes.repeat(1, 1, self.repeat)))
        handle = self.readout(self.second(self.hidden(handle)))
        nn.run(self.experiment, STEPS)
        return handle.membrane_cadc.amax(1)


def accuracy(network):
    """Return the share of test samples that are right."""
    with torch.no_grad():
        return float(np.mean(network(test_set.x).argmax(1).numpy() == test_set.label))


def train(network, *, epochs, gain, what):
    """Train with Adam; return the accuracy after every epoch."""
    optimizer = torch.optim.Adam(network.parameters(), lr=2e-3)
    labels, found = torch.tensor(train_set.label), []
    for _ in track(range(epochs), description=what, disable=None):
        for part in torch.randperm(len(train_set)).split(50):
            optimizer.zero_grad()
            score = network(train_set.x[part.numpy()]) * gain
            loss = torch.nn.functional.cross_entropy(score, labels[part])
            (loss + 4e-4 * score.square().mean()).backward()
            optimizer.step()
        found.append(accuracy(network))
    return found


# %%
torch.manual_seed(0)
model = Network(backend="numeric")
torch.nn.init.normal_(model.first.weight, 0.8, 0.25)
torch.nn.init.normal_(model.second.weight, 0.0, 0.1)
in_model = train(model, epochs=8, gain=1.0, what="numeric")
print("numeric:", " ".join(f"{100 * a:.1f}" for a in in_model))

# %% [markdown]
# ## In the loop
#
# The same class with `backend="emulator"`. Forward on the chip, backward through the model.


# %%
def on_chip(seed):
    """Return a network on a virtual chip."""
    torch.manual_seed(0)
    settings = {"backend": "emulator", "chip": VirtualChip.of(seed), "kappa": 70 / 66.39}
    network = Network(repeat=5, scale=66.39, trace=1 / 70, **settings)
    torch.nn.init.normal_(network.first.weight, 0.25, 0.25)
    torch.nn.init.normal_(network.second.weight, 0.0, 0.1)
    return network


first = on_chip(seed=1)
in_loop = train(first, epochs=6, gain=10.0, what="chip 1")
print("chip 1:", " ".join(f"{100 * a:.1f}" for a in in_loop))

# %%
figure, ax = plt.subplots(figsize=(6, 3), layout="constrained")
ax.plot(range(1, 9), in_model, "o-", label="numeric")
ax.plot(range(1, 7), in_loop, "o-", label="in the loop with chip 1")
ax.set(xlabel="epoch", ylabel="test accuracy")
ax.legend()

# %% [markdown]
# ## Another chip
#
# Chip 2 has other circuits. The network that was trained on chip 1 is worse there at first; two
# epochs of further training bring it back.

# %%
second = on_chip(seed=2)
second.load_state_dict(first.state_dict())
before = accuracy(second)
after = train(second, epochs=2, gain=10.0, what="chip 2")
print(f"chip 2: {100 * before:.1f}, after two epochs {100 * after[-1]:.1f}")

# %% [markdown]
# ## Where it sits
#
# The configuration of the last run: which circuit is which neuron, and the synapses in use of
# both arrays. Like any other it can be saved, shown and simulated.

# %%
config = second.experiment.config
print(config)
figure = draw_synapses(config)

# %%
times = {"seq_length": STEPS, "t_early": 2e-6, "t_late": 26e-6, "t_bias": 2e-6}
points = np.repeat(coordinates_to_spikes(test_set.x[:50], **times)[..., None, :], 5, axis=2)
recording = rv.simulate(
    config, points.reshape(50, STEPS, 25), preset="calibrated", chip_seed=2, record=["spikes"]
)
print(recording)
