import subprocess
import sys


def run(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)


def test_the_plugin_loads_neither_torch_nor_the_training_part():
    code = "import sys, ranvier_dynapse2, ranvier_dynapse2.plugin\n"

    answer = run(code + "print('torch' in sys.modules, 'ranvier_dynapse2.nn' in sys.modules)")

    assert answer.stdout.split() == ["False", "False"]


def test_without_torch_the_advice_says_what_to_install():
    answer = run("import sys\nsys.modules['torch'] = None\nimport ranvier_dynapse2.nn")

    assert "MissingDependencyError" in answer.stderr
    assert "pip install" in answer.stderr
