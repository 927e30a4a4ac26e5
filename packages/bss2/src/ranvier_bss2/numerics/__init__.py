"""The numerics of the chip's neurons in model units: forward Euler in float32.

One step, in this order, with ``C`` the capacitance and ``g = C / tau_mem`` (0 without ``leaky``)::

    1  s   = i + g (leak - v)
             + g exp_slope exp((v - exp_threshold) / exp_slope)       with "exponential"
             - w                                                      with an adaptation
    2  v   = v + dt/C s          the current of the last step drives the membrane
    3  i   = i (1 - dt/tau_syn) + x
       v   = v_hw                                                     where observed
    4  z   = 1 where v > threshold, else 0                            with "fire"
       z   = z_hw                                                     where observed
    5  w   = w (1 - dt/tau_adaptation)
             + dt/tau_adaptation a (v - leak_adaptation)              with "subthreshold_adaptation"
             + b z                                                    with "spike_triggered_..."
       w   = w_hw                                                     where observed
    6  v   = reset where z                                            unless v is observed
    7  m   = 1 where ref > 0;  v = reset where m  (unless observed);  z = 0 where m
       z   = z_hw                                                     where observed
       ref = refractory/dt where z, else max(ref - m, 0)

Every operation is rounded to float32 and done from left to right. At the start ``i = w = ref = 0``
and ``v = leak`` with "leaky" or "subthreshold_adaptation", else 0. An input of a step acts on the
membrane in the next one. ``refractory/dt`` is not rounded: ``ceil(refractory/dt)`` steps are masked
(a quotient within 1e-5 of a whole number is that number: times of float32 have this error).

References
----------
hxtorch @3bfc7aa, spiking functionals (CUBA-AELIF integration).
"""

from .parameters import NeuronParameters as NeuronParameters
from .run import LayerRun as LayerRun, run_layer as run_layer
from .state import LayerState as LayerState
