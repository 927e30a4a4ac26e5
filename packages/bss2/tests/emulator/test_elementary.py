import numpy as np
import pytest

from ranvier_bss2.emulator._elementary import child, normals, saturate


def drawn(key, count):
    out = np.zeros(count + count % 2)
    normals(out, np.uint64(key), count)
    return out[:count]


def test_normal_numbers_have_the_moments_and_tails_of_a_normal_distribution():
    x = drawn(5, 400_000)

    assert x.mean() == pytest.approx(0, abs=0.006)
    assert x.std() == pytest.approx(1, abs=0.005)
    assert np.mean(x**3) == pytest.approx(0, abs=0.02)
    assert np.mean(x**4) == pytest.approx(3, abs=0.05)
    for level, share in ((1, 0.317311), (2, 0.0455), (3, 0.0027)):
        assert np.mean(np.abs(x) > level) == pytest.approx(share, rel=0.1)
    assert np.isfinite(x).all()


def test_neighbours_partners_and_keys_are_unrelated():
    x = drawn(1, 200_000)
    half = x.size // 2

    for one, other in ((x[1:], x[:-1]), (x[:half], x[half:]), (x, drawn(2, x.size))):
        assert abs(np.corrcoef(one, other)[0, 1]) < 0.01
        assert abs(np.corrcoef(one**2, other**2)[0, 1]) < 0.01


def test_numbers_repeat_with_their_key():
    np.testing.assert_array_equal(drawn(3, 7), drawn(3, 7))
    assert child(np.uint64(3), 1) != child(np.uint64(3), 2)
    assert child(np.uint64(3), 1) != child(np.uint64(4), 1)


def test_saturation_is_a_hyperbolic_tangent():
    x = np.sort(np.append(np.linspace(0, 3000, 10_001), 1e-9))
    out = np.zeros_like(x)

    saturate(out, x, 150.0)

    np.testing.assert_allclose(out, 150 * np.tanh(x / 150), atol=150e-11)
    assert out[0] == 0
    assert np.diff(out).min() > -150e-11
