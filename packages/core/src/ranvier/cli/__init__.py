"""The command line: ``ranvier targets`` and ``--version`` at once, typer for the rest.

Exit codes are those of `ranvier.cli.exits`; ``ranvier --help`` lists them.
"""

from .entry import main as main
