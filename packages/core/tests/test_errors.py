import pytest

from ranvier import errors
from ranvier._require import require
from ranvier.diagnostics import Diagnostic


@pytest.mark.parametrize(
    ("error", "builtin"),
    [
        (errors.GraphError, ValueError),
        (errors.InputError, ValueError),
        (errors.MappingError, ValueError),
        (errors.QuantizationError, ValueError),
        (errors.FileError, ValueError),
        (errors.SimulationError, RuntimeError),
        (errors.DeviceError, RuntimeError),
        (errors.DeviceTimeoutError, TimeoutError),
        (errors.ChipNotFoundError, LookupError),
        (errors.MissingDependencyError, ImportError),
    ],
)
def test_every_error_is_ours_and_an_idiomatic_one(error, builtin):
    assert issubclass(error, errors.RanvierError)
    assert issubclass(error, builtin)


def test_diagnostics_travel_with_an_error():
    found = Diagnostic("XX001", "error", "too many")

    assert errors.MappingError("text", [found]).diagnostics == (found,)
    assert errors.GraphError("text").diagnostics == ()


def test_exhausted_resource_tells_name_and_numbers():
    error = errors.ResourceError("text", resource="neurons", needed=12, available=10)

    assert (error.resource, error.needed, error.available) == ("neurons", 12, 10)
    assert isinstance(error, errors.MappingError)


def test_missing_dependency_names_the_command():
    with pytest.raises(errors.MissingDependencyError, match=r"pip install 'ranvier\[plot\]'"):
        require("no_such_module_at_all", extra="plot")


def test_fault_inside_a_dependency_is_not_hidden(tmp_path, monkeypatch):
    (tmp_path / "half_installed.py").write_text("import no_such_part")
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(ModuleNotFoundError, match="no_such_part") as caught:
        require("half_installed", extra="plot")

    assert not isinstance(caught.value, errors.MissingDependencyError)
