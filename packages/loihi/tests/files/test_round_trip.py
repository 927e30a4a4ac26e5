"""Generated networks: graph to file to graph, and file to graph to file."""

import numpy as np
from hypothesis import HealthCheck, given, settings, strategies as st

from ranvier.graph import Graph
from ranvier_loihi.files import read_net, write_net
from ranvier_loihi.files.records import image_of

SETTINGS = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
WINDOW = {"stride": (1, 1), "padding": (1, 1), "dilation": (1, 1)}


def channel(draw, n, low, high):
    """Draw one value, or one per channel."""
    one = st.integers(low, high)
    if n == 1 or draw(st.booleans()):
        return draw(one)
    return np.array(draw(st.lists(one, min_size=n, max_size=n)))


def weights(draw, shape):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return rng.integers(-128, 128, shape) * 2


def adaptation(draw, n):
    return {
        "thDecay": channel(draw, n, 0, 4096),
        "refDecay": channel(draw, n, 0, 4096),
        "vThStep": channel(draw, n, 0, 1000),
    }


def neuron(draw, n, kinds):
    """Draw the datasets of a neuron group."""
    kind = draw(st.sampled_from(kinds))
    if kind == "SDNN":
        last = draw(st.booleans())
        own = {"activation": "relu", "vThMant": channel(draw, n, 0, 4000)}
        return {"type": kind, **own, **({"sigma_output": True} if last else {})}
    if "RF" in kind:
        own = {"sinDecay": channel(draw, n, 1, 2800), "cosDecay": channel(draw, n, -2000, 2900)}
        own |= {"vThMant": channel(draw, n, 0, 5000)}
        return {"type": kind, **own, **(adaptation(draw, n) if "AD" in kind else {})}
    own = {
        "iDecay": channel(draw, n, 0, 4096),
        "vDecay": channel(draw, n, 0, 4096),
        "vThMant": 131071 if draw(st.integers(0, 9)) == 0 else channel(draw, n, 0, 131070),
    }
    if kind == "ALIF":
        return {"type": kind, **own, "vThMant": 70, **adaptation(draw, n)}
    return {"type": kind, **own, "refDelay": draw(st.integers(1, 63))}


def finished(draw, record, n, kinds):
    group = neuron(draw, n, kinds)
    shapes = record.pop("weights")
    for port, shape in shapes.items():
        is_complex = "RF" in group["type"]
        names = [f"{port}/real", f"{port}/imag"] if is_complex and port == "weight" else [port]
        record |= {name: weights(draw, shape) for name in names}
    extra = {}
    if draw(st.booleans()) and "RF" not in group["type"]:
        extra["bias"] = np.array(draw(st.lists(st.integers(1, 4095), min_size=n, max_size=n)))
    if draw(st.booleans()):
        extra["delay"] = channel(draw, n, 1, 62)
    return {**record, **extra, **{f"neuron/{k}": v for k, v in group.items()}}


ALL = ("CUBA", "ALIF", "SDNN", "RF_PHASE", "RF_IZHIKEVICH", "ADRF_PHASE", "ADRF_IZHIKEVICH")


def mapped(draw, shape):
    """Draw a layer on a map (c, h, w); return it and its output shape."""
    c, h, w = shape
    kind = draw(st.sampled_from(("conv", "convT", "pool", "unpool")))
    if kind == "conv":
        out = draw(st.integers(1, 3)), h, w
        size = {"inChannels": c, "outChannels": out[0], "kernelSize": (3, 3), "groups": 1}
        record = {"type": kind, "shape": out, **size, **WINDOW}
        return {**record, "weights": {"weight": (out[0], c, 3, 3)}}, out
    if kind == "convT":
        out = draw(st.integers(1, 3)), h, w
        size = {"inChannels": c, "outChannels": out[0], "kernelSize": (3, 3), "groups": 1}
        record = {"type": kind, "shape": out, **size, **WINDOW}
        return {**record, "weights": {"weight": (c, out[0], 3, 3)}}, out
    out = (c, h // 2, w // 2) if kind == "pool" else (c, 2 * h, 2 * w)
    window = {"kernelSize": (2, 2), "stride": (2, 2), "padding": (0, 0), "dilation": (1, 1)}
    record = {"type": kind, "shape": out, **window}
    return {**record, "weight": np.full((1, 1, 2, 2), 64), "weights": {}}, out


@st.composite
def networks(draw):
    """Draw the layers of a file."""
    shape = draw(st.sampled_from([(4,), (2, 6, 6)]))
    first = {"type": "input", "shape": shape}
    if draw(st.booleans()):
        first |= {"weight": [draw(st.integers(1, 128))], "bias": [draw(st.integers(-64, 64))]}
        own = {"type": "CUBA", "iDecay": 4096, "vDecay": 100, "vThMant": 64}
        first |= {f"neuron/{k}": v for k, v in own.items()}
    layers = [first]
    if len(shape) == 3:
        for _ in range(draw(st.integers(0, 2))):
            if min(shape[1:]) < 2:
                break
            record, shape = mapped(draw, shape)
            real = ("CUBA", "ALIF", "SDNN") if "weight" in record else ALL
            layers.append(finished(draw, record, shape[0], real))
        layers.append({"type": "flatten", "shape": (int(np.prod(shape)), 1, 1)})
        shape = (int(np.prod(shape)),)
    for _ in range(draw(st.integers(1, 3))):
        n_in, n = shape[0], draw(st.integers(1, 5))
        record = {"type": "dense", "shape": (n,), "inFeatures": n_in, "outFeatures": n}
        record["weights"] = {"weight": (n, n_in)}
        if draw(st.booleans()):
            record |= {"type": "dense_rec"}
            record["weights"] = {**record["weights"], "weight_rec": (n, n)}
        layers.append(finished(draw, record, n, ALL))
        shape = (n,)
    return layers


@SETTINGS
@given(layers=networks(), dt=st.sampled_from([1e-3, 7e-4, 0.013]))
def test_a_graph_in_the_chips_arithmetic_survives_a_file(tmp_path, layers, dt):
    (tmp_path / "a.net").write_bytes(image_of(layers))
    graph = read_net(tmp_path / "a.net", dt=dt)

    write_net(graph, tmp_path / "b.net")
    again = read_net(tmp_path / "b.net", dt=dt)

    first, second = (Graph(g.nodes, g.edges, g.dt) for g in (graph, again))
    assert first.content_hash == second.content_hash


@SETTINGS
@given(layers=networks())
def test_a_file_that_was_written_twice_has_the_same_bytes(tmp_path, layers):
    (tmp_path / "a.net").write_bytes(image_of(layers))

    write_net(read_net(tmp_path / "a.net"), tmp_path / "b.net")
    write_net(read_net(tmp_path / "b.net"), tmp_path / "c.net")

    assert (tmp_path / "b.net").read_bytes() == (tmp_path / "c.net").read_bytes()
