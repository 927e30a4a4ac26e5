"""The nouns that travel along the pipeline: mapped network, configuration, recording, session."""

from .config import Array as Array, ChipConfig as ChipConfig, OutputChannel as OutputChannel
from .mapped import MappedNetwork as MappedNetwork
from .placement import Placement as Placement
from .recording import Recording as Recording
from .session import AbstractSession as AbstractSession, State as State
from .signal import Signal as Signal, SpikeTrain as SpikeTrain, Trace as Trace
