from __future__ import annotations

import pytest

from tests.unit.commands.postfix.doctor.conftest import NOTE, WARNING, Look, Site, only


@pytest.mark.parametrize(
    "main",
    [
        "",
        "virtual_mailbox_domains = ours.example\nvirtual_alias_domains = other.example\nrelay_domains = relay.example\n",
        "virtual_alias_maps = inline:{user@mail.ours.example=x, ours.example=anything}\n",
        "compatibility_level = 0\n",
    ],
)
def test_right(look: Look, main: str) -> None:
    assert look(main) == []


@pytest.mark.parametrize(
    ("lines", "at", "severity", "said"),
    [
        ("mydestination = localhost ours.example\nvirtual_mailbox_domains = ours.example", "mydestination = localhost",
         WARNING, "ours.example is in both mydestination and virtual_mailbox_domains"),
        ("virtual_mailbox_domains = mail.ours.example", "mydestination", WARNING, "virtual_mailbox_domains"),
        ("virtual_alias_domains = a.example\nvirtual_mailbox_domains = inline:{a.example=x}", "virtual_alias_domains",
         WARNING, "virtual_alias_domains and virtual_mailbox_domains"),
        ("virtual_alias_maps = inline:{mail.ours.example=x}", "mydestination", WARNING, "virtual_alias_domains"),
        ("relay_domains = mail.ours.example", "mydestination", NOTE, "relay_domains"),
    ],
)  # fmt: skip
def test_wrong(look: Look, site: Site, lines: str, at: str, severity: int, said: str) -> None:
    finding = only(look(f"{lines}\n"))
    assert finding.severity == severity
    assert said in finding.what
    assert finding.place.line == site.line("main.cf", at)


def test_names_in_a_file(look: Look, site: Site) -> None:
    site.file("vhosts", "# localhost\na.example\nMail.Ours.Example\n")
    finding = only(look("virtual_mailbox_domains = {dir}/vhosts\n"))
    assert finding.what == "mail.ours.example is in both mydestination and virtual_mailbox_domains"
    assert look("virtual_mailbox_domains = /does/not/exist\n") == []


def test_what_to_write(look: Look) -> None:
    main = "mydestination = localhost ours.example\nvirtual_mailbox_domains = ours.example\n"
    finding = only(look(main))
    assert finding.instead == ("mydestination = localhost",)
    assert look(f"{main}{finding.instead[0]}\n") == []
