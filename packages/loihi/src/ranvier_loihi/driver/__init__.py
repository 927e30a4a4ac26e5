"""The driver: the vendor's Lava on a chip, in this interpreter or in another one, or a loopback.

Nothing of the vendor's software is imported before a device of it is opened.
"""

from .devices import list_devices as list_devices, open_device as open_device
from .lava_network import build_lava_network as build_lava_network
from .options import DeployOptions as DeployOptions
