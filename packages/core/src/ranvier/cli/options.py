"""Flags of a verb from the options models of the plugin in use."""

from __future__ import annotations

import functools
import inspect
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import typer
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from .values import Kind, kind_of


@dataclass(frozen=True)
class Flag:
    """One field of an options model as a command-line option.

    Parameters
    ----------
    field : str
        Name of the field.
    parameter : str
        Name of the function parameter that typer fills.
    flag : str
        ``"--name"``.
    kind : Kind
        How text becomes the field's value.
    info : FieldInfo
        Default, bounds and description.
    """

    field: str
    parameter: str
    flag: str
    kind: Kind
    info: FieldInfo

    def signature(self) -> inspect.Parameter:
        """Return the keyword parameter that typer turns into the option."""
        required = self.info.is_required()
        shape = self.kind.type if required else self.kind.type | None
        lowest, highest, rest = _bounds(self.info, whole=self.kind.type is int)
        numeric = self.kind.type in (int, float)
        declaration = f"{self.flag}/--no-{self.flag[2:]}" if self.kind.type is bool else self.flag
        option = typer.Option(
            declaration,
            help=" ".join([self.info.description or "", *rest, self._default()]).strip(),
            metavar=self.kind.metavar,
            min=lowest if numeric else None,
            max=highest if numeric else None,
            show_default=False,
        )
        return inspect.Parameter(
            self.parameter,
            inspect.Parameter.KEYWORD_ONLY,
            default=inspect.Parameter.empty if required else None,
            annotation=Annotated[shape, option],
        )

    def _default(self) -> str:
        """Return the note on the default, for the help text."""
        if self.info.is_required() or self.info.default_factory is not None:
            return ""
        default = self.info.default
        if default is None or isinstance(default, BaseModel):
            return ""
        if isinstance(default, bool):
            return "[default: on]" if default else "[default: off]"
        return f"[default: {getattr(default, 'value', default)}]"


def with_options(
    command: Callable[..., Any], models: Mapping[str, type[BaseModel]]
) -> Callable[..., Any]:
    """Give a command the flags of options models.

    Parameters
    ----------
    command : callable
        Function of the command; it takes the chosen options as the mapping ``options``.
    models : mapping of str to model
        Options model by verb. A field of several models becomes one flag.

    Returns
    -------
    callable
        The command with one keyword parameter per flag. Flags that are not given are left out of
        ``options``, so that the model's defaults hold.
    """
    static = _static_parameters(command)
    flags = flags_of(models, reserved=_declared_flags(static))

    @functools.wraps(command)
    def run(**arguments: Any) -> Any:
        given = {flag.field: arguments.pop(flag.parameter, None) for flag in flags}
        options = {
            flag.field: flag.kind.convert(given[flag.field])
            for flag in flags
            if given[flag.field] not in (None, [])
        }
        return command(**arguments, options=options)

    parameters = [*static, *(flag.signature() for flag in flags)]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {p.name: p.annotation for p in parameters}
    return run


def flags_of(
    models: Mapping[str, type[BaseModel]], *, reserved: Sequence[str] = ()
) -> tuple[Flag, ...]:
    """Return the flags of options models, each field once.

    Parameters
    ----------
    models : mapping of str to model
        Options model by verb.
    reserved : sequence of str
        Flags that the command itself has; a field of that name becomes ``--verb-name``.
    """
    flags: dict[str, Flag] = {}
    for verb, model in models.items():
        for name, info in model.model_fields.items():
            flag = "--" + name.replace("_", "-")
            if flag in reserved:
                flag = f"--{verb}-{flag[2:]}"
            flags.setdefault(
                name, Flag(name, f"option_{name}", flag, kind_of(info.annotation), info)
            )
    return tuple(flags.values())


def _static_parameters(command: Callable[..., Any]) -> list[inspect.Parameter]:
    """Return the command's own parameters, annotations resolved, without ``options``."""
    hints = typing.get_type_hints(command, include_extras=True)
    return [
        p.replace(annotation=hints[p.name], kind=inspect.Parameter.KEYWORD_ONLY)
        for p in inspect.signature(command).parameters.values()
        if p.name != "options"
    ]


def _declared_flags(parameters: Sequence[inspect.Parameter]) -> tuple[str, ...]:
    """Return the long flags of the command; typer keeps the first one as the note's default."""
    found: list[str] = []
    for parameter in parameters:
        for note in getattr(parameter.annotation, "__metadata__", ()):
            names = (getattr(note, "default", None), *(getattr(note, "param_decls", None) or ()))
            found += [n for n in names if isinstance(n, str) and n.startswith("--")]
    return (*found, "--help")


def _bounds(info: FieldInfo, *, whole: bool) -> tuple[float | None, float | None, list[str]]:
    """Return inclusive bounds, and a note on the bounds that cannot be given as such."""
    found: dict[str, Any] = {}
    for note in info.metadata:
        found |= {k: getattr(note, k) for k in ("ge", "gt", "le", "lt") if hasattr(note, k)}
    found = {name: value for name, value in found.items() if value is not None}
    if whole:
        if "gt" in found:
            found["ge"] = found.pop("gt") + 1
        if "lt" in found:
            found["le"] = found.pop("lt") - 1
    note = " and ".join(
        f"{sign} {found[name]:g}" for name, sign in (("gt", ">"), ("lt", "<")) if name in found
    )
    return found.get("ge"), found.get("le"), [f"[{note}]"] if note else []
