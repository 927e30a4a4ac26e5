"""Vector passes over all neurons. Written so that LLVM keeps every lane at 16 bits.

Two things matter: results are cut back to 16 bits after each operation, and no loop touches more
than four arrays (beyond that, the run-time overlap checks make the vectoriser give up).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ._jit import Array, jit


@jit
def saturate(x: Any) -> Any:
    """Clip to 16 bits; together with the addition before it one vector instruction."""
    return np.int16(min(max(x, -32768), 32767))


@jit
def leak(x: Any, dash: Any) -> Any:
    """Decay by ``x >> dash``, at least by 1 from above; the mask proves that 16 bits suffice."""
    step = np.int16(x >> (dash & 15))
    if step == 0 and x > 0:
        step = np.int16(1)
    return np.int16(x - step)


@jit
def decay(i_syn: Array, dash: Array) -> None:
    """Decay synaptic currents in place."""
    for j in range(i_syn.size):
        i_syn[j] = leak(i_syn[j], dash[j])


@jit
def rise(v: Any, current: Any, bias: Any, dash: Any) -> Any:
    """New membrane by the rule of version 2: leak and current are summed first, then added."""
    lost = np.int16(v - leak(v, dash))
    change = saturate(current + np.int16(-lost))
    change = saturate(change + bias)
    return saturate(v + change)


@jit
def charge_v2(v_mem: Array, i_syn: Array, bias: Array, dash: Array) -> None:
    """Update the membranes of neurons with one synapse, version 2."""
    for j in range(v_mem.size):
        v_mem[j] = rise(v_mem[j], i_syn[j], bias[j], dash[j])


@jit
def charge_v2_from_two(v_mem: Array, i_syn: Array, i_syn2: Array, bias: Array, dash: Array) -> None:
    """Update the membranes of neurons with two synapses, version 2; their sum is not clipped."""
    for j in range(v_mem.size):
        v_mem[j] = rise(v_mem[j], np.int32(i_syn[j]) + np.int32(i_syn2[j]), bias[j], dash[j])


@jit
def charge_v1(v_mem: Array, i_syn: Array, dash: Array) -> None:
    """Update the membranes of neurons with one synapse, version 1."""
    for j in range(v_mem.size):
        v_mem[j] = saturate(leak(v_mem[j], dash[j]) + i_syn[j])


@jit
def charge_v1_from_two(v_mem: Array, i_syn: Array, i_syn2: Array, dash: Array) -> None:
    """Update the membranes of neurons with two synapses, version 1."""
    for j in range(v_mem.size):
        current = np.int32(i_syn[j]) + np.int32(i_syn2[j])
        v_mem[j] = saturate(leak(v_mem[j], dash[j]) + current)


@jit
def compare(reached: Array, v_mem: Array, threshold: Array) -> None:
    """Mark the neurons at or above threshold with 1."""
    for j in range(v_mem.size):
        reached[j] = v_mem[j] >= threshold[j]


@jit
def list_nonzero(words: Array, index: Array) -> Any:
    """Write the positions of nonzero bytes, ascending; return how many.

    Bytes are skipped eight at a time. ``index`` needs eight elements more than bytes are set.
    """
    n: Any = 0
    for i in range(words.size):
        word = words[i]
        if word:
            for k in range(8):
                index[n] = 8 * i + k
                n += np.int64((word >> np.uint64(8 * k)) & np.uint64(255) != 0)
    return n
