"""Build a layer of xylosim, the vendor's simulator, from our arrays."""

import numpy as np


def peer_layer(module, arrays):
    """Return the layer and what must outlive it: it points into these Python objects."""
    synapses = [
        _synapses(module, arrays.weights_in),
        _synapses(module, arrays.weights_rec),
        _synapses(module, _out_weights(arrays)),
    ]
    aliases = [[int(target)] if target >= 0 else [] for target in arrays.aliases]
    biased = bool(arrays.bias.any() or arrays.bias_out.any())
    bias = {
        "has_bias": biased,
        "bias": arrays.bias.tolist(),
        "bias_out": arrays.bias_out.tolist(),
    }
    layer = module.XyloLayer(
        synapses_in=synapses[0],
        synapses_rec=synapses[1],
        synapses_out=synapses[2],
        aliases=aliases,
        threshold=arrays.threshold.tolist(),
        threshold_out=arrays.threshold_out.tolist(),
        **(bias if arrays.version == 2 else {}),
        weight_shift_inp=arrays.weight_shift_in,
        weight_shift_rec=arrays.weight_shift_rec,
        weight_shift_out=arrays.weight_shift_out,
        dash_mem=arrays.dash_mem.tolist(),
        dash_mem_out=arrays.dash_mem_out.tolist(),
        dash_syns=arrays.dash_syn.tolist(),
        dash_syns_out=arrays.dash_syn_out[:, None].tolist(),
        name="peer",
    )
    return layer, (synapses, aliases)


def _synapses(module, weights):
    """One list of synapse objects per source, targets ascending."""
    lists = [[] for _ in weights]
    for source, target, synapse in np.argwhere(weights).tolist():
        weight = int(weights[source, target, synapse])
        lists[source].append(module.XyloSynapse(target, synapse, weight))
    return lists


def _out_weights(arrays):
    """Output weights of all hidden neurons, ``(n_hidden, n_out, 1)``."""
    weights = np.zeros((arrays.n_hidden, arrays.n_out, 1), np.int8)
    weights[arrays.n_hidden - len(arrays.weights_out) :, :, 0] = arrays.weights_out
    return weights
