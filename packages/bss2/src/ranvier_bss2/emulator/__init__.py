"""A chip emulated from its registers in LSB, with the silicon of a virtual chip.

Short-term plasticity of the drivers and correlation sensors are not in a configuration, and not
emulated.
"""

from .emulator import Emulator as Emulator
from .neurons import DRAWS as DRAWS, Realised as Realised, realise as realise
from .wiring import Wiring as Wiring, wire as wire
