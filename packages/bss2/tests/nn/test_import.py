import subprocess
import sys


def run(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)


def test_numerics_and_kernels_load_no_torch():
    code = "import sys, ranvier_bss2.numerics, ranvier_bss2.kernels.layers\n"

    answer = run(code + "print('torch' in sys.modules, 'ranvier_bss2.nn' in sys.modules)")

    assert answer.stdout.split() == ["False", "False"]


def test_the_package_and_the_plugin_load_neither_torch_nor_numba():
    code = "import sys, ranvier_bss2, ranvier_bss2.plugin\n"

    answer = run(code + "print('torch' in sys.modules, 'numba' in sys.modules)")

    assert answer.stdout.split() == ["False", "False"]


def test_without_torch_the_advice_says_what_to_install():
    answer = run("import sys\nsys.modules['torch'] = None\nimport ranvier_bss2.nn")

    assert "MissingDependencyError" in answer.stderr
    assert "pip install" in answer.stderr
