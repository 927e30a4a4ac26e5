"""Files: the ``.rv`` container, NIR, events, and the registry of formats."""

from ._layout import FileHeader as FileHeader
from .container import (
    KINDS as KINDS,
    describe as describe,
    load as load,
    save as save,
)
from .nir import (
    graph_from_nir as graph_from_nir,
    read_nir as read_nir,
    write_nir as write_nir,
)
from .registry import Format as Format, formats as formats, read as read, write as write
