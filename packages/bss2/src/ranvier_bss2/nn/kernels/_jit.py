"""How the backward kernels are compiled: as the forward ones.

They are made of vector operations that are rounded as written, so that there is nothing to be
gained from other rules for gradients.
"""

from ...kernels._jit import exact as exact, part as part
