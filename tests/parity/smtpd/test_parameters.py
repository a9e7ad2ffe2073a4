"""Each parameter that smtpd(8) reads, TLS apart, with a value that changes what it does: the table of where that is shown, and
those that are shown here.

The configurations are services of one master.cf, each an smtpd with ``-o`` options of its own, as sites have them.
Source: postconf(5); smtpd(8), CONFIGURATION PARAMETERS.
"""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyfix.config.parameters.address_probe import AddressProbeSettings
from pyfix.config.parameters.smtp_server import SmtpServerSettings
from pyfix.config.parameters.smtpd import SmtpdSettings
from pyfix.config.parameters.smtpd_access import SmtpdAccessSettings
from pyfix.config.parameters.smtpd_limits import SmtpdLimitSettings
from pyfix.config.parameters.smtpd_sasl import SmtpdSaslSettings
from pyfix.formats.probesender import current
from tests.kit.instance import STRANGER, Instance
from tests.kit.smtp import Dialogue, Line

from .clientlog import said_of_clients
from .conftest import LENIENT, Compare

PARITY = Path(__file__).parents[1]
OWN = (SmtpdSettings, SmtpdAccessSettings, SmtpdSaslSettings, SmtpdLimitSettings, SmtpServerSettings, AddressProbeSettings)
OTHERS = (
    "bounce_notice_recipient", "canonical_maps", "content_filter", "cyrus_sasl_config_path", "error_notice_recipient", "header_from_format",
    "local_header_rewrite_clients", "local_recipient_maps", "milter_command_timeout", "milter_connect_macros", "milter_connect_timeout",
    "milter_content_timeout", "milter_data_macros", "milter_default_action", "milter_end_of_data_macros", "milter_end_of_header_macros",
    "milter_helo_macros", "milter_macro_daemon_name", "milter_macro_defaults", "milter_macro_v", "milter_mail_macros", "milter_protocol",
    "milter_rcpt_macros", "milter_unknown_command_macros", "notify_classes", "receive_override_options", "recipient_canonical_maps",
    "relay_recipient_maps", "sender_canonical_maps", "show_user_unknown_table_name", "virtual_alias_maps", "virtual_mailbox_maps",
)  # fmt: skip
"""What other programs read, too."""
NEITHER = {
    "authorized_verp_clients": "an old name; the default of smtpd_authorized_verp_clients",
    "smtpd_client_connection_limit_exceptions": "an old name; the default of smtpd_client_event_limit_exceptions",
    "smtpd_per_record_deadline": "an old name; the default of smtpd_per_request_deadline",
    "maps_rbl_domains": "of reject_maps_rbl, which 3.11 refuses (test_each_restriction.py)",
    "pyfix_log_decisions": "an addition; the reference has nothing like it",
}
STAGED = re.compile(r"(smtpd|milter)_(.*)_(restrictions|macros)")
"""Names that tests put together."""

ELSEWHERE = {
    "smtpd/test_reply_codes.py": "access_map_defer_code access_map_reject_code defer_code invalid_hostname_reject_code "
    "multi_recipient_bounce_reject_code non_fqdn_reject_code reject_code relay_domains_reject_code smtpd_client_ipv4_prefix_length "
    "smtpd_null_access_lookup_key unknown_local_recipient_reject_code unknown_relay_recipient_reject_code "
    "unknown_virtual_alias_reject_code unknown_virtual_mailbox_reject_code",
    "smtpd/test_verification.py": "address_verify_poll_count address_verify_poll_delay unverified_recipient_defer_code "
    "unverified_recipient_reject_code unverified_recipient_reject_reason unverified_recipient_tempfail_action unverified_sender_defer_code "
    "unverified_sender_reject_code unverified_sender_reject_reason unverified_sender_tempfail_action",
    "smtpd/test_dns_restrictions.py": "rbl_reply_maps",
    "smtpd/test_dns_parameters.py": "default_rbl_reply maps_rbl_reject_code permit_mx_backup_networks reject_tempfail_action smtpd_dns_reply_filter "
    "unknown_address_reject_code unknown_address_tempfail_action unknown_client_reject_code unknown_helo_hostname_tempfail_action "
    "unknown_hostname_reject_code",
    "smtpd/test_names_of_clients.py": "smtpd_peername_lookup",
    "smtpd/test_details.py": "plaintext_reject_code sender_canonical_maps smtpd_discard_ehlo_keywords smtpd_expansion_filter smtpd_reject_filter_maps",
    "smtpd/test_restrictions.py": "canonical_maps local_recipient_maps relay_recipient_maps show_user_unknown_table_name "
    "smtpd_client_restrictions smtpd_data_restrictions smtpd_end_of_data_restrictions smtpd_etrn_restrictions smtpd_helo_restrictions "
    "smtpd_recipient_restrictions smtpd_reject_unlisted_recipient smtpd_reject_unlisted_sender smtpd_relay_restrictions smtpd_restriction_classes "
    "smtpd_sender_restrictions virtual_alias_maps virtual_mailbox_maps smtpd_log_access_permit_actions",
    "smtpd/test_notices.py": "bounce_notice_recipient error_notice_recipient header_from_format notify_classes smtpd_history_flush_threshold",
    "smtpd/test_parents.py": "smtpd_authorized_verp_clients smtpd_authorized_xclient_hosts smtpd_client_event_limit_exceptions "
    "smtpd_forbid_bare_newline_exclusions",
    "smtpd/test_clientinfo.py": "smtpd_authorized_xforward_hosts smtpd_client_connection_rate_limit",
    "smtpd/test_limits.py": "smtpd_client_auth_rate_limit smtpd_client_connection_count_limit smtpd_client_message_rate_limit "
    "smtpd_client_new_tls_session_rate_limit smtpd_client_recipient_rate_limit",
    "smtpd/test_received.py": "smtpd_client_port_logging smtpd_hide_client_session smtpd_sasl_authenticated_header",
    "smtpd/test_smuggling.py": "smtpd_forbid_bare_newline smtpd_forbid_bare_newline_reject_code",
    "smtpd/test_content.py": "smtpd_forbid_unauth_pipelining smtpd_recipient_limit smtpd_recipient_overshoot_limit",
    "smtpd/test_impatience.py": "smtpd_error_sleep_time smtpd_hard_error_limit smtpd_junk_command_limit smtpd_min_data_rate "
    "smtpd_per_request_deadline smtpd_soft_error_limit smtpd_timeout stress",
    "smtpd/test_packets.py": "smtpd_command_filter smtpd_delay_open_until_valid_rcpt",
    "smtpd/test_commands.py": "disable_vrfy_command smtpd_delay_reject smtpd_forbidden_commands smtpd_helo_required smtpd_noop_commands "
    "smtpd_reject_footer",
    "smtpd/test_addresses.py": "strict_rfc821_envelopes",
    "smtpd/test_proxy_protocol.py": "smtpd_upstream_proxy_protocol smtpd_upstream_proxy_timeout",
    "smtpd/test_tls.py": "relay_clientcerts",
    "filters/test_proxy_filter.py": "smtpd_proxy_ehlo smtpd_proxy_filter smtpd_proxy_options smtpd_proxy_timeout",
    "filters/test_content_filter.py": "content_filter receive_override_options",
    "filters/test_reinjection.py": "recipient_canonical_maps",
    "policy/test_policy_service.py": "smtpd_policy_service_default_action smtpd_policy_service_max_idle smtpd_policy_service_max_ttl "
    "smtpd_policy_service_policy_context smtpd_policy_service_request_limit smtpd_policy_service_try_limit",
    "policy/test_never_open.py": "milter_connect_timeout milter_content_timeout",
    "milter/test_settings.py": "milter_command_timeout milter_default_action milter_protocol",
    "milter/test_sessions.py": "milter_connect_macros milter_data_macros milter_end_of_data_macros milter_end_of_header_macros "
    "milter_helo_macros milter_macro_daemon_name milter_macro_defaults milter_macro_v milter_mail_macros milter_rcpt_macros "
    "milter_unknown_command_macros smtpd_milter_maps smtpd_milters",
    "sasl/conftest.py": "cyrus_sasl_config_path smtpd_sasl_auth_enable smtpd_sasl_type",
    "sasl/test_offers.py": "broken_sasl_auth_clients smtpd_sasl_exceptions_networks smtpd_sasl_local_domain smtpd_sasl_mechanism_filter "
    "smtpd_sasl_path smtpd_sasl_response_limit smtpd_sasl_security_options smtpd_sasl_service",
    "sasl/test_logins.py": "local_header_rewrite_clients smtpd_sender_login_maps",
}
"""Parameters by the file whose cases change them."""

RCPT: list[Line] = ["EHLO c.example", "MAIL FROM:<a@x.example>", "RCPT TO:<user@ours.example>", "RCPT TO:<nobody@ours.example>", "QUIT"]
RELAYED: list[Line] = ["EHLO c", "MAIL FROM:<a@x.example>", "RCPT TO:<user@ours.example>", "RCPT TO:<user@elsewhere.example>", "QUIT"]
ROUTED: list[Line] = [
    "EHLO c", "MAIL FROM:<a@x.example>", "RCPT TO:<user%elsewhere.example@relay.example>", "RCPT TO:<elsewhere.example!user@relay.example>",
    "RCPT TO:<@relay.example:user@elsewhere.example>", 'RCPT TO:<"user@elsewhere.example"@relay.example>', "RCPT TO:<user%ours.example@ours.example>",
    "QUIT",
]  # fmt: skip
PROBED: list[Line] = [
    "EHLO c", "MAIL FROM:<a@x.example>", "RCPT TO:<double-bounce@mail.ours.example>", "RCPT TO:<double-bounce@ours.example>",
    "RCPT TO:<prober@ours.example>", "RCPT TO:<Prober@OURS.example>", "RCPT TO:<prober@mail.ours.example>", "RCPT TO:<prober>",
    "RCPT TO:<prober+x@ours.example>", "QUIT",
]  # fmt: skip
SIX: list[Line] = ["EHLO c", "XCLIENT ADDR=IPV6:2001:db8::1", "EHLO c", "XCLIENT ADDR=IPV6:2001:db8:0:0:1::9", "EHLO c", "QUIT"]
DEAD = "check_policy_service inet:127.0.0.1:1"
TIMED = ("smtpd_policy_service_retry_delay",)
"""Of these it counts whether the session took three seconds."""

Options = dict[str, str]
CONFIGURATIONS: dict[str, list[tuple[Options, list[Line]]]] = {
    "smtpd_banner": [({"smtpd_banner": value}, ["QUIT"]) for value in (
        "$myhostname ESMTP at your service", "[127.0.0.1]", "$process_name of $mydomain ${stress?stress}", "  many   blanks ",
    )],
    "address_verify_sender": [({"address_verify_sender": value}, PROBED) for value in ("prober@ours.example", "prober", "", "<>", "double-bounce")],
    "allow_untrusted_routing": [({"allow_untrusted_routing": value}, ROUTED) for value in ("yes", "no")],
    "queue_minfree": [({"queue_minfree": value}, RCPT) for value in ("4000000000000000000", "1")],
    "smtpd_client_ipv6_prefix_length": [
        ({"smtpd_client_connection_rate_limit": "1", "smtpd_client_event_limit_exceptions": "", "smtpd_client_ipv6_prefix_length": value}, SIX)
        for value in ("128", "80", "64", "0")
    ],
    "smtpd_discard_ehlo_keyword_address_maps": [({"smtpd_discard_ehlo_keyword_address_maps": value}, ["EHLO c", "HELO c", "QUIT"]) for value in (
        "inline:{{127.0.0.1=pipelining, etrn}}", "inline:{{127.0.0.2=etrn}}", "inline:{{127.0.0.1=silent-discard dsn}} static:vrfy", "static:{size nonsense}",
        "inline:{{127.0.0.1=}}",
    )],
    "smtpd_reject_footer_maps": [
        ({"smtpd_reject_footer_maps": value, "smtpd_reject_footer": "\\c for all"}, ["FOO", *RCPT]) for value in (
            "regexp:{{/^550 5.1.1/ For whom? $client_address}, {/^502/ \\c again}}", "static:{a\\nb ${helo_name}}", "inline:{x=y}",
        )
    ],
    "smtpd_relay_before_recipient_restrictions": [
        ({"smtpd_relay_before_recipient_restrictions": value, "smtpd_recipient_restrictions": "check_client_access static:{REJECT the recipient}",
          "smtpd_relay_restrictions": "check_client_access static:{REJECT relaying}, reject_unauth_destination"}, RELAYED) for value in ("no", "yes")
    ],
    "smtpd_policy_service_retry_delay": [
        ({"smtpd_policy_service_retry_delay": value, "smtpd_client_restrictions": DEAD, "smtpd_policy_service_try_limit": "2"}, RCPT[:3])
        for value in ("3s",)
    ],
    "smtpd_policy_service_timeout": [
        ({"smtpd_policy_service_timeout": "1s", "smtpd_client_restrictions": "check_policy_service inet:127.0.0.1:{silent}",
          "smtpd_policy_service_try_limit": "1"}, RCPT[:3]),
    ],
}  # fmt: skip
"""By the parameter that a configuration is about."""


def read() -> set[str]:
    """Return the names of all parameters that count."""
    declared = {name for settings in OWN for name in vars(settings) if not name.startswith("_")}
    return {name for name in {*declared, *OTHERS} if "tls" not in name or name in str(ELSEWHERE)} - set(NEITHER)


def test_each_has_its_test() -> None:
    shown = {name: PARITY / place for place, names in ELSEWHERE.items() for name in names.split()}
    assert sum(len(names.split()) for names in ELSEWHERE.values()) == len(shown)
    here = {*CONFIGURATIONS, "address_verify_sender_ttl"}
    assert not here & set(shown)
    assert read() == here | set(shown)
    texts = {path: path.read_text() for path in set(shown.values())}
    unnamed = [
        name for name, path in shown.items()
        if not re.search(rf"\b{name}\b", texts[path]) and STAGED.sub(r"\1_{stage}_\3", name) not in texts[path]
    ]  # fmt: skip
    assert not unnamed


def _services() -> Iterator[tuple[str, str, Options, list[Line]]]:
    """Yield name, address, options and session of each smtpd."""
    number = 0
    for parameter, configurations in CONFIGURATIONS.items():
        for options, lines in configurations:
            number += 1
            yield parameter, f"127.2.0.{number}", options, lines


@pytest.fixture
def silent() -> Iterator[int]:
    """The port of a server that says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.reference
@pytest.mark.root
def test_parameters(parity_of_smtpd: Compare, silent: int) -> None:
    def case(mta: Instance) -> None:
        for parameter, address, options, lines in _services():
            mark, begin = mta.log_mark(), time.monotonic()
            with Dialogue(address, mta.port, STRANGER) as client:
                mta.transcript += [f"== {parameter}: {options}", client.greeting]
                for line in lines:
                    mta.transcript += [f"> {line!r}", *client.say(line)]
            mta.wait_for_log(r"smtpd\[\d+\]: disconnect from", since=mark)
            if parameter in TIMED:
                mta.transcript.append(f"took its time: {time.monotonic() - begin >= 3}")
            # How much room there is changes all the time.
            mta.transcript += [re.sub(r"\b\d{7,} bytes", "<N> bytes", line) for line in said_of_clients(mta.log_lines(mark))]

    master = {}
    for _parameter, address, options, _lines in _services():
        words = "".join(f" -o {{ {name} = {value.replace('{silent}', str(silent))} }}" for name, value in options.items())
        master[f"{address}:{{port}}"] = f"{address}:{{port}} inet n - n - - smtpd{words}"
    main = LENIENT | {"recipient_delimiter": "+", "anvil_rate_time_unit": "1h"}
    seen = parity_of_smtpd(case, main=main, master=master, logs=False)
    assert "took its time: True" in seen.transcript


@pytest.mark.reference
@pytest.mark.root
def test_a_sender_of_probes_that_changes(parity_of_smtpd: Compare) -> None:
    """address_verify_sender_ttl: what verify(8) sends its probes as is a recipient for a while, and nothing else."""

    def case(mta: Instance) -> None:
        mta.dialogue("EHLO c", "MAIL FROM:<a@x.example>", "RCPT TO:<nobody@ours.example>", "QUIT")
        probe = mta.wait_for_log(r"qmgr\[\d+\]: \w+: from=<(prober[^@]+@ours\.example)>")[1]
        stamp = probe.removeprefix("prober").partition("@")[0]
        tried = [probe, probe.upper(), probe.lower(), "prober@ours.example", f"x{probe}", "prober1@ours.example", "prober+x@ours.example"]
        tried += [f"prober{text}@ours.example" for text in (f"0{stamp}", f"{stamp}x", f"{stamp}!", f" {stamp}", f"+{stamp}", f"-{stamp}", stamp[:-1], "z")]
        tried += [current("prober", "ours.example", 86400, time.time() + days * 86400) for days in (-3, -2, -1, 0, 1, 2, 3)]
        told = []
        for address in tried:
            with mta.connect() as client:
                said = [client.say(line)[0] for line in ("EHLO c", "MAIL FROM:<>", f"RCPT TO:<{address}>", "QUIT")]
                told.append(said[2][:9])
        mta.transcript.append(str(told))

    main = LENIENT | {
        "address_verify_sender": "prober@ours.example", "address_verify_sender_ttl": "1d", "address_verify_map": "",
        "smtpd_reject_unlisted_recipient": "no", "address_verify_poll_count": "1", "address_verify_poll_delay": "1s",
        "smtpd_recipient_restrictions": "check_recipient_access inline:{{nobody@ours.example=reject_unverified_recipient}}, reject_unlisted_recipient",
    }  # fmt: skip
    seen = parity_of_smtpd(case, main=main, logs=False)
    assert "250 2.1.5" in seen.transcript[-1] and "550 5.1.1" in seen.transcript[-1]
