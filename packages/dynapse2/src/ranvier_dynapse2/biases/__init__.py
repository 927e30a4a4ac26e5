"""The bias generator: names, codes, and the currents that they give."""

from .names import (
    BUFFER_BIASES as BUFFER_BIASES,
    CORE_BIASES as CORE_BIASES,
    PARAMETER_BIASES as PARAMETER_BIASES,
    SCALE_FACTORS as SCALE_FACTORS,
    WEIGHT_BIASES as WEIGHT_BIASES,
    scale_factor as scale_factor,
    transistor as transistor,
)
from .table import BiasCode as BiasCode, BiasTable as BiasTable, published_table as published_table
