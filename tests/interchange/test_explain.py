"""``postfix explain`` and smtpd(8) are asked the same, and never disagree."""

from __future__ import annotations

import json
import random
import re
import time

import pytest

from pyfix.formats.srs import SenderRewritingScheme
from tests.kit import requirements
from tests.kit.instance import Instance

pytestmark = [pytest.mark.root]

DOMAINS = ("ours.example", "relay.example", "elsewhere.example", "bad.example", "aliased.example", "")
LOCALPARTS = ("user", "second", "nobody", "al", "user+ext", '"a b"', "")
CLIENTS = ("192.0.2.9 spam.bad.example", "192.0.2.8 good.example", "198.51.100.7 unknown", "2001:db8::5 six.example", "127.0.0.2 unknown")
HELOS = ("host", "bad.example", "[192.0.2.1]", "no_such-", "host.example", "a.b.bad.example")
LISTS: dict[str, tuple[str, ...]] = {
    "smtpd_client_restrictions": ("check_client_access $table", "permit_mynetworks", "reject_unauth_pipelining"),
    "smtpd_helo_restrictions": ("reject_invalid_helo_hostname", "warn_if_reject reject_non_fqdn_helo_hostname", "check_helo_access $table"),
    "smtpd_sender_restrictions": ("check_sender_access $table", "reject_non_fqdn_sender", "strict"),
    "smtpd_recipient_restrictions": (
        "check_recipient_access $table", "strict", "permit_mynetworks", "reject_multi_recipient_bounce", "defer_if_permit",
        "reject_non_fqdn_recipient", "reject_unlisted_sender", "check_helo_access $table",
    ),
    "smtpd_data_restrictions": ("reject_multi_recipient_bounce", "check_sender_access $table"),
}  # fmt: skip
TABLE = """\
192.0.2.9 REJECT go away
good.example OK
bad.example 550 5.7.1 not you
.bad.example DEFER later
second@ours.example strict, permit
user@ours.example WARN look
elsewhere.example DISCARD
nobody@ DEFER_IF_PERMIT perhaps
host.example PREPEND X-Host: h
"""


def sessions(seed: int, number: int) -> list[list[str]]:
    """Return sessions at random; the first line of each tells the client."""
    source = random.Random(seed)

    def address() -> str:
        domain = source.choice(DOMAINS)
        return source.choice(LOCALPARTS) + (f"@{domain}" if domain else "")

    def one() -> list[str]:
        lines = [source.choice(CLIENTS), f"{source.choice(['EHLO', 'HELO'])} {source.choice(HELOS)}"]
        for _ in range(source.randrange(1, 3)):
            lines.append(f"MAIL FROM:<{source.choice([address(), address(), ''])}>")
            lines += [f"RCPT TO:<{address()}>" for _ in range(source.randrange(1, 4))]
            lines.append(source.choice(["DATA", "RSET", "NOOP"]))
        return [*lines, "QUIT"]

    return [one() for _ in range(number)]


def restrictions(seed: int) -> dict[str, str]:
    """Return lists at random."""
    source = random.Random(seed)
    made = {
        name: ", ".join(source.sample(words, source.randrange(len(words) + 1))).replace("$table", "texthash:{dir}/etc/access")
        for name, words in LISTS.items()
    }
    return made | {"smtpd_delay_reject": source.choice(["yes", "yes", "no"])}


def comparable(reply: str) -> str:
    """Return a reply without a queue id, and without what only the host is offered that plays the clients here."""
    return re.sub(r"queued as \w+", "queued as ID", re.sub(r"\n250-XCLIENT .*", "", reply))


@pytest.mark.parametrize("seed", range(4))
def test_it_agrees_with_smtpd(seed: int) -> None:
    """50 sessions each, with other restrictions: the same replies, and a final decision for each refusal of a list."""
    requirements.need_root()
    main = {
        "smtpd_authorized_xclient_hosts": "127.0.0.1",
        "smtpd_restriction_classes": "strict",
        "strict": "reject_non_fqdn_sender, check_sender_access texthash:{dir}/etc/access",
        "virtual_alias_domains": "aliased.example",
        "virtual_alias_maps": "inline:{{al@aliased.example=user@ours.example}}",
        "smtpd_error_sleep_time": "0",
        "smtpd_hard_error_limit": "100",
        "notify_classes": "",
        **restrictions(seed),
    }
    with Instance("pyfix", main=main, files={"access": TABLE}) as mta:
        mta.start()
        asked = sessions(seed, 50)
        (mta.directory / "asked").write_text("\n".join("client " + "\n".join(lines) for lines in asked))
        done = mta.run("postfix", "explain", "--json", "--session", str(mta.directory / "asked"))
        explained = json.loads(done.stdout)["sessions"]
        assert mta.queue() == {} or not any(mta.queue().values())
        decided = 0
        for lines, found in zip(asked, explained, strict=True):
            client, name = lines[0].split()
            said = []
            v6 = "IPV6:" if ":" in client else ""
            dialogue = mta.connect("127.0.0.1")
            with dialogue:
                dialogue.say(f"XCLIENT NAME={'[UNAVAILABLE]' if name == 'unknown' else name} ADDR={v6}{client}")
                for line in lines[1:]:
                    (reply,) = dialogue.say(line)
                    if reply.startswith("354"):
                        (reply,) = dialogue.say(".")
                    said.append(comparable(reply))
            answered = [comparable(step["reply"]) for step in found["steps"][1:]]
            assert answered == said, lines
            earlier: list[str] = []
            for step in found["steps"]:
                earlier += [decision["verdict"] for decision in step["decisions"]]
                if "rejected" in step["reply"] or "Relay access" in step["reply"]:
                    assert any(verdict.endswith(step["reply"]) for verdict in earlier), step
                    decided += 1
        assert decided > 20
        assert done.returncode == 2


def test_a_person_reads() -> None:
    """What is printed without --json: who decides, by which entry, and the way that the mail would take."""
    requirements.need_root()
    main = {
        "smtpd_recipient_restrictions": "check_sender_access texthash:{dir}/etc/access",
        "virtual_alias_maps": "inline:{{al@ours.example=x@relay.example}}",
        "transport_maps": "inline:{{relay.example=smtp:[127.0.0.1]:26}}",
    }
    with Instance("pyfix", main=main, files={"access": TABLE}) as mta:
        refused = mta.run("postfix", "explain", "--client", "192.0.2.1", "--sender=a@bad.example", "--recipient=user@ours.example")
        table = f"texthash:{mta.config_directory}/access"
        lines = refused.stdout.decode().splitlines()
        assert f"    smtpd_recipient_restrictions #1 check_sender_access {table}: reject: 550 5.7.1 <a@bad.example>: Sender address rejected: not you" in lines
        assert f"      {table} <bad.example>: <550 5.7.1 not you>" in lines
        assert refused.returncode == 2
        taken = mta.run("postfix", "explain", "--client=192.0.2.1", "--name=c.example", "--sender=", "--recipient=al@ours.example")
        assert "al@ours.example -> x@relay.example: transport smtp, next hop [127.0.0.1]:26" in taken.stdout.decode().splitlines()
        assert taken.returncode == 0
        assert mta.run("postfix", "explain", "--recipient=x").returncode == 1
        assert mta.run("postfix", "explain", "--session", "/nonexistent").returncode == 1


def test_logins_and_tls() -> None:
    """Who has logged in, as XCLIENT says it to smtpd; what TLS changes; actions that a filter before the queue makes unavailable."""
    requirements.need_root()
    main = {
        "smtpd_authorized_xclient_hosts": "127.0.0.1", "notify_classes": "", "smtpd_error_sleep_time": "0",
        "smtpd_relay_restrictions": "permit_sasl_authenticated, reject_unauth_destination",
        "smtpd_sender_login_maps": "inline:{{a@mine.example=joe},{b@mine.example=ann}}", "smtpd_sender_restrictions": "reject_sender_login_mismatch",
        "smtpd_recipient_restrictions": "check_recipient_access inline:{{mbox@ours.example=HOLD},{second@ours.example=reject_plaintext_session}}",
    }  # fmt: skip
    recipients = ["user@ours.example", "x@elsewhere.example", "second@ours.example", "mbox@ours.example"]
    with Instance("pyfix", main=main) as mta:
        mta.start()

        def explained(*lines: str) -> tuple[list[str], str]:
            (mta.directory / "asked").write_text("\n".join(["client 192.0.2.7 c.example", *lines]))
            text = mta.run("postfix", "explain", "--json", "--session", str(mta.directory / "asked")).stdout.decode()
            return [comparable(step["reply"]) for step in json.loads(text)["sessions"][0]["steps"][1:]], text

        for login in ("", "joe", "ann"):
            for sender in ("a@mine.example", "b@mine.example", "c@mine.example"):
                lines = ["EHLO c.example", f"MAIL FROM:<{sender}>", *(f"RCPT TO:<{recipient}>" for recipient in recipients), "QUIT"]
                with mta.connect("127.0.0.1") as dialogue:
                    dialogue.say(f"XCLIENT NAME=c.example ADDR=192.0.2.7 LOGIN={login or '[UNAVAILABLE]'}")
                    said = [comparable(dialogue.say(line)[0]) for line in lines]
                facts = [f"login {login}"] if login else []
                assert explained(*facts, *lines)[0] == said
                encrypted, text = explained(*facts, "tls TLSv1.3", *lines)
                assert [number for number in range(1, len(said)) if encrypted[number] != said[number]] in ([], [4])
                assert "unavailable" not in text
        assert explained("tls TLSv1.3", *lines)[0][4].startswith("250") and not explained(*lines)[0][4].startswith("250")
        mta.write_main(smtpd_proxy_filter="127.0.0.1:9")
        assert "with smtpd_proxy_filter specified, action HOLD is unavailable" in explained(*lines)[1]


def test_rewritten_senders() -> None:
    """SRS addresses as recipients: good, expired, forged and those of others; the replies are smtpd's, and the way is the first sender's."""
    requirements.need_root()
    main = {
        "virtual_alias_domains": "fwd.example",
        "pyfix_srs_domain": "fwd.example",
        "pyfix_srs_key_file": "{dir}/etc/keys",
        "transport_maps": "inline:{{stranger.example=smtp:[127.0.0.1]:26}}",
    }
    scheme, today = SenderRewritingScheme((b"a key",)), int(time.time()) // 86400
    good = scheme.pack("a@stranger.example", "fwd.example", today)
    addresses = [
        good, good.lower(), scheme.pack("a@stranger.example", "fwd.example", today - 40), good.replace("a@", "b@"),
        SenderRewritingScheme((b"other",)).pack("a@stranger.example", "fwd.example", today), "SRS0=x@fwd.example", "user@fwd.example",
    ]  # fmt: skip
    with Instance("pyfix", main=main, files={"keys": "a key\n"}) as mta:
        (mta.config_directory / "keys").chmod(0o600)
        mta.start()
        for address in addresses:
            said = mta.dialogue("EHLO c.example", "MAIL FROM:<>", f"RCPT TO:<{address}>", "QUIT")[2]
            done = mta.run("postfix", "explain", "--json", "--client=127.0.0.1", "--name=unknown", "--helo=c.example", "--sender=", f"--recipient={address}")
            (found,) = json.loads(done.stdout)["sessions"]
            replies = [step["reply"] for step in found["steps"]]
            assert said in replies, (address, said, replies)
        way = mta.run("postfix", "explain", "--client=127.0.0.1", "--sender=", f"--recipient={good}").stdout.decode()
        assert f"{good} -> a@stranger.example: transport smtp, next hop [127.0.0.1]:26" in way.splitlines(), way
