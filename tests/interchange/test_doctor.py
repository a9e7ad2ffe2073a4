"""``postfix check --doctor`` on a mail system that runs: its verdict is that of smtpd, and it finds what is broken."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from pyfix.commands.postfix.doctor.examination import Examination
from pyfix.commands.postfix.doctor.host import Host
from pyfix.commands.postfix.doctor.rehearsal import Attempt, Rehearsal
from pyfix.tables.source import forget_tables
from tests.kit import services
from tests.kit.instance import STRANGER, TRUSTED, Instance
from tests.unit.commands.postfix.doctor.conftest import NOW, certificate

LISTS = (
    {"smtpd_relay_restrictions": "permit_mynetworks,reject_unauth_destination"},
    {"smtpd_relay_restrictions": "permit_mynetworks,check_sender_access,texthash:{dir}/etc/senders,reject"},
    {"smtpd_relay_restrictions": "", "smtpd_recipient_restrictions": "mine,defer_unauth_destination"},
    {"smtpd_recipient_restrictions": "check_helo_access,texthash:{dir}/etc/helos,permit_mynetwork"},
    {"smtpd_recipient_restrictions": "warn_if_reject,reject,check_recipient_access,static:{defer_if_permit}"},
    {"smtpd_sender_restrictions": "reject_non_fqdn_sender,reject_unlisted_sender", "smtpd_reject_unlisted_sender": "yes"},
    {"smtpd_client_restrictions": "check_sender_access,texthash:{dir}/etc/senders", "mynetworks": "127.0.0.0/8"},
    {"smtpd_relay_restrictions": "permit_mynetworks,permit_auth_destination,reject", "relay_domains": "elsewhere.example"},
)
SENDERS = ("someone@client.example", "friend@client.example", "evil@client.example", "", "nobody@ours.example", "plain")
RECIPIENTS = ("someone@elsewhere.example", "user@ours.example", "nobody@ours.example", "a%elsewhere.example@ours.example")
FILES = {
    "senders": "friend@client.example OK\nevil@client.example REJECT not you\nours.example permit_mynetworks,reject\n",
    "helos": "client.example DUNNO\n",
}

_OF_MAIN_CF = re.compile(r"overriding earlier entry|backwards.compatib|COMPATIBILITY_README|postconf compatibility_level=")


def _with_services(mta: Instance) -> list[int]:
    """Give the instance an smtpd for each of LISTS."""
    ports = [mta.another_port() for _ in LISTS]
    lines = services.STANDARD.replace("{port}", str(mta.port))
    for port, options in zip(ports, LISTS, strict=True):
        lines += f"127.0.0.1:{port} inet n - n - - smtpd\n"
        lines += "".join(f"  -o {name}={value}\n" for name, value in options.items())
    mta.write("master.cf", lines)
    mta.write_main(
        smtpd_soft_error_limit="1000",
        smtpd_hard_error_limit="1000",
        smtpd_error_sleep_time="0",
        smtpd_restriction_classes="mine", mine="check_sender_access texthash:{dir}/etc/senders, permit_mynetworks"
    )
    return ports


@pytest.mark.parametrize("kind", ["pyfix", pytest.param("reference", marks=pytest.mark.reference)])
def test_its_verdict_is_that_of_smtpd(new_instance: Callable[..., Instance], kind: str) -> None:
    mta = new_instance(kind, files=FILES)
    ports = _with_services(mta)
    mta.start()
    examination = Examination(str(mta.config_directory), Host())
    rehearsals = {one.entry.name: Rehearsal(one.snapshot, examination.snapshot) for one in examination.of_program("smtpd")}
    compared = []
    for port in ports:
        rehearsal = rehearsals[f"127.0.0.1:{port}"]
        for client in (STRANGER, TRUSTED):
            said = ["EHLO client.example"]
            for sender in SENDERS:
                said += [f"MAIL FROM:<{sender}>", *(f"RCPT TO:<{recipient}>" for recipient in RECIPIENTS), "RSET"]
            replies = mta.dialogue(*said, client=client, port=port)
            for line, reply in zip(said, replies, strict=True):
                if line.startswith("MAIL"):
                    sender = line.removeprefix("MAIL FROM:<").removesuffix(">")
                elif line.startswith("RCPT"):
                    recipient = line.removeprefix("RCPT TO:<").removesuffix(">")
                    refusal, _ = rehearsal.reply(Attempt(client, "client.example", sender, recipient))
                    expected = "250 2.1.5 Ok" if refusal is None else refusal.reply
                    compared.append((port, client, sender, recipient, expected, reply))
    assert [one for one in compared if one[4] != one[5]] == []
    assert len({one[5].partition(" <")[0] for one in compared}) > 5  # and they were not all the same
    forget_tables()


@pytest.fixture(scope="module")
def broken() -> Iterator[tuple[Instance, list[dict[str, Any]]]]:
    """A mail system that runs, whose files are then broken in every way; and what the doctor tells of it."""
    with Instance("pyfix", main={"smtpd_tls_security_level": "none"}) as mta:
        mta.start()
        before = json.loads(mta.run("postfix", "check", "--doctor", "--json").stdout)
        assert [found for found in before["findings"] if found["severity"] != "note"] == []
        certificate_file, _ = certificate(mta.config_directory, "other.example", days=-200, begins=NOW - timedelta(days=365))
        _, key = certificate(mta.config_directory)
        key.chmod(0o644)
        closed = mta.another_port()
        aliases = mta.write("aliases", "root: user\n")
        assert mta.run("postalias", f"hash:{aliases}").returncode == 0
        later = time.time() + 600
        os.utime(aliases, (later, later))
        mta.write("senders", "client.example OK\n").chmod(0o666)
        mta.write_main(
            inet_interfaces="all",
            mynetworks="127.0.0.2/32, 128.0.0.0/1",
            compatibility_level="2",
            smtpd_relay_restrictions="permit_mynetworks",
            smtpd_recipient_restrictions="check_sender_access texthash:{dir}/etc/senders, reject_unauth_destination",
            smtpd_sender_restrictions="permit_mynetworks, reject, reject_unknown_sender_domain",
            smtpd_helo_restrictions="reject_invalid_helo_hostnam",
            myorgin="$mydomain",
            biff="perhaps",
            virtual_transport="dovecot",
            smtpd_milters=f"inet:127.0.0.1:{closed}",
            content_filter="smtp:[127.0.0.1]:{port}".replace("{port}", str(mta.port)),
            alias_maps="hash:{dir}/etc/aliases",
            smtp_generic_maps="hash:{dir}/etc/generic",
            smtpd_tls_security_level="may",
            smtpd_tls_cert_file=str(certificate_file),
            smtpd_tls_key_file=str(key),
            smtpd_tls_mandatory_protocols="SSLv3",
            virtual_mailbox_domains="ours.example, mail.ours.example",
            relayhost=f"[127.0.0.1]:{mta.port}",
            message_size_limit="90000000",
            queue_minfree=str(2**60),
        )
        text = (mta.config_directory / "main.cf").read_text()
        mta.write("main.cf", text.replace("biff = no\n", "") + "relay_domains = twice.example\n")
        master = services.STANDARD.replace("{port}", str(mta.port))
        public = "0.0.0.0:2525 inet n - n - - smtpd\n  -o smtpd_helo_restrictions=\n  -o smtpd_sender_restrictions=\n"
        mta.write("master.cf", public + master.replace("postlog unix-dgram n - n - 1 postlogd\n", ""))
        mark = mta.log_mark()
        done = mta.run("postfix", "check", "--doctor", "--json")
        assert done.returncode == 3, done
        # What every command says of main.cf is in the log, and nothing of a rehearsal.
        assert [line for line in mta.log_lines(mark) if not _OF_MAIN_CF.search(line)] == []
        told = mta.run("postfix", "check", "--doctor").stdout.decode()
        assert told.splitlines()[0] == "Relaying and access"
        assert "\033" not in told
        yield mta, json.loads(done.stdout)["findings"]


@pytest.mark.parametrize(
    ("check", "severity", "line", "said"),
    [
        ("open_relay", "error", "smtpd_recipient_restrictions", "0.0.0.0:2525 inet lets a stranger (198.51.100.77) send"),
        ("trusted_networks", "error", "mynetworks =", "128.0.0.0/1"),
        ("unreachable_restrictions", "warning", "smtpd_sender_restrictions", "reject_unknown_sender_domain"),
        ("unknown_restrictions", "error", "smtpd_helo_restrictions", "reject_invalid_helo_hostname?"),
        ("unknown_parameters", "warning", "myorgin", "myorigin?"),
        ("bad_values", "error", "biff", "bad boolean"),
        ("replaced_settings", "warning", "relay_domains = relay", "sets relay_domains again"),
        ("compatibility", "note", "compatibility_level", "respectful_logging"),
        ("missing_services", "error", "virtual_transport", "no service dovecot"),
        ("silent_endpoints", "error", "smtpd_milters", "refused"),
        ("filter_loops", "error", "content_filter", "leads back"),
        ("tables", "warning", "alias_maps", "was changed after"),
        ("tables", "error", "smtp_generic_maps", "are missing"),
        ("table_rights", "error", "smtpd_recipient_restrictions", "everybody may write"),
        ("certificates", "error", "smtpd_tls_cert_file", "expired on"),
        ("certificates", "error", "smtpd_tls_key_file", "not that of the certificate"),
        ("certificates", "note", "smtpd_tls_cert_file", "is for other.example"),
        ("key_rights", "error", "smtpd_tls_key_file", "everybody may read"),
        ("tls_settings", "warning", "smtpd_tls_mandatory_protocols", "sslv3"),
        ("overlapping_domains", "warning", "mydestination", "mail.ours.example is in both"),
        ("host_names", "error", "relayhost", "this host itself"),
        ("size_limits", "error", "message_size_limit", "mailbox_size_limit (51200000)"),
        ("queue_disk", "error", "queue_directory", "are needed"),
        ("no_log", "error", "maillog_file", "no service postlog"),
    ],
)
def test_what_is_broken_is_found(
    broken: tuple[Instance, list[dict[str, Any]]], check: str, severity: str, line: str, said: str
) -> None:
    mta, findings = broken
    lines = (mta.config_directory / "main.cf").read_text().splitlines()
    found = [
        one
        for one in findings
        if one["check"] == check
        and one["severity"] == severity
        and said in one["what"] + one["why"]
        and lines[one["line"] - 1].startswith(line)
    ]
    assert found, [one for one in findings if one["check"] == check]
    assert found[0]["file"] == str(mta.config_directory / "main.cf")


def test_it_has_changed_nothing(broken: tuple[Instance, list[dict[str, Any]]]) -> None:
    mta, _ = broken
    assert mta.is_running()
    with mta.connect() as dialogue:
        assert dialogue.greeting.startswith("421 ")  # the milter of the broken main.cf does not answer
