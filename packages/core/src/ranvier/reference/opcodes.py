"""Instructions of the reference: what a graph is compiled to and the kernel interprets.

An instruction is a row of ten integers: the code, the number of elements ``n``, and operands.
Operands are offsets: *value* into the values of a step (what nodes emit and receive), *state* into
the state of a sample, *par* into the parameters, *matrix* and *pointer* into the weights. Operands
by code, in order:

========== =================================================================== =====================
code       operands                                                            effect
========== =================================================================== =====================
ZERO       value y                                                             y = 0
INPUT      value y, column c                                                   y = input[c]
ADD        value y, value x                                                    y += x
RECALL     value y, state h, depth D, delay d                                  y += h[d steps ago]
PUSH       state h, depth D, value x                                           h[now] = x
DELAY      value y, state h, depth D, value x, par d                           y = x[d steps ago]
FILL       value y, par b                                                      y = b
DENSE      value y, value x, n_in, matrix W (n_in, n)                          y += x W
SPARSE     value y, value x, n_in, pointer p (n_in + 1)                        y += x W
MULTIPLY   value y, value x, par f                                             y = x f
DIVIDE     value y, value x, par f                                             y = x / f
COMPARE    value y, value x, par th, flags                                     y = x >= th
SYNAPSE    value y, value x, state i, par beta, first                          y += (i = beta i + x)
CURRENT    value y, state i, first                                             y += i
LEAK       state v, value x, par (alpha, rest, bias)                           decay v, add x, bias
EMIT       value y, state v                                                    y = v
FIRE       value y, state v, state left, par (th, v_reset, hold, max), flags   spikes and reset
ADAPTIVE   value y, state v, state th, state r, state left, par, flags         spikes, adaptation
ADEX       value y, state v, state w, state left, value current, par, flags    whole AdEx membrane
RESONATE   value y, state (re, im), value re, value im, state left, par, flags rotation and spikes
DELTA      value y, state (sigma, activation, residual), value x, par, flags   graded changes
========== =================================================================== =====================

``first`` is 1 where y is overwritten instead of added to. ``left`` is -1 without refractory time.
"""

from __future__ import annotations

WIDTH = 10
"""Integers per instruction."""

ZERO, INPUT, ADD, RECALL, PUSH, DELAY, FILL, DENSE, SPARSE, MULTIPLY, DIVIDE = range(11)
COMPARE, SYNAPSE, CURRENT, LEAK, EMIT, FIRE, ADAPTIVE, ADEX, RESONATE, DELTA = range(11, 21)

STRICT = 1
"""Flag: fire above the threshold only, not at it."""
SUBTRACT = 2
"""Flag: reset by subtraction."""
AMPLITUDE = 4
"""Flag: the resonator fires on amplitude, not on phase."""
RELU = 8
"""Flag: rectified activation."""

RECORD_SPIKES, RECORD_VALUE, RECORD_STATE = range(3)
"""What a row of the recording plan copies: counts to events, values or states to traces."""
