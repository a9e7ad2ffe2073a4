"""Tables behind proxymap(8)."""

from __future__ import annotations

import pytest

from tests.kit import requirements
from tests.kit.instance import Instance
from tests.kit.parity import InstancePool, Parity
from tests.parity.known_differences import KNOWN_DIFFERENCES

MAILBOXES = "proxy:texthash:{dir}/etc/mailboxes"


def test_recipients_behind_proxymap(parity: Parity) -> None:
    """Known and unknown recipients, local and virtual; a table that is not approved is no answer.

    Source: proxymap(8); postconf(5) proxy_read_maps, local_recipient_maps.
    """

    def case(mta: Instance) -> None:
        replies = mta.dialogue(
            "EHLO client.example",
            "MAIL FROM:<sender@client.example>",
            "RCPT TO:<Root@mail.ours.example>",
            "RCPT TO:<nosuchuser@mail.ours.example>",
            "RCPT TO:<USER@ours.example>",
            "RCPT TO:<nosuchuser@ours.example>",
            "RCPT TO:<someone@relay.example>",
            "QUIT",
        )
        assert [reply[:3] for reply in replies[2:7]] == ["250", "550", "250", "550", "451"]

    parity(
        case,
        main={
            "local_recipient_maps": "proxy:unix:passwd.byname",
            "virtual_mailbox_maps": MAILBOXES,
            "relay_recipient_maps": "proxy:texthash:{dir}/etc/other",
            "proxy_read_maps": f"$local_recipient_maps {MAILBOXES}",
        },
        files={"other": "someone@relay.example x\n"},
    )


KINDS = ("hash", "btree", "lmdb", "cdb", "texthash", "regexp", "fail")


@pytest.mark.reference
@pytest.mark.root
@pytest.mark.parametrize("replaced", ["smtpd", "proxymap"])
def test_each_side_asks_the_other(instance_pool: InstancePool, replaced: str) -> None:
    """smtpd asks the other side's proxymap about files of each type."""
    requirements.need_reference("reference")

    def case(mta: Instance) -> None:
        for kind in ("hash", "lmdb", "cdb", "btree"):
            done = mta.run("postmap", f"{kind}:{mta.config_directory}/{'tree' if kind == 'btree' else 'entries'}")
            assert done.returncode == 0, done.stderr
        rcpt = [f"RCPT TO:<{name}@{kind}.example>" for kind in KINDS for name in ("User", "other")]
        replies = mta.dialogue("EHLO client.example", "MAIL FROM:<sender@client.example>", *rcpt, "QUIT")
        assert [reply[:3] for reply in replies[2:-1]] == ["250", "554"] * (len(KINDS) - 1) + ["451"] * 2

    tables = {kind: f"proxy:{kind}:{{dir}}/etc/{'tree' if kind == 'btree' else 'pattern' if kind == 'regexp' else 'entries'}" for kind in KINDS}
    main = {f"ask_{kind}": f"check_recipient_access {table}, reject" for kind, table in tables.items()}
    main |= {
        "smtpd_restriction_classes": ", ".join(main),
        "smtpd_recipient_restrictions": "check_recipient_access inline:{" + ", ".join(f"{kind}.example=ask_{kind}" for kind in KINDS) + "}, reject",
        "smtpd_relay_restrictions": "permit",
        "proxy_read_maps": ", ".join(tables.values()),
    }
    entries = "".join(f"user@{kind}.example OK\n" for kind in KINDS)
    files = {"entries": entries, "tree": entries, "pattern": "/^user@/ OK\n"}
    pair = Parity(instance_pool, KNOWN_DIFFERENCES, ("reference", "reference"))
    pair(case, main=main, files=files, replace={replaced: "pyfix"}, logs="smtpd")
