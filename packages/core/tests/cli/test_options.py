import enum
import inspect
import typing
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import pytest
import typer
from pydantic import BaseModel, ConfigDict, Field
from typer.testing import CliRunner

from ranvier.cli.options import flags_of, with_options
from ranvier.cli.values import value_of_text


class Mode(enum.Enum):
    FAST = "fast"
    EXACT = "exact"


class Options(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    bits: int = Field(8, ge=1, lt=9, description="Width of a weight.")
    rate: float | None = Field(None, gt=0, description="Wanted rate.")
    fast: bool = Field(True, description="Whether to hurry.")
    method: Literal["fit", "global"] = "fit"
    version: Literal[1, 2] = 1
    layers: tuple[str, ...] = ()
    mode: Mode = Mode.FAST
    calibration: Any = None
    strict: bool = False


@pytest.fixture
def run():
    """Return a function that runs a command with flags of the options and returns what it got."""

    def invoke(*arguments, models=None):
        got = {}

        def command(
            file: Annotated[Path, typer.Argument()],
            strict: Annotated[bool, typer.Option("--strict")] = False,
            *,
            options: dict[str, Any],
        ) -> None:
            got.update(options=options, file=file, strict=strict)

        app = typer.Typer(rich_markup_mode=None)
        app.command()(with_options(command, models or {"map": Options}))
        result = CliRunner().invoke(app, ["in.rv", *arguments])
        return result, got

    return invoke


def test_flags_that_are_not_given_are_left_to_the_defaults_of_the_model(run):
    result, got = run()

    assert result.exit_code == 0
    assert got == {"options": {}, "file": Path("in.rv"), "strict": False}


def test_values_arrive_in_the_types_of_the_fields(run):
    _, got = run(
        *("--bits", "4", "--rate", "2.5", "--no-fast", "--method", "global", "--version", "2"),
        *("--layers", "a", "--layers", "b", "--mode", "exact"),
    )

    assert got["options"] == {
        "bits": 4,
        "rate": 2.5,
        "fast": False,
        "method": "global",
        "version": 2,
        "layers": ["a", "b"],
        "mode": Mode.EXACT,
    }
    assert Options(**got["options"]).layers == ("a", "b")


@pytest.mark.parametrize("value", ["0", "9", "x"])
def test_a_value_out_of_range_or_of_another_type_is_a_usage_error(run, value):
    result, got = run("--bits", value)

    assert result.exit_code == 2
    assert "--bits" in result.output
    assert got == {}


def test_a_choice_that_does_not_exist_is_a_usage_error_that_lists_the_choices(run):
    result, _ = run("--method", "magic")

    assert result.exit_code == 2
    assert "fit" in result.output
    assert "global" in result.output


def test_an_open_bound_is_told_in_the_help(run):
    result, _ = run("--help")

    text = " ".join(result.output.split())
    assert "Wanted rate. [> 0]" in text
    assert "Width of a weight. [default: 8]" in text
    assert "Whether to hurry. [default: on]" in text


def test_a_field_named_like_a_flag_of_the_command_gets_the_verb_in_front(run):
    _, got = run("--map-strict")

    assert got["options"] == {"strict": True}
    assert got["strict"] is False


def test_a_field_of_two_verbs_is_one_flag():
    class Other(BaseModel):
        bits: int = 3
        seed: int = 0

    flags = flags_of({"map": Options, "quantize": Other})

    assert [f.field for f in flags].count("bits") == 1
    assert flags[-1].flag == "--seed"


def test_a_required_field_is_a_required_flag(run):
    class Required(BaseModel):
        seed: int

    result, _ = run(models={"map": Required})

    assert result.exit_code == 2
    assert "--seed" in result.output


def test_annotations_of_the_command_survive(run):
    def command(*, n: "Annotated[int, typer.Option()]" = 1, options: dict[str, Any]) -> None:
        """Count."""

    wrapped = with_options(command, {})

    assert typing.get_origin(inspect.signature(wrapped).parameters["n"].annotation) is Annotated
    assert wrapped.__doc__ == "Count."


@pytest.mark.parametrize(
    ("text", "value"), [("[1, 2]", [1, 2]), ('{"a": 1}', {"a": 1}), ("x", "x")]
)
def test_free_values_are_json_or_plain_text(text, value):
    assert value_of_text(text) == value


def test_a_field_of_any_type_takes_an_array_from_a_file(run, tmp_path):
    np.save(tmp_path / "x.npy", np.arange(3))

    _, got = run("--calibration", str(tmp_path / "x.npy"))

    np.testing.assert_array_equal(got["options"]["calibration"], [0, 1, 2])
