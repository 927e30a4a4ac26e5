from ranvier.testing import TargetConformance


class TestDynapse2(TargetConformance):
    target = "dynapse2"
