"""Tables behind proxymap(8)."""

from __future__ import annotations

from tests.kit.instance import Instance
from tests.kit.parity import Parity

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
