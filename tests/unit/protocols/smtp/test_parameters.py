from __future__ import annotations

import pytest

from pyfix.protocols.smtp.command import CommandError, Word
from pyfix.protocols.smtp.parameters import (
    MailParameters,
    RcptParameters,
    parse_mail_parameters,
    parse_rcpt_parameters,
)


def mail(text: str, **named: object) -> MailParameters:
    return parse_mail_parameters([Word(word) for word in text.split()], **{"smtputf8": True, **named})  # type: ignore[arg-type]  # keywords of any type


def rcpt(text: str) -> RcptParameters:
    return parse_rcpt_parameters([Word(word) for word in text.split()])


def test_mail() -> None:
    found = mail("size=100 BODY=8bitmime SMTPUTF8 RET=HDRS ENVID=a+2Bb AUTH=x+3Dy")
    assert found == MailParameters(100, "8bit", True, 2, "a+b", "x+3Dy")
    assert mail("BODY=7BIT").encoding == "7bit"
    assert mail("XVERP", verp_filter="-=+").verp == ""
    assert mail("XVERP=+=", verp_filter="-=+").verp == "+="


@pytest.mark.parametrize(
    ("text", "reply"),
    [
        ("SIZE=x", "501 5.5.4 Bad message size syntax"),
        ("SIZE=" + "9" * 30, "552 5.3.4 Message size exceeds file system imposed limit"),
        ("RET=x", "501 5.5.4 Bad RET parameter syntax"),
        ("RET=FULL RET=FULL", "501 5.5.4 Bad RET parameter syntax"),
        ("ENVID=+2", "501 5.5.4 Bad ENVID parameter syntax"),
        ("AUTH=a@b AUTH=c@d", "503 5.5.4 Error: multiple AUTH= options"),
        ("XVERP", "555 5.5.4 Unsupported option: XVERP"),
        ("FOO=1", "555 5.5.4 Unsupported option: FOO=1"),
        ("BODY=x", "555 5.5.4 Unsupported option: BODY=x"),
    ],
)
def test_bad_mail(text: str, reply: str) -> None:
    with pytest.raises(CommandError) as caught:
        mail(text)
    assert caught.value.reply == reply


def test_what_is_off() -> None:
    with pytest.raises(CommandError, match=r"501 5\.7\.1 DSN support is disabled"):
        mail("RET=FULL", dsn=False)
    with pytest.raises(CommandError, match=r"555 5\.5\.4 Unsupported option: SMTPUTF8"):
        mail("SMTPUTF8", smtputf8=False)
    with pytest.raises(CommandError, match="needs two characters from -="):
        mail("XVERP=abc", verp_filter="-=")


def test_rcpt() -> None:
    assert rcpt("NOTIFY=success,FAILURE ORCPT=rfc822;a+2Bb") == RcptParameters(6, "rfc822;a+b")
    assert rcpt("NOTIFY=NEVER").notify == 1
    assert rcpt("ORCPT=utf-8;\\x{e9}@x").orcpt == "utf-8;\u00e9@x"


@pytest.mark.parametrize("text", ["NOTIFY=", "NOTIFY=x", "NOTIFY=NEVER,DELAY", "NOTIFY=DELAY NOTIFY=DELAY"])
def test_bad_notify(text: str) -> None:
    with pytest.raises(CommandError, match="Bad NOTIFY parameter syntax"):
        rcpt(text)


@pytest.mark.parametrize("text", ["ORCPT=", "ORCPT=x", "ORCPT=;a", "ORCPT=rfc822;+2", "ORCPT=rfc822;a ORCPT=rfc822;a"])
def test_bad_orcpt(text: str) -> None:
    with pytest.raises(CommandError, match="Bad ORCPT parameter syntax"):
        rcpt(text)


def test_what_comes_before_an_error_is_kept() -> None:
    found = MailParameters()
    with pytest.raises(CommandError):
        parse_mail_parameters([Word("SIZE=7"), Word("FOO"), Word("SIZE=9")], found, smtputf8=True)
    assert found.size == 7


@pytest.mark.parametrize(
    ("orcpt", "found"),
    [
        ("utf-8;a\\x{E9}b", "utf-8;a\u00e9b"), ("utf-8;\\x{000041}", "utf-8;A"), ("utf-8;a\\x{0}b", "utf-8;a"), ("utf-8;\\x", "utf-8;\\x"),
        ("utf-8;\\x{D800}", "utf-8;\udced\udca0\udc80"), ("a_b;c", "a_b;c"), ("utf-8;\\x{10FFFF}", "utf-8;\U0010ffff"),
        ("utf-8;\\x{110000}", ""), ("utf-8;\\x{zz}", ""), ("utf-8;\\x{41", ""), (";a", ""),
    ],
)  # fmt: skip
def test_original_recipients(orcpt: str, found: str) -> None:
    """Escapes are code points; what can't be one is refused, and no value is one that can't be written."""
    words = [Word(f"ORCPT={orcpt}")]
    if not found:
        with pytest.raises(CommandError):
            parse_rcpt_parameters(words)
        return
    assert parse_rcpt_parameters(words).orcpt == found
    found.encode("utf-8", "surrogateescape")
