from __future__ import annotations

import sys
from io import BytesIO, TextIOWrapper

import pytest

from pyfix.config.parameters.bounce import BounceSettings
from pyfix.config.snapshot import Snapshot
from pyfix.daemons.bounce import daemon as bounce
from pyfix.daemons.bounce.texts import Texts, shown, shown_expanded
from pyfix.notices.template import BUILT_IN, TemplateError, read_templates
from tests.unit.daemons.running import System


@pytest.fixture
def texts(system: System) -> Texts:
    system.write_main(delay_warning_time="25h", bounce_template_file="file")
    return Texts(BounceSettings(Snapshot.read(str(system.folder), process_name="bounce")))


def test_built_in(texts: Texts) -> None:
    lines = list(shown_expanded(BUILT_IN, texts))
    assert lines[0] == "expanded_failure_text = <<EOF" and lines.count("EOF") == 4 and lines[-1] == "EOF"
    assert "Your message could not be delivered for more than 25 hour(s)." in lines
    assert read_templates("\n".join([*shown(BUILT_IN, texts), ""]), "x", pytest.fail) == dict(BUILT_IN)


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("$delay_warning_time_years", 'file: unrecognized suffix "years" in parameter "delay_warning_time_years"'),
        ("${delay_warning_time_?x}", 'file: unrecognized suffix "" in parameter "delay_warning_time_"'),
        ("$nosuch", "file: undefined $name in failure template: $nosuch"),
    ],
)
def test_names_that_are_unknown(texts: Texts, line: str, fault: str) -> None:
    template = read_templates(f"failure_template = {line}\n", "file", pytest.fail)["failure"]
    with pytest.raises(TemplateError) as caught:
        texts.expanded(template)
    assert caught.value.args == (fault,)


def test_times(texts: Texts) -> None:
    line = "$delay_warning_time_minutes $delay_warning_time_weeks $maximal_queue_lifetime_days"
    template = read_templates(f"failure_template = {line}\n", "file", pytest.fail)["failure"]
    assert texts.expanded(template) == ["1500 0 5"]


def test_stand_alone(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    """bounce -S, for postconf(1)."""
    out = TextIOWrapper(BytesIO())
    monkeypatch.setattr(sys, "stdout", out)
    snapshot = Snapshot.read(str(system.folder), process_name="bounce")
    daemon = bounce.Bounce(bounce.Invocation("bounce", service="dump_templates", stand_alone=True), snapshot)
    daemon.before_jail()
    daemon.stand_alone()
    buffer = out.buffer
    assert isinstance(buffer, BytesIO) and buffer.getvalue().startswith(b"failure_template = <<EOF\nCharset: us-ascii\n")
