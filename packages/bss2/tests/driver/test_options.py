"""Options are checked when they are made."""

import pytest

from ranvier_bss2.driver import DeployOptions


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"host": "there"}, "host and port belong together; give both"),
        ({"port": 3}, "host and port belong together; give both"),
        ({"port": 0, "host": "x"}, "greater than or equal to 1"),
        ({"margin": -1}, "greater than or equal to 0"),
        ({"init": "half"}, "'full' or 'minimal'"),
        ({"variability": {"sigma_leek": 1.0}}, "variability: sigma_leek: Extra inputs"),
        ({"chip_sed": 1}, "Extra inputs are not permitted"),
    ],
)
def test_bad_options_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        DeployOptions(**options)


def test_all_problems_are_told_at_once():
    with pytest.raises(ValueError, match=r"no file.*host and port belong together"):
        DeployOptions(calibration="nowhere.pkl", host="there")


def test_every_option_describes_itself():
    assert all(field.description for field in DeployOptions.model_fields.values())


def test_options_cannot_be_changed():
    with pytest.raises(ValueError, match="frozen"):
        DeployOptions().margin = 3
