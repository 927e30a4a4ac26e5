"""The .net files of netx (lava-dl): read as graphs, written from graphs and configurations."""

from ranvier.files import Format

from .export import export as export
from .reading import read_net as read_net
from .source import looks_like_net as looks_like_net
from .writing import write_net as write_net

NET_FORMAT = Format("netx", (".net",), read_net, write_net, looks_like_net)
"""What the plugin adds to `ranvier.read` and `ranvier.write`."""
