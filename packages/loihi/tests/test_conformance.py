from ranvier.testing import TargetConformance


class TestLoihi1(TargetConformance):
    target = "loihi1"


class TestLoihi2(TargetConformance):
    target = "loihi2"
