from ranvier.testing import TargetConformance


class TestXyloV1(TargetConformance):
    target = "xylo-v1"


class TestXyloAudio2(TargetConformance):
    target = "xylo-audio2"


class TestXyloAudio3(TargetConformance):
    target = "xylo-audio3"


class TestXyloImu(TargetConformance):
    target = "xylo-imu"
