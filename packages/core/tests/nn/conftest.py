"""Without torch only the error that its absence gives is tested."""

from importlib.util import find_spec
from pathlib import Path

collect_ignore = (
    []
    if find_spec("torch")
    else [p.name for p in Path(__file__).parent.glob("test_*.py") if p.name != "test_import.py"]
)
