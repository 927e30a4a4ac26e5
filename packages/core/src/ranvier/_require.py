"""Import of optional dependencies with a message that says what to install."""

from __future__ import annotations

import importlib
from typing import Any

from .errors import MissingDependencyError


def require(module: str, *, extra: str, distribution: str = "ranvier") -> Any:
    """Import an optional module.

    Parameters
    ----------
    module : str
        Importable name, ``"torch"``.
    extra : str
        Extra of the distribution that brings it, ``"torch"``.
    distribution : str
        Distribution that declares the extra.

    Returns
    -------
    module
        The imported module.

    Raises
    ------
    MissingDependencyError
        The module is not installed; the message names the command that installs it.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] != module.split(".")[0]:
            raise
        raise MissingDependencyError(
            f"{module!r} is needed here but not installed; "
            f"install it with: pip install '{distribution}[{extra}]'",
            name=module,
        ) from error
