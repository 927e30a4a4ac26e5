"""The driver of BrainScaleS-2: hxtorch or PyNN on a chip, or a loopback without hardware.

The vendor's software stack is found without importing it, and imported only when a chip is opened.
"""

from .devices import list_devices as list_devices, open_device as open_device
from .options import DeployOptions as DeployOptions
