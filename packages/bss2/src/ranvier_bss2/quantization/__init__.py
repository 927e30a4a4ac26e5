"""The verb *quantize*: MappedNetwork to Bss2Config."""

from ._config import (
    config_of as config_of,
    network_of as network_of,
    with_weights as with_weights,
)
from ._network import quantize_network as quantize_network
from ._weights import clip_weights as clip_weights, round_weights as round_weights
from .adex import (
    AdexCodes as AdexCodes,
    adex_codes as adex_codes,
    pulse_length as pulse_length,
)
from .options import QuantizeOptions as QuantizeOptions
from .realised import realised as realised
from .refractory import (
    RefractorySettings as RefractorySettings,
    refractory_settings as refractory_settings,
)
