from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from tests.unit.commands.postfix.doctor.conftest import ERROR, WARNING, Look, Site, only


@pytest.fixture
def port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.fixture
def closed() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        number: int = listener.getsockname()[1]
    return number


@pytest.fixture
def local(site: Site) -> Iterator[str]:
    (site.spool / "private").mkdir()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(site.spool / "private/answers"))
        listener.listen()
        yield "private/answers"


def test_all_answer(look: Look, site: Site, port: int, local: str) -> None:
    main = (
        f"smtpd_milters = inet:127.0.0.1:{port}, unix:{local} {{ inet:localhost:{port}, default_action=accept }}\n"
        f"non_smtpd_milters = unix:{site.spool}/{local}\n"
        f"smtpd_recipient_restrictions = check_policy_service inet:127.0.0.1:{port}, check_policy_service unix:private/ours\n"
        f"smtpd_sasl_auth_enable = yes\nsmtpd_sasl_type = dovecot\nsmtpd_sasl_path = {local}\n"
        f"virtual_transport = lmtp:unix:{local}\ncontent_filter = smtp:[127.0.0.1]:{port}\n"
        f"smtpd_proxy_filter = 127.0.0.1:{port}\nsender_canonical_maps = tcp:localhost:{port}\n"
        f"smtp_tls_policy_maps = socketmap:inet:127.0.0.1:{port}:postfix\nrelayhost = [192.0.2.1]\n"
    )
    jailed = f"9 inet n - y - - smtpd\n -o smtpd_milters=unix:/{local}\n"
    assert look(main, jailed + "ours unix - n n - 0 spawn\n  user=x argv=y\n") == []


@pytest.mark.parametrize(
    ("main", "at", "severity"),
    [
        ("smtpd_milters = inet:127.0.0.1:{closed}\n", "smtpd_milters", ERROR),
        ("milter_default_action = accept\nsmtpd_milters = inet:127.0.0.1:{closed}\n", "smtpd_milters", WARNING),
        ("non_smtpd_milters = unix:opendkim/opendkim.sock\n", "non_smtpd", ERROR),
        ("smtpd_milters =\n  {{ inet:127.0.0.1:{closed}, default_action=accept }}\n", "  {", WARNING),
        ("smtpd_recipient_restrictions = reject,\n  check_policy_service unix:private/postgrey\n", "  check", ERROR),
        ("smtpd_sasl_auth_enable = yes\nsmtpd_sasl_type = dovecot\nsmtpd_sasl_path = private/auth\n", "_path", ERROR),
        ("virtual_transport = lmtp:unix:private/dovecot-lmtp\n", "virtual_transport", ERROR),
        ("content_filter = smtp:[127.0.0.1]:{closed}\n", "content_filter", ERROR),
        ("smtpd_proxy_filter = 127.0.0.1:{closed}\n", "smtpd_proxy", ERROR),
        ("sender_canonical_maps = tcp:127.0.0.1:{closed}\n", "sender_canonical", ERROR),
        ("smtp_tls_policy_maps = socketmap:unix:/does/not/exist:postfix\n", "smtp_tls", ERROR),
    ],
)
def test_silent(look: Look, site: Site, closed: int, main: str, at: str, severity: int) -> None:
    finding = only(look(main.replace("{closed}", str(closed)).replace("{{", "{").replace("}}", "}")))
    assert finding.severity == severity
    assert finding.what.endswith(("refused", "No such file or directory")), finding.what
    assert finding.place.line == site.line("main.cf", at)


def test_an_option(look: Look, site: Site, closed: int) -> None:
    found = look("", f"587 inet n - n - - smtpd\n  -o smtpd_milters=inet:127.0.0.1:{closed}\n")
    assert only(found).place.line == site.line("master.cf", "milters")


def test_it_takes_no_long_time(look: Look) -> None:
    from time import monotonic

    begun = monotonic()
    found = look("smtpd_milters = " + " ".join(f"inet:192.0.2.{number}:8891" for number in range(1, 9)) + "\n")
    assert len(found) == 8
    assert monotonic() - begun < 5
