from __future__ import annotations

import pytest

from pyfix.commands.postmulti.instances import Instance, Instances, read_primary
from pyfix.runtime.console import CommandError
from tests.unit.commands.postmulti.conftest import Host


def test_reading_and_selecting(host: Host) -> None:
    etc = host.other("postfix-a", multi_instance_group="g", multi_instance_enable="Yes")
    host.other("postfix-b", multi_instance_group="g")
    instances = Instances.read(read_primary())
    assert [(one.name, one.group, one.enabled) for one in instances.members] == [
        ("", "", True), ("postfix-a", "g", True), ("postfix-b", "g", False),
    ]  # fmt: skip
    assert instances.named(str(etc)) is instances.named("postfix-a") is instances.members[1]
    assert instances.selected(("i", "-")) == [instances.primary]
    assert [one.name for one in instances.selected(("g", "g"))] == ["postfix-a", "postfix-b"]
    assert instances.selected(("g", "")) == instances.selected(("i", "")) == []
    with pytest.raises(CommandError, match="No instance named none"):
        instances.named("none")


def test_a_primary_one_without_others_is_enabled(host: Host) -> None:
    host.write(multi_instance_enable="no")
    assert Instances.read(read_primary()).primary.enabled


def test_a_main_cf_that_cannot_be_read(host: Host, capfd: pytest.CaptureFixture[str]) -> None:
    (host.other("postfix-a") / "main.cf").unlink()
    with pytest.raises(CommandError, match=r"Failed to obtain all required \S+/main.cf parameters"):
        Instances.read(read_primary())
    assert capfd.readouterr().err.startswith(f"{host.programs}/postconf: fatal: open ")


@pytest.mark.parametrize(
    ("other", "text"),
    [
        (Instance("/b", "/qb", "/db", name="n"), "multi_instance_name=n conflicts with instance /a, multi_instance_name=n"),
        (Instance("/b", "/qa", "/db"), "queue_directory=/qa conflicts with instance /a, queue_directory=/qa"),
        (Instance("/b", "/a", "/db"), "queue_directory=/a conflicts with instance /a, config_directory=/a"),
        (Instance("/b", "/qb", "/qa"), "data_directory=/qa conflicts with instance /a, queue_directory=/qa"),
        (Instance("/b", "/qb", "/qb"), "data_directory=/qb conflicts with instance /b, queue_directory=/qb"),
        (Instance("/b", "/b", "/db"), "queue_directory=/b conflicts with instance /b, config_directory=/b"),
    ],
)
def test_conflicts(host: Host, other: Instance, text: str) -> None:
    snapshot = read_primary()
    instances = Instances(snapshot, Instances.read(snapshot).settings, [Instance("/a", "/qa", "/da", name="n")])
    with pytest.raises(CommandError) as caught:
        instances.check(other)
    assert str(caught.value) == f"instance /b, {text}"
    instances.check(Instance("/a", "/qa", "/da"))
