import pytest

from ranvier_bss2.placement import Budget, circuits_needed
from ranvier_bss2.targets import limits_of


@pytest.mark.parametrize(("fan_in", "circuits"), [(0, 1), (128, 1), (129, 2), (256, 2), (784, 7)])
def test_128_signed_inputs_fit_on_one_circuit(fan_in, circuits):
    assert circuits_needed(fan_in, limits_of()) == circuits


def test_a_budget_is_that_of_the_chip():
    budget = Budget.of(limits_of())

    assert (budget.circuits, budget.rows_per_bus, budget.drivers_per_bus) == (512, 64, 32)
    assert budget.output_of(256 + 33) == 1
