"""Programs in front of smtpd that say who their client is: nginx as a mail proxy, which logs people in and says so with XCLIENT,
and swaks in the place of either kind of proxy.  Replies, log lines and delivered mail are the same.

Source: XCLIENT_README; nginx's ngx_mail_* modules; swaks(1); postconf(5) smtpd_upstream_proxy_protocol.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit import requirements
from tests.kit.instance import Instance
from tests.kit.parity import Parity
from tests.kit.ports import ReservedPort
from tests.kit.sendmailplace import run_client
from tests.kit.servers import own_folder, running

pytestmark = [pytest.mark.reference, pytest.mark.root]

MODULES = (Path("/usr/lib/nginx/modules/ngx_mail_module.so"), Path("/usr/share/nginx/modules/ngx_mail_module.so"))
NGINX = """\
load_module {module};
daemon off;
worker_processes 1;
pid {folder}/pid;
error_log {folder}/error.log info;
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3; uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  map $http_auth_user $login {{ default OK; stranger "Invalid login or password"; }}
  map "$http_auth_method/$http_auth_smtp_to" $verdict {{ default $login; "~^none/.*refused@" "550 5.7.1 the proxy refuses"; }}
  server {{
    listen 127.0.0.1:{auth};
    location / {{
      add_header Auth-Status $verdict; add_header Auth-Server 127.0.0.1; add_header Auth-Port {port}; add_header Auth-Wait 1;
      return 204;
    }}
  }}
}}
mail {{
  server_name proxy.example;
  auth_http 127.0.0.1:{auth}/;
  proxy_pass_error_message on;
  smtp_auth none plain login;
  smtp_capabilities PIPELINING "SIZE 10240000" 8BITMIME;
  server {{ listen 127.0.0.1:{front}; protocol smtp; xclient on; }}
  server {{ listen 127.0.0.1:{second}; protocol smtp; xclient off; }}
}}
"""
MESSAGE = b"Subject: x\r\nFrom: a@client.example\r\n\r\nhello\r\n..dot\r\n.\r\n"
JOE = "AUTH PLAIN AGpvZQBwdw=="
STRANGER = "AUTH PLAIN AHN0cmFuZ2VyAHB3"
MAIL = ["MAIL FROM:<a@client.example>", "RCPT TO:<user@ours.example>"]
SESSIONS: list[list[str | bytes]] = [
    ["EHLO client.example", JOE, *MAIL, "RCPT TO:<u@elsewhere.example>", "RCPT TO:<nosuch@ours.example>", "DATA", MESSAGE, "QUIT"],
    ["EHLO client.example", "AUTH LOGIN", "am9l", "cHc=", *MAIL, "DATA", MESSAGE, "RSET", *MAIL, "QUIT"],
    ["EHLO client.example", STRANGER, "QUIT"],
    ["EHLO client.example", *MAIL, "RCPT TO:<second@ours.example>", "DATA", MESSAGE, "QUIT"],
    ["HELO client.example", "MAIL FROM:<>", "RCPT TO:<u@elsewhere.example>", "RCPT TO:<user@ours.example>", "QUIT"],
    ["EHLO client.example", "MAIL FROM:<a@client.example>", "RCPT TO:<refused@ours.example>", "QUIT"],
    ["EHLO client.example", "MAIL FROM:<a@banned.example>", "RCPT TO:<user@ours.example>", "QUIT"],
]  # fmt: skip


@pytest.fixture
def ports() -> Iterator[list[int]]:
    reserved = [ReservedPort() for _ in range(3)]
    yield [port.number for port in reserved]
    for port in reserved:
        port.release()


def test_nginx(parity: Parity, ports: list[int]) -> None:
    """Logged in and not; a server for which nginx says who its client is, and one for which it does not."""
    path = shutil.which("nginx", path="/usr/sbin:/usr/bin")
    module = next((one for one in MODULES if one.exists()), None)
    if path is None or module is None:
        requirements.missing("nginx with its mail module is not there: apt-get install nginx libnginx-mod-mail")

    def case(mta: Instance) -> None:
        front, second, auth = ports
        with own_folder() as folder:
            text = NGINX.format(module=module, folder=folder, front=front, second=second, auth=auth, port=mta.port)
            (folder / "nginx.conf").write_text(text)
            argv: list[str | Path] = [path, "-e", folder / "error.log", "-p", folder, "-c", folder / "nginx.conf"]
            with running(argv, front, folder / "log"):
                for port in (front, second):
                    for lines in SESSIONS:
                        mark = mta.log_mark()
                        mta.dialogue(*lines, client="127.0.0.77", port=port)
                        if STRANGER not in lines and not any("refused@" in str(line) for line in lines):
                            mta.wait_for_log(r"smtpd\[\d+\]: disconnect from", since=mark)
                        mta.wait_until_empty()

    main = {
        "smtpd_authorized_xclient_hosts": "127.0.0.1", "smtpd_sasl_auth_enable": "no", "mynetworks": "192.0.2.0/24", "notify_classes": "",
        "smtpd_relay_restrictions": "permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination",
        "smtpd_sender_restrictions": "check_sender_access inline:{{banned.example=REJECT}}, check_client_access inline:{{127.0.0.77=WARN it is he}}",
        "transport_maps": "inline:{{elsewhere.example=discard:}}", "smtpd_client_connection_count_limit": "0", "smtpd_error_sleep_time": "0",
    }  # fmt: skip
    seen = parity(case, main=main, logs="smtpd", deliveries=True)
    log = "\n".join(line for lines in seen.log.values() for line in lines)
    assert "sasl_method=XCLIENT, sasl_username=joe" in log and "client=unknown[127.0.0.77]" in log
    assert "it is he" in log and "Relay access denied" in "\n".join(seen.transcript)


SWAKS = (
    "swaks", "--server", "127.0.0.1", "--helo", "client.example", "--from", "a@client.example", "--to", "user@ours.example",
    "--body", "text", "--header", "Date: Mon, 1 Jan 2024 00:00:00 +0000", "--header", "Message-Id: <1@client.example>",
)  # fmt: skip
XCLIENTS = (
    ("--xclient-addr", "192.0.2.7", "--xclient-name", "mx.there.example"),
    ("--xclient-addr", "IPV6:2001:db8::7", "--xclient-name", "[UNAVAILABLE]", "--xclient-port", "77", "--xclient-helo", "other.example"),
    ("--xclient-addr", "192.0.2.66", "--xclient-name", "[TEMPUNAVAIL]", "--xclient-proto", "SMTP"),
    ("--xclient-login", "joe", "--to", "u@elsewhere.example"),
    ("--xclient-addr", "192.0.2.7", "--xclient-destaddr", "192.0.2.25", "--xclient-destport", "587", "--xclient-reverse-name", "mx.there.example"),
    ("--xclient", "ADDR=192.0.2.7 NAME=one.example", "--xclient", "ADDR=192.0.2.8 NAME=two.example"),
    ("--xclient", "ADDR=nonsense"),
    ("--xclient-addr", "192.0.2.7", "--xclient-name", "mx.there.example", "--xclient-before-starttls"),
)  # fmt: skip
FROM = ("--proxy-source", "192.0.2.7", "--proxy-source-port", "1234", "--proxy-dest", "192.0.2.25", "--proxy-dest-port", "25")
PROXIES = (
    ("--proxy-version", "1", "--proxy-family", "TCP4", *FROM),
    ("--proxy-version", "2", "--proxy-family", "AF_INET", "--proxy-protocol", "STREAM", *FROM),
    ("--proxy-version", "2", "--proxy-family", "AF_INET", "--proxy-protocol", "STREAM", "--proxy-command", "LOCAL", *FROM),
    ("--proxy-version", "1", "--proxy-family", "TCP6", "--proxy-source", "2001:db8::7", *FROM[2:4], "--proxy-dest", "2001:db8::25", *FROM[6:]),
    ("--proxy-version", "1", "--proxy-family", "TCP4", *FROM, "--to", "u@elsewhere.example"),
    ("--proxy-version", "2", "--proxy-family", "AF_INET", "--proxy-protocol", "STREAM", "--proxy-source", "192.0.2.66", *FROM[2:]),
    ("--proxy", "PROXY TCP4 1.2.3 192.0.2.25 1 2"),
)  # fmt: skip


def test_swaks(parity: Parity) -> None:
    """Any client by XCLIENT, and by both versions of the PROXY protocol."""
    if shutil.which("swaks") is None:
        requirements.missing("swaks is not there: apt-get install swaks")

    def case(mta: Instance) -> None:
        for server, calls in (("127.0.0.1", XCLIENTS), ("127.0.0.6", PROXIES)):
            for options in calls:
                mark = mta.log_mark()
                done = run_client(mta, [*SWAKS, "--server", server, "--port", str(mta.port), *options])
                mta.wait_for_log(r"smtpd\[\d+\]: disconnect from", since=mark)
                mta.wait_until_empty()
                said = re.sub(r"(?m)^=== (Trying|Connected).*$", r"=== \1", done.stdout.decode())
                mta.transcript += [f"> {' '.join(options)}", f"status {done.returncode}", *said.splitlines()]

    main = {
        "smtpd_authorized_xclient_hosts": "127.0.0.1", "mynetworks": "192.0.2.7", "inet_protocols": "all", "notify_classes": "",
        "smtpd_relay_restrictions": "permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination",
        "smtpd_client_restrictions": "check_client_access inline:{{192.0.2.66=REJECT not you}}",
        "transport_maps": "inline:{{elsewhere.example=discard:}}",
    }  # fmt: skip
    master = {"proxied": "127.0.0.6:{port} inet n - n - - smtpd -o smtpd_upstream_proxy_protocol=haproxy"}
    seen = parity(case, main=main, master=master, logs="smtpd", deliveries=True)
    log = "\n".join(line for lines in seen.log.values() for line in lines)
    assert log.count("connect from unknown[192.0.2.7]") >= 6 and "sasl_username=joe" in log and "not you" in log
