"""Dropout of whole neurons."""

from __future__ import annotations

from ranvier.nn import UnitDropout


class NeuronDropout(UnitDropout):
    """Silence neurons for a whole sample with probability ``p``; the others times ``1/(1-p)``.

    Parameters
    ----------
    p : float
        Probability, 0 <= p < 1. Evaluation passes the input on.

    References
    ----------
    lava-dl 0.6.0 documentation, slayer neuron ``Dropout``.
    """
