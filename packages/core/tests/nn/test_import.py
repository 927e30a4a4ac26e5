import subprocess
import sys
from importlib.util import find_spec

import pytest


def run(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)


def test_importing_without_torch_names_the_command_that_installs_it():
    code = "import sys; sys.modules['torch'] = None\nimport ranvier.nn"

    done = run(code)

    assert done.returncode != 0
    assert "MissingDependencyError" in done.stderr
    assert "pip install 'ranvier[torch]'" in done.stderr


@pytest.mark.skipif(find_spec("torch") is None, reason="needs torch")
def test_importing_does_not_load_numba():
    done = run("import sys, ranvier.nn; sys.exit('numba' in sys.modules)")

    assert done.returncode == 0, done.stderr
