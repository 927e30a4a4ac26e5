"""The driver of DYNAP-SE2 boards: the vendor's SDK samna, or a loopback without hardware.

The SDK is imported only when a board is listed or opened, and never if it is the placeholder of
the public package index.
"""

from .devices import list_devices as list_devices, open_device as open_device
from .events import input_packets as input_packets, output_events as output_events
from .options import DeployOptions as DeployOptions
