"""Who sits where: neurons, inputs, outputs, biases and CAM of a configuration as rows and text."""

from .floorplan import floorplan as floorplan
from .maps import (
    Destination as Destination,
    InputRow as InputRow,
    NeuronRow as NeuronRow,
    OutputRow as OutputRow,
    input_map as input_map,
    neuron_map as neuron_map,
    output_map as output_map,
)
from .registers import (
    BiasRow as BiasRow,
    CamRow as CamRow,
    bias_rows as bias_rows,
    cam_rows as cam_rows,
)
from .text import as_table as as_table
