"""Logging in at other servers: the dialogue as the server saw it, log lines, what becomes of the message.

Mechanisms with numbers of their own (SCRAM, DIGEST-MD5) are shown with real servers, in tests/interop.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from tests.kit.authdouble import encoded
from tests.kit.parity import Parity
from tests.kit.peer import Answer, Lost, Peer, Say
from tests.parity.smtp.handing import SENDER, Hand

pytestmark = [pytest.mark.reference, pytest.mark.root]

LOGIN = {"smtp_sasl_auth_enable": "yes", "smtp_sasl_password_maps": "static:joe:pw", "smtp_sasl_security_options": "noanonymous"}
LMTP = {name.replace("smtp", "lmtp"): value for name, value in LOGIN.items()}
FINE = "235 2.7.0 fine"
CHALLENGE = "334 PDE4OTYuNjk3MTcwOTUyQHBlZXIuZXhhbXBsZT4="
CRAM = encoded("joe a7c1ad2dc5a6f4d4fa9a5fd32ae3a4bb").upper()


@pytest.fixture(scope="module")
def peer() -> Iterator[Peer]:
    with Peer() as found:
        yield found


@pytest.fixture
def hand(parity: Parity, peer: Peer) -> Hand:
    return Hand(parity, peer, LOGIN | LMTP)


def offers(mechanisms: str, verb: str = "EHLO") -> dict[str, Answer]:
    return {verb: f"250-peer.example\n250-AUTH {mechanisms}\n250-DSN\n250 8BITMIME"}


Script = dict[str, Answer | list[Answer]]
SCRIPTS: dict[str, Script] = {
    "plain": {**offers("PLAIN"), "AUTH": FINE},
    "plain first": {**offers("LOGIN PLAIN"), "AUTH": FINE},
    "lower case": {**offers("plain login"), "AUTH": FINE},
    "login": {**offers("LOGIN"), "AUTH": "334 VXNlcm5hbWU6", "AM9L": "334 UGFzc3dvcmQ6", "CHC=": FINE},
    "login asks otherwise": {**offers("LOGIN"), "AUTH": "334 ", "AM9L": "334 eA==", "CHC=": FINE},
    "login asks on": {**offers("LOGIN"), "AUTH": "334 VXNlcm5hbWU6", "AM9L": "334 UGFzc3dvcmQ6", "CHC=": "334 bW9yZQ=="},
    "cram": {**offers("PLAIN CRAM-MD5 LOGIN"), "AUTH": CHALLENGE},
    "cram without challenge": {**offers("CRAM-MD5"), "AUTH": "334 "},
    "refused": {**offers("PLAIN"), "AUTH": "535 5.7.8 bad credentials"},
    "refused without status": {**offers("PLAIN"), "AUTH": "535 bad credentials"},
    "refused in lines": {**offers("PLAIN"), "AUTH": "535-5.7.8 a\n535 5.7.8 b"},
    "refused for now": {**offers("PLAIN"), "AUTH": "454 4.7.0 later"},
    "refused for good": {**offers("PLAIN"), "AUTH": Say("421 4.7.0 bye", close=True)},
    "refused after the name": {**offers("LOGIN"), "AUTH": "334 VXNlcm5hbWU6", "AM9L": "535 5.7.8 who?"},
    "not known": {**offers("PLAIN"), "AUTH": "500 5.5.1 what?"},
    "lost": {**offers("PLAIN"), "AUTH": Lost()},
    "lost after the name": {**offers("LOGIN"), "AUTH": "334 VXNlcm5hbWU6", "AM9L": Lost()},
    "another success": {**offers("PLAIN"), "AUTH": "250 what"},
    "more": {**offers("PLAIN"), "AUTH": "334 YWdhaW4="},
    "no base64": {**offers("PLAIN"), "AUTH": "334 !!!"},
    "worse base64": {**offers("LOGIN"), "AUTH": "334 A==="},
    "long challenge": {**offers("LOGIN"), "AUTH": f"334 {'QUJD' * 400}", "AM9L": "334 UGFzc3dvcmQ6", "CHC=": FINE},
    "challenge in lines": {**offers("LOGIN"), "AUTH": "334-eA==\n334 VXNlcm5hbWU6", "AM9L": "334 UGFzc3dvcmQ6", "CHC=": FINE},
    "nothing that we know": offers("FOO BAR"),
    "no mechanism": offers(""),
    "not offered": {"EHLO": "250 peer.example"},
    "two lines": {"EHLO": "250-peer.example\n250-AUTH LOGIN\n250 AUTH=PLAIN", "AUTH": FINE},
    "HELO only": {"EHLO": "502 5.5.1 no"},
    "digest that is none": {**offers("DIGEST-MD5"), "AUTH": "334 eA=="},
    "mail refused": {**offers("PLAIN"), "AUTH": FINE, "MAIL": "550 5.7.1 not you"},
}  # fmt: skip


@pytest.mark.parametrize("name", SCRIPTS)
def test_servers(hand: Hand, name: str) -> None:
    hand(SCRIPTS[name])


@pytest.mark.parametrize("name", ["plain", "login", "refused", "refused for now", "nothing that we know", "lost"])
def test_lmtp(hand: Hand, name: str) -> None:
    script = dict(SCRIPTS[name])
    script["LHLO"] = script.pop("EHLO")
    hand(script, lmtp=True)


@pytest.mark.parametrize("name", ["refused", "refused without status", "refused for now", "nothing that we know", "more", "no mechanism"])
def test_hard(hand: Hand, name: str) -> None:
    hand(SCRIPTS[name], main={"smtp_sasl_auth_soft_bounce": "no"})


BY_SENDER = {"smtp_sender_dependent_authentication": "yes"}
SETTINGS: dict[str, Mapping[str, str]] = {
    "no plaintext": {"smtp_sasl_security_options": "noplaintext, noanonymous"},
    "mutual": {"smtp_sasl_security_options": "mutual_auth"},
    "filter": {"smtp_sasl_mechanism_filter": "!plain, login, static:x"},
    "filter of one": {"smtp_sasl_mechanism_filter": "plain"},
    "filter of none": {"smtp_sasl_mechanism_filter": "foo"},
    "tables fail": {"smtp_sasl_password_maps": "fail:x"},
    "no password here": {"smtp_sasl_password_maps": "inline:{other=x}"},
    "without password": {"smtp_sasl_password_maps": "static:joe"},
    "without name": {"smtp_sasl_password_maps": "static::pw"},
    "colons": {"smtp_sasl_password_maps": "static:joe:p:w"},
    "another delimiter": {"smtp_sasl_password_maps": "static:joe:p|w", "smtp_sasl_password_result_delimiter": "|"},
    "long": {"smtp_sasl_password_maps": f"static:joe:{'x' * 400}"},
    "not believed": {"smtp_discard_ehlo_keywords": "auth"},
    "dummy": {"smtp_send_dummy_mail_auth": "yes"},
    "authorized as": {"send_cyrus_sasl_authzid": "yes"},
    "by sender": BY_SENDER | {"smtp_sasl_password_maps": f"inline:{{{{{SENDER}=sec:pw}},{{@ours.example=dom:pw}}}}"},
    "by sender's domain": BY_SENDER | {"smtp_sasl_password_maps": "inline:{{ours.example=no:pw},{@ours.example=dom:pw}}"},
    "by sender, not found": BY_SENDER | {"smtp_sasl_password_maps": "inline:{{@else.example=dom:pw}}"},
    "by sender that fails": BY_SENDER | {"smtp_sasl_password_maps": "fail:x"},
    "by destination": {"smtp_sasl_password_maps": r"regexp:{dir}/etc/passwords"},
    "disabled": {"smtp_sasl_auth_enable": "no"},
}  # fmt: skip


@pytest.mark.parametrize("name", SETTINGS)
def test_settings(hand: Hand, name: str) -> None:
    files = {"passwords": "/^\\[127\\..*\\]:[0-9]+$/ dest:pw\n"}
    hand({**offers("PLAIN LOGIN"), "AUTH": FINE}, main=SETTINGS[name], files=files)


def test_null_sender(hand: Hand) -> None:
    main = BY_SENDER | {"smtp_sasl_password_maps": "inline:{{@ours.example=dom:pw}}"}
    hand({**offers("PLAIN LOGIN"), "AUTH": FINE}, main=main, sender="")


@pytest.mark.parametrize("soft", ["yes", "no"])
def test_cache_of_refusals(hand: Hand, soft: str) -> None:
    main = {"smtp_sasl_auth_cache_name": "proxy:btree:$data_directory/sasl_cache", "smtp_sasl_auth_soft_bounce": soft}
    for answer in ("454 4.7.0 later", "535 5.7.8 bad credentials", FINE):
        hand({**offers("PLAIN"), "AUTH": answer}, main=main)
