import sys
import types

import pytest

from ranvier.errors import ChipNotFoundError, PluginError
from ranvier.plugins import PluginSource, hookimpl


def test_only_the_plugin_in_use_is_imported(chips):
    plugins = chips.managing(chips.write("used"), chips.write("idle"))

    plugins.load("used")

    assert "fake_used.plugin" in sys.modules
    assert "fake_idle" not in sys.modules


def test_a_hook_is_answered_by_the_target_s_plugin_only(chips):
    plugins = chips.managing(chips.write("a"), chips.write("b"))
    plugins.load("a")
    target = plugins.target("b-1")

    model = plugins.call("ranvier_config_model", target, target=target)

    assert model.__module__ == "fake_b.plugin"


def test_unknown_target_lists_what_there_is_and_guesses(chips):
    plugins = chips.managing(chips.write("chip"))

    with pytest.raises(ChipNotFoundError, match=r"'chip-2'.*mean 'chip-1'.*Installed.*chip-1"):
        plugins.target("chip-2")


def test_unknown_target_names_broken_plugins(chips):
    plugins = chips.managing(chips.write("old", api=0))

    with pytest.raises(ChipNotFoundError, match=r"Plugin 'old' is broken: .*contract version 0"):
        plugins.target("old-1")


def test_failing_import_is_one_plugin_error(chips):
    plugins = chips.managing(chips.write("bad", plugin="raise ZeroDivisionError('at import')"))

    with pytest.raises(PluginError, match=r"'bad' cannot be imported.*ZeroDivisionError"):
        plugins.load("bad")


def test_missing_mandatory_hooks_are_all_named(chips):
    plugins = chips.managing(chips.write("bare", plugin=""))

    with pytest.raises(PluginError, match="ranvier_map, ranvier_quantize, ranvier_simulate"):
        plugins.load("bare")


def test_wrong_signature_is_refused_with_the_contract_version(chips):
    wrong = chips.plugin.replace("ranvier_simulate(config)", "ranvier_simulate(config, speed)")
    plugins = chips.managing(chips.write("wrong", plugin=wrong))

    with pytest.raises(PluginError, match=r"(?s)contract version 1.*speed"):
        plugins.load("wrong")


def test_hook_that_the_contract_does_not_know_is_refused(chips):
    more = chips.plugin + "\n\n@hookimpl\ndef ranvier_dance(target):\n    return 1\n"
    plugins = chips.managing(chips.write("more", plugin=more))

    with pytest.raises(PluginError, match="ranvier_dance"):
        plugins.load("more")


def test_refused_plugin_can_be_mended_and_loaded_again(chips, tmp_path):
    plugins = chips.managing(chips.write("bad", plugin="x = 1"))
    with pytest.raises(PluginError):
        plugins.load("bad")

    good = chips.plugin.format(target="bad-1")
    (tmp_path / "fake_bad" / "plugin.py").write_text(good)
    del sys.modules["fake_bad.plugin"]
    __import__("importlib").invalidate_caches()

    assert plugins.load("bad").NAME == "bad-1"


def test_implements_tells_which_hooks_there_are(chips):
    plugins = chips.managing(chips.write("chip"))
    target = plugins.target("chip-1")

    answers = [plugins.implements(h, target) for h in ("ranvier_devices", "ranvier_shadow")]

    assert answers == [True, False]


def test_hook_that_is_not_implemented_answers_none(chips):
    plugins = chips.managing(chips.write("chip"))
    target = plugins.target("chip-1")

    assert plugins.call("ranvier_grids", target, target=target) is None


def test_plugin_can_be_registered_at_run_time(chips):
    plugins = chips.managing(chips.write("old"))
    source = chips.write("new")
    module = types.ModuleType("new_plugin")
    for name in ("map", "quantize", "simulate", "config_model"):
        setattr(module, f"ranvier_{name}", _answering(name))

    plugins.register(module, source=source)

    target = plugins.target("new-1")
    assert plugins.call("ranvier_config_model", target, target=target) == "config_model"
    assert set(plugins.targets) == {"old-1", "new-1"}


def _answering(name):
    def hook():
        return name

    hook.__name__ = f"ranvier_{name}"
    return hookimpl(hook)


def test_run_time_plugin_without_a_manifest_is_refused(chips):
    plugins = chips.managing()

    with pytest.raises(PluginError, match="not importable"):
        plugins.register(types.ModuleType("x"), source=PluginSource("x", "no_such_package.x"))
