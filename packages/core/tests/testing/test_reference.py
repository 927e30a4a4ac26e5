from ranvier.testing import TargetConformance


class TestReference(TargetConformance):
    target = "reference"
