from ranvier.testing import TargetConformance


class TestBss2(TargetConformance):
    target = "bss2"
