import pytest

pyplot = pytest.importorskip("matplotlib.pyplot")


@pytest.fixture(autouse=True)
def _headless():
    pyplot.switch_backend("agg")
    yield
    pyplot.close("all")
