import json

from ranvier.diagnostics import Diagnostic, DiagnosticCode, Findings, describe

CODE = DiagnosticCode("XX001", "error", "Too many.", "use fewer")
LOSS = Diagnostic("XX002", "loss", "rounded")
INFO = Diagnostic("XX003", "info", "noted")


def test_diagnostic_reads_as_a_sentence():
    found = CODE.at("lif", "12 neurons, 10 allowed", value=12, limit=10)

    assert str(found) == "XX001 error: node 'lif': 12 neurons, 10 allowed (use fewer)"
    assert str(LOSS) == "XX002 loss: rounded"


def test_hint_of_the_case_replaces_the_general_one():
    assert CODE.at(None, "12", hint="use 10").hint == "use 10"


def test_diagnostic_survives_json():
    found = CODE.at("lif", "12", value=12, limit=10)

    assert Diagnostic.from_dict(json.loads(json.dumps(found.to_dict()))) == found


def test_findings_drop_repeats_and_keep_order():
    findings = Findings()
    findings.add(LOSS, LOSS)
    findings.add(INFO, LOSS)

    assert list(findings) == [LOSS, INFO]


def test_strict_findings_count_losses_as_errors():
    error = CODE.at(None, "12")
    findings = Findings([LOSS, error, INFO])

    assert findings.errors() == (error,)
    assert findings.errors(strict=True) == (LOSS, error)
    assert findings.without_errors() == (LOSS, INFO)


def test_description_has_a_heading_and_a_line_each():
    assert describe([LOSS, INFO], heading="found").splitlines() == [
        "found:",
        "  XX002 loss: rounded",
        "  XX003 info: noted",
    ]
    assert describe([], heading="nothing") == "nothing"
