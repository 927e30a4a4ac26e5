import pytest
import torch
from torch.nn import functional as f

from ranvier.errors import GraphError
from ranvier_loihi.nn import Complex, Conv, ConvT, Dense, Pool, Unpool, quantize_8bit


def test_weights_pass_the_quantiser_before_use():
    synapse = Dense(2, 1)
    synapse.weight.data = torch.tensor([[1 / 64, 3 / 64]])

    out = synapse(torch.ones(1, 1, 2))

    assert out.item() == 4 / 64


def test_the_quantiser_can_be_replaced_or_left_out():
    doubled = Dense(2, 1, pre_hook=lambda w: 2 * w)
    plain = Dense(2, 1, pre_hook=None)

    assert torch.equal(doubled.used_weight, 2 * doubled.weight)
    assert torch.equal(plain.used_weight, plain.weight)


def test_initial_weights_are_torchs_times_the_scale():
    torch.manual_seed(0)
    one = Dense(100, 50).weight
    torch.manual_seed(0)
    three = Dense(100, 50, weight_scale=3.0).weight

    assert torch.equal(three, 3.0 * one)
    assert 0.09 < float(one.detach().abs().max()) <= 0.1


def test_weight_norm_trains_length_and_direction():
    synapse = Dense(4, 3, weight_norm=True)

    names = {name for name, _ in synapse.named_parameters()}
    synapse(torch.ones(1, 2, 4)).sum().backward()

    assert names == {"parametrizations.weight.original0", "parametrizations.weight.original1"}
    assert all(p.grad is not None for p in synapse.parameters())


def test_a_dense_synapse_flattens_maps_channels_first():
    synapse = Dense((2, 3, 4), 5)
    x = torch.rand(2, 3, 2, 3, 4)

    out = synapse(x)

    assert torch.equal(out, f.linear(x.flatten(2), quantize_8bit(synapse.weight)))


@pytest.mark.parametrize("options", [{}, {"stride": 2, "padding": 1}, {"groups": 2, "dilation": 2}])
def test_a_convolution_is_torchs_at_every_step(options):
    synapse = Conv((4, 9, 8), 6, 3, **options)
    x = torch.rand(2, 3, 4, 9, 8)

    out = synapse(x)

    expected = f.conv2d(x[:, 1], quantize_8bit(synapse.weight), **options)
    torch.testing.assert_close(out[:, 1], expected)
    assert out.shape[2:] == synapse.out_shape


@pytest.mark.parametrize("options", [{}, {"stride": 2, "padding": 1}, {"groups": 2, "dilation": 2}])
def test_a_transposed_convolution_is_torchs_at_every_step(options):
    synapse = ConvT((4, 5, 6), 6, 3, **options)
    x = torch.rand(2, 3, 4, 5, 6)

    out = synapse(x)

    expected = f.conv_transpose2d(x[:, 1], quantize_8bit(synapse.weight), **options)
    torch.testing.assert_close(out[:, 1], expected)
    assert out.shape[2:] == synapse.out_shape


def test_a_pool_sums_each_channel_over_the_window():
    x = torch.rand(1, 1, 3, 4, 6)

    out = Pool((3, 4, 6), 2)(x)

    torch.testing.assert_close(out, 4 * f.avg_pool2d(x[:, 0], 2)[:, None])


def test_a_pool_counts_every_input_of_a_map_that_the_windows_do_not_fill():
    x = torch.ones(1, 1, 1, 7, 7)

    out = Pool((1, 7, 7), 3, weight_scale=0.5)(x)

    assert out[0, 0, 0].tolist() == [[4.5, 4.5, 1.5], [4.5, 4.5, 1.5], [1.5, 1.5, 0.5]]


def test_an_unpool_repeats_every_value_over_the_window():
    x = torch.tensor([1.0, 2.0]).reshape(1, 1, 1, 1, 2)

    out = Unpool((1, 1, 2), (2, 1), weight_scale=2.0)(x)

    assert out[0, 0, 0].tolist() == [[2.0, 4.0], [2.0, 4.0]]


def test_a_complex_synapse_has_weights_for_both_parts():
    synapse = Complex(Dense, 3, 2)
    x = torch.ones(1, 2, 3)

    re, im = synapse(x)

    assert torch.equal(re, synapse.real(x))
    assert torch.equal(im, synapse.imag(x))
    assert set(synapse.state_dict()) == {"real.weight", "imag.weight"}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Conv((3, 4, 4), 4, 5), "smaller kernel or more padding"),
        (lambda: Conv((3, 4, 4), 4, 2, groups=2), r"groups is 2.*divide the 3 input and 4 output"),
        (lambda: Conv((4, 4), 4, 2), "must be \\(channels, height, width\\)"),
        (lambda: Conv((3, 4, 4), 4, (1, 2, 3)), "one or two integers >= 1"),
        (lambda: Dense(3, 0), "3 to 0 neurons"),
        (lambda: Dense(3, 2)(torch.zeros(1, 1, 4)), r"shape \(4,\) per step.*takes \(3,\)"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_number(make, message):
    with pytest.raises(GraphError, match=message):
        make()
