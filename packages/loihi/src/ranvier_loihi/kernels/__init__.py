"""The integer arithmetic of Loihi, compiled: synapses scatter spikes, populations advance."""
