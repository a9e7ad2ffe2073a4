"""check_policy_service: what a service is told, what its actions do, and what happens when it fails.

Source: SMTPD_POLICY_README; postconf(5) check_policy_service; requests and log lines of the reference.
"""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable, Iterator

import pytest

from tests.kit import requirements
from tests.kit.instance import Instance
from tests.kit.parity import InstancePool, Observation, Parity
from tests.kit.policyserver import HANG_UP, SILENCE, Attributes, PolicyServer
from tests.parity.known_differences import KNOWN_DIFFERENCES

pytestmark = [pytest.mark.reference, pytest.mark.root]

OURS = {"smtpd": "pyfix"}
STAGES = ("client", "helo", "sender", "recipient", "data", "end_of_data", "etrn")
_STATES = {
    "client": "CONNECT", "helo": "EHLO", "sender": "MAIL", "recipient": "RCPT", "data": "DATA",
    "end_of_data": "END-OF-MESSAGE", "etrn": "ETRN",
}  # fmt: skip
_LENIENT = {"notify_classes": "", "smtpd_reject_unlisted_recipient": "no", "smtpd_error_sleep_time": "0"}
_MESSAGE = b"Subject: x\r\n\r\nx\r\n.\r\n"
_UNSTEADY = {"client_port": r"\d+", "server_port": r"\d+", "instance": r"[0-9a-f.]+", "queue_id": r"\w+"}

Compare = Callable[..., Observation]


@pytest.fixture(scope="module")
def server() -> Iterator[PolicyServer]:
    with PolicyServer() as found:
        yield found


@pytest.fixture
def same(instance_pool: InstancePool, server: PolicyServer) -> Compare:
    """Run a case with smtpd of the reference and of pyfix; replies, log and what the service was told must agree."""
    requirements.need_reference("reference")
    parity = Parity(instance_pool, KNOWN_DIFFERENCES, ("reference", "reference"))

    def run(case: Callable[[Instance], object], *, log: bool = True, **main: str) -> Observation:
        def prepared(mta: Instance) -> object:
            answer = server.answer
            server.forget()
            server.answer = answer
            found = case(mta)
            mta.wait_for_log(r"smtpd\[\d+\]: disconnect from")
            mta.transcript += [_shown(asked) for asked in server.asked]
            return found

        try:
            return parity(prepared, main=_LENIENT | main, replace=OURS, logs="smtpd" if log else False)
        finally:
            server.forget()

    return run


def _shown(asked: Attributes) -> str:
    """Return a request with a word for each value that is another one each time."""
    return " ".join(
        f"{name}=<{name}>" if value and re.fullmatch(_UNSTEADY.get(name, "(?!)"), value) else f"{name}={value}"
        for name, value in asked.items()
    )


def _everywhere(port: int) -> dict[str, str]:
    return {f"smtpd_{stage}_restrictions": f"check_policy_service inet:127.0.0.1:{port}" for stage in STAGES}


@pytest.mark.parametrize("delay", ["yes", "no"])
@pytest.mark.parametrize(
    "lines",
    [
        ["EHLO client.example", "MAIL FROM:<a@client.example>", "RCPT TO:<user@ours.example>", "DATA", _MESSAGE, "QUIT"],
        [
            "HELO client.example", 'MAIL FROM:<"odd a"@client.example>', "RCPT TO:<user+x@ours.example>",
            "RCPT TO:<second@ours.example>", "DATA", _MESSAGE, "MAIL FROM:<>", "RCPT TO:<USER@ours.example>", "RSET", "QUIT",
        ],
        ["EHLO client.example", "ETRN relay.example", "VRFY user@ours.example", "QUIT"],
        [
            "EHLO client.example", "MAIL FROM:<a@client.example> SIZE=12345 AUTH=<>", "RCPT TO:<user@ours.example>", "RSET",
            "VRFY second@ours.example", "MAIL FROM:<b@client.example>", "RCPT TO:<user@ours.example>", "QUIT",
        ],
        ["EHLO client.example", "MAIL FROM:<a@client.example>", "RCPT TO:<user@ours.example>", b"BDAT 7 LAST\r\nx: y\r\n\n", "QUIT"],
        [
            "XCLIENT NAME=other.example ADDR=192.0.2.7 PORT=77 LOGIN=me HELO=helo.example", "EHLO client.example",
            "MAIL FROM:<a@client.example> AUTH=them@client.example", "RCPT TO:<user@ours.example>", "QUIT",
        ],
        ["MAIL FROM:<a@client.example>", "RCPT TO:<postmaster>", "RCPT TO:<nobody@elsewhere.example>", "QUIT"],
    ],
    ids=["one", "two", "etrn", "size", "bdat", "xclient", "nohelo"],
)  # fmt: skip
def test_attributes(same: Compare, server: PolicyServer, lines: list[str | bytes], delay: str) -> None:
    """All attributes, in their order, at each stage."""

    def case(mta: Instance) -> None:
        mta.dialogue(*lines)

    main = {"smtpd_delay_reject": delay, "smtpd_authorized_xclient_hosts": "127.0.0.1", "recipient_delimiter": "+"}
    same(case, **_everywhere(server.port), **main)
    same(case, **_everywhere(server.port), **main, stress="yes")


_ACTIONS = (
    "OK", "ok", "DUNNO", "dunno text", "REJECT", "REJECT go away", "reject 5.7.9 go away", "DEFER", "DEFER 4.7.9 later",
    "DEFER_IF_PERMIT greylisted", "DEFER_IF_PERMIT 4.2.0 greylisted, see http://postgrey.example/", "DEFER_IF_REJECT text",
    "DISCARD", "DISCARD quietly", "HOLD", "HOLD for review", "FILTER smtp:[127.0.0.1]:10025", "FILTER", "FILTER nothing",
    "REDIRECT other@ours.example", "REDIRECT other", "BCC third@ours.example", "BCC", "PREPEND X-Policy: good", "PREPEND nothing",
    "INFO text", "WARN text", "WARN", "HANGUP", "450 4.7.1 not yet", "450 not yet", "550", "550 no", "554 5.7.1 no", "421 4.7.0 bye",
    "521 5.7.0 never", "350 odd", "123", "permit", "reject_unauth_destination, permit", "nonsense text", "hash:/etc/file",
    "check_sender_access hash:/etc/file", "RELAY", "gr\u00fcn",
    "INFO text ", "REJECT  two  blanks  ", "REJECT\ttab", "550  no  ", "550\ttab ", " REJECT leading", "DUNNO ", "REDIRECT other@ours.example ",
    "HOLD\t", "123 ", " 123",
)  # fmt: skip


@pytest.mark.parametrize("stage", STAGES)
def test_actions(same: Compare, server: PolicyServer, stage: str) -> None:
    """Each action of access(5), at each stage: replies, log lines, and what becomes of the message."""
    action = ""

    def answer(asked: Attributes) -> bytes:
        if asked["protocol_state"].replace("HELO", "EHLO") != _STATES[stage]:
            return b"action=dunno\n\n"
        return b"action=" + action.encode() + b"\n\n"

    def case(mta: Instance) -> None:
        nonlocal action
        for count, action in enumerate(_ACTIONS, 1):
            if stage == "etrn":
                lines: list[str | bytes] = ["EHLO client.example", "ETRN relay.example", "QUIT"]
            else:
                lines = ["EHLO client.example", "MAIL FROM:<a@client.example>", "RCPT TO:<user@ours.example>", "DATA", _MESSAGE, "QUIT"]
            with mta.connect() as dialogue:
                for line in lines:
                    (reply,) = dialogue.say(line)
                    mta.transcript.append(f"{action}: {reply}")
                    if reply.startswith("<"):
                        break
            mta.wait_for_log(r"smtpd\[\d+\]: disconnect from", count=count)

    server.answer = answer
    same(case, **_everywhere(server.port), smtpd_delay_reject="no")


_FAILURES: dict[str, bytes] = {
    "closes": HANG_UP, "nonsense": b"nonsense\n\n", "other": b"foo=bar\n\n", "novalue": b"action\n\n", "empty": b"\n",
    "emptyaction": b"action=\n\n", "half": b"action=dunno\n" + HANG_UP, "halfvalue": b"action=dun" + HANG_UP,
    "halfname": b"act" + HANG_UP, "upper": b"ACTION=reject\n\n", "blanks": b" action = dunno\n\n", "utf8": b"action=reject caf\xe9\n\n",
    "extra": b"action=dunno\nextra=1\n\n", "before": b"extra=1\naction=reject x\n\n", "twice": b"action=dunno\naction=reject\n\n",
    "silent": SILENCE, "halfsilent": b"action=dunno\n", "crlf": b"action=dunno\r\n\r\n",
}  # fmt: skip


def _class(name: str, port: int, **settings: str) -> str:
    own = "".join(f", {key}={value}" for key, value in settings.items())
    return f"check_policy_service {{ inet:127.0.0.1:{port}, policy_context={name}, timeout=1s, retry_delay=1s{own} }}"


@pytest.mark.parametrize("name", _FAILURES)
def test_failures(same: Compare, server: PolicyServer, name: str) -> None:
    """A service that says nonsense, nothing, or half of something: the warning, and the default action."""
    server.answer = lambda asked: _FAILURES[asked["policy_context"]]
    # Each failure has a service of its own: what one leaves behind is no part of the next.
    names = ", ".join(f"{failure}@ours.example={failure}" for failure in _FAILURES)
    classes = {failure: _class(failure, server.port) for failure in _FAILURES}

    def case(mta: Instance) -> None:
        mta.dialogue("EHLO client.example", "MAIL FROM:<a@client.example>", f"RCPT TO:<{name}@ours.example>", "QUIT")

    restrictions = f"check_recipient_access inline:{{{names}}}"
    same(
        case, smtpd_restriction_classes=" ".join(_FAILURES), smtpd_recipient_restrictions=restrictions, **classes
    )  # fmt: skip


_UNREACHABLE = {
    "refused": "inet:127.0.0.1:9", "nosocket": "unix:private/nosuch", "noname": "inet:nosuch.example:25",
    "default": "{ inet:127.0.0.1:9, default_action=DUNNO, retry_delay=1s, try_limit=1 }",
    "defer": "{ inet:127.0.0.1:9, { default_action = DEFER 4.7.7 nobody there }, try_limit=1 }",
    "three": "{ unix:private/nosuch, try_limit=3, retry_delay=1s }",
}  # fmt: skip


@pytest.mark.parametrize("name", _UNREACHABLE)
def test_nobody_there(same: Compare, name: str) -> None:
    """A service that is down; settings of one service in braces."""
    names = ", ".join(f"{each}@ours.example={each}" for each in _UNREACHABLE)
    classes = {each: f"check_policy_service {service}" for each, service in _UNREACHABLE.items()}

    def case(mta: Instance) -> None:
        mta.dialogue("EHLO client.example", "MAIL FROM:<a@client.example>", f"RCPT TO:<{name}@ours.example>", "QUIT")

    restrictions = f"check_recipient_access inline:{{{names}}}"
    same(
        case, smtpd_restriction_classes=" ".join(_UNREACHABLE), smtpd_recipient_restrictions=restrictions, **classes
    )  # fmt: skip


@pytest.mark.parametrize("action", ["DUNNO", "REJECT no policy", "DEFER_IF_PERMIT later"])
def test_default_action(same: Compare, action: str) -> None:
    """postconf(5) smtpd_policy_service_default_action"""

    def case(mta: Instance) -> None:
        mta.dialogue("EHLO client.example", "MAIL FROM:<a@client.example>", "RCPT TO:<user@ours.example>", "QUIT")

    same(
        case, smtpd_recipient_restrictions="check_policy_service inet:127.0.0.1:9", smtpd_policy_service_default_action=action,
        smtpd_policy_service_try_limit="1",
    )  # fmt: skip


def test_one_connection_for_many_requests(same: Compare, server: PolicyServer) -> None:
    """Connections persist over sessions; one that the service closed is opened again unseen."""

    def case(mta: Instance) -> str:
        def ask(count: int) -> None:
            rcpt = ["RCPT TO:<user@ours.example>"] * count
            mta.dialogue("EHLO client.example", "MAIL FROM:<a@client.example>", *rcpt, "QUIT")

        ask(3)
        ask(2)
        first = server.connections
        answer = server.answer
        asked = list(server.asked)
        server.forget()
        server.answer = answer
        ask(2)
        server.asked[:0] = asked
        return f"{first} connection, then {server.connections}"

    seen = same(case, **_everywhere(server.port))
    assert seen.result == "1 connection, then 1"


@pytest.mark.parametrize("limit", ["1", "2"])
def test_request_limit(same: Compare, server: PolicyServer, limit: str) -> None:
    """postconf(5) smtpd_policy_service_request_limit"""

    def case(mta: Instance) -> str:
        rcpt = ["RCPT TO:<user@ours.example>"] * 4
        mta.dialogue("EHLO client.example", "MAIL FROM:<a@client.example>", *rcpt, "QUIT")
        return f"{server.connections} connections"

    service = f"check_policy_service inet:127.0.0.1:{server.port}"
    seen = same(case, smtpd_recipient_restrictions=service, smtpd_policy_service_request_limit=limit)
    assert seen.result == f"{4 // int(limit)} connections"


@pytest.mark.parametrize(
    ("name", "value"),
    [("smtpd_policy_service_max_idle", "1s"), ("smtpd_policy_service_max_ttl", "1s"), ("smtpd_policy_service_policy_context", "here and now")],
)
def test_other_settings(same: Compare, server: PolicyServer, name: str, value: str) -> None:
    """Connections that are idle or old are given up, and the service is asked all the same."""

    def case(mta: Instance) -> None:
        with mta.connect() as dialogue:
            for line in ("EHLO client.example", "MAIL FROM:<a@client.example>", "RCPT TO:<user@ours.example>"):
                mta.transcript += dialogue.say(line)
            time.sleep(2.5)  # what is compared is what happens after that time
            for line in ("RCPT TO:<second@ours.example>", "QUIT"):
                mta.transcript += dialogue.say(line)

    same(case, smtpd_recipient_restrictions=f"check_policy_service inet:127.0.0.1:{server.port}", **{name: value})


def test_a_service_on_a_local_socket(same: Compare, instance_pool: InstancePool) -> None:
    """unix:private/policy is below queue_directory."""

    def case(mta: Instance) -> str:
        with PolicyServer(mta.queue_directory / "private/policy") as local:
            local.answer = lambda _asked: b"action=REJECT by the local one\n\n"
            mta.dialogue("EHLO client.example", "MAIL FROM:<a@client.example>", "RCPT TO:<user@ours.example>", "QUIT")
            count = len(local.asked)
        return f"{count} requests"

    same(case, smtpd_recipient_restrictions="check_policy_service unix:private/policy")


def test_warn_if_reject(same: Compare, server: PolicyServer) -> None:
    """warn_if_reject before a policy service, in a class, and in an access table."""
    server.answer = lambda asked: b"action=REJECT no\n\n"

    def case(mta: Instance) -> None:
        for name in ("user", "second"):
            mta.dialogue("EHLO client.example", "MAIL FROM:<a@client.example>", f"RCPT TO:<{name}@ours.example>", "QUIT")

    service = f"check_policy_service inet:127.0.0.1:{server.port}"
    same(
        case, smtpd_restriction_classes="strict", strict=service,
        smtpd_recipient_restrictions=f"warn_if_reject {service}, check_recipient_access inline:{{second@ours.example=strict}}",
        smtpd_log_access_permit_actions="static:all",
    )  # fmt: skip


@pytest.mark.parametrize(
    "argument",
    ["{ inet:127.0.0.1:9, foo=bar }", "{ inet:127.0.0.1:9, timeout=x }", "{ }", "foo:bar", "unix:", "{ inet:127.0.0.1:9, timeout }",
     "{ inet:127.0.0.1:9, try_limit=0 }", "{ inet:127.0.0.1:9, timeout=0 }", "{ inet:127.0.0.1:9, default_action= }",
     "{ inet:127.0.0.1:9", "127.0.0.1:9", "{ inet:127.0.0.1:9 timeout=1s }x"],
)
def test_arguments_that_are_refused(same: Compare, instance_pool: InstancePool, argument: str) -> None:
    """smtpd does not start: the fatal line."""
    requirements.need_reference("reference")
    parity = Parity(instance_pool, KNOWN_DIFFERENCES, ("reference", "reference"))

    def case(mta: Instance) -> None:
        with socket.create_connection((mta.host, mta.port), 5):
            mta.wait_for_log(r"smtpd\[\d+\]: fatal: ")

    main = {"smtpd_recipient_restrictions": f"permit_mynetworks, reject_unauth_destination, check_policy_service {argument}"}
    parity(case, main=main, replace=OURS, logs="smtpd", fresh=True)
