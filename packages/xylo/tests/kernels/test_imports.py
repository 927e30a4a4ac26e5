import subprocess
import sys


def test_importing_the_kernels_does_not_load_numba():
    code = "import sys, ranvier_xylo.kernels; sys.exit('numba' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
