"""Numerics of the neuron without torch: parameters, state, synapses, and two ways to run.

Everything is float32 and done in the order written here. S are the spike counts of the step before,
x is the input of the step; an input spike acts in its own step, a spike of a neuron in the next.

Constants, with ``L(i) = max(i, i_o)``::

    kappa = (kappa_n + kappa_p) / 2         kappa' = kappa kappa / (kappa + 1)
    tau(i, c) = u_t / kappa c / i           width(i, c) = v_th c / i

**Merged synapse**, what rockpool's DynapSim computes (release 3.1.0)::

    drive    = (w_rec^T S + x) i_scale                  signed sum of everything
    i_syn    = exp(-dt/tau_syn) i_syn
               + (1 - exp(-t_pulse/tau_syn)) max(L(i_gain_syn)/L(i_tau_syn) drive, i_o)
    i_ahp    = max(exp(-dt/tau_ahp) i_ahp
               + (1 - exp(-t_pulse_ahp/tau_ahp)) L(i_gain_ahp)/L(i_tau_ahp) i_w_ahp S, i_o)
    feedback = i_o exp(kappa' v_mem / u_t)
    leak     = L(i_tau_mem) + i_ahp
    i_in     = max((i_syn - leak + i_dc) [timer == 0], i_o)
    i_inf    = L(i_gain_mem)/L(i_tau_mem) (i_in - leak)
    positive = feedback / leak (i_mem + L(i_gain_mem))
    slope    = i_mem / (tau(leak, c_mem) (i_mem + L(i_gain_mem)))
               (i_inf + positive - i_mem (1 + i_ahp / L(i_tau_mem)))
    i_mem    = max(i_mem + slope dt, i_o)
    v_mem    = u_t/kappa ln(i_mem / i_o)
    S        = max(ceil(ln(i_mem / i_spkthr)), 0)       may exceed 1
    i_mem    = i_o  and  timer = v_th c_ref / i_ref     where S > 0
    timer    = max(timer - dt, 0)                       elsewhere

The synapse uses the currents and the capacitance of AMPA. A net inhibition is clipped within its
step, so it does not last. The timer is a float32 in seconds and compared with 0 exactly: a period
of 1 ms is a little less than ``dt`` in float32 and blocks one step, a hundredth more blocks two.

**Four synapses** (Chicca et al., Proc. IEEE 102 (2014); Bartolozzi and Indiveri, Neural Computation
19 (2007); Livi and Indiveri, ISCAS 2009): AMPA, GABA, NMDA and shunt each have the synapse of above
with their own drive, time constant, gain and capacitance, and::

    i_nmda'  = i_nmda / (1 + i_f_nmda / i_mem)
    leak     = L(i_tau_mem) + i_shunt
    i_in     = max((i_nmda' + i_ampa - i_gaba + i_dc) [waiting == 0], i_o)
    i_inf    = L(i_gain_mem)/L(i_tau_mem) (i_in - i_ahp - leak)
    slope    = i_mem / (tau(leak, c_mem) (i_mem + L(i_gain_mem)))
               (i_inf + positive - i_mem (1 + i_ahp / leak))

with a refractory period of whole steps, ``waiting = ceil(t_ref/dt - 1e-6)`` after a spike; the rest
is as above.
"""

from .parameters import DpiParameters as DpiParameters
from .run import DpiRun as DpiRun, run_layer as run_layer, run_routed as run_routed
from .state import DpiState as DpiState
from .synapses import Synapses as Synapses
