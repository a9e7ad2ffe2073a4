"""No false alarm: configurations as distributions ship them and as sites have them, on a machine where all is well."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from pyfix.commands.postfix.doctor.command import examine
from pyfix.commands.postfix.doctor.finding import Finding, Severity
from pyfix.commands.postfix.doctor.registry import CHECKS
from pyfix.tables.source import forget_tables
from tests.unit.commands.postfix.doctor.conftest import Site, certificate
from tests.unit.commands.postfix.doctor.container_sites import DOCKER_MAILSERVER, DOCKER_MASTER, MAILCOW, MAILCOW_MASTER

ROOT = Path(__file__).resolve().parents[5]

INTERNAL = """\
cleanup   unix  n       -       y       -       0       cleanup
qmgr      unix  n       -       n       300     1       qmgr
tlsmgr    unix  -       -       y       1000?   1       tlsmgr
rewrite   unix  -       -       y       -       -       trivial-rewrite
bounce    unix  -       -       y       -       0       bounce
defer     unix  -       -       y       -       0       bounce
trace     unix  -       -       y       -       0       bounce
verify    unix  -       -       y       -       1       verify
flush     unix  n       -       y       1000?   0       flush
proxymap  unix  -       -       n       -       -       proxymap
proxywrite unix -       -       n       -       1       proxymap
smtp      unix  -       -       y       -       -       smtp
relay     unix  -       -       y       -       -       smtp
        -o syslog_name=postfix/$service_name
showq     unix  n       -       y       -       -       showq
error     unix  -       -       y       -       -       error
retry     unix  -       -       y       -       -       error
discard   unix  -       -       y       -       -       discard
local     unix  -       n       n       -       -       local
virtual   unix  -       n       n       -       -       virtual
lmtp      unix  -       -       y       -       -       lmtp
anvil     unix  -       -       y       -       1       anvil
scache    unix  -       -       y       -       1       scache
postlog   unix-dgram n  -       n       -       1       postlogd
maildrop  unix  -       n       n       -       -       pipe
  flags=DRXhu user=vmail argv=/usr/bin/maildrop -d ${recipient}
uucp      unix  -       n       n       -       -       pipe
  flags=Fqhu user=uucp argv=uux -r -n -z -a$sender - $nexthop!rmail ($recipient)
mailman   unix  -       n       n       -       -       pipe
  flags=FRX user=list argv=/usr/lib/mailman/bin/postfix-to-mailman.py ${nexthop} ${user}
"""
PICKUP = "pickup    unix  n       -       y       60      1       pickup\n"
SMTP = "smtp      inet  n       -       y       -       -       smtpd\n"
DEBIAN_MASTER = SMTP + PICKUP + INTERNAL
SUBMISSION = """\
submission inet n       -       y       -       -       smtpd
  -o syslog_name=postfix/submission
  -o smtpd_tls_security_level=encrypt
  -o smtpd_sasl_auth_enable=yes
  -o smtpd_tls_auth_only=yes
  -o local_header_rewrite_clients=static:all
  -o smtpd_reject_unlisted_recipient=no
  -o smtpd_client_restrictions=$mua_client_restrictions
  -o smtpd_helo_restrictions=$mua_helo_restrictions
  -o smtpd_sender_restrictions=$mua_sender_restrictions
  -o smtpd_recipient_restrictions=
  -o smtpd_relay_restrictions=permit_sasl_authenticated,reject
  -o milter_macro_daemon_name=ORIGINATING
submissions inet n       -       y       -       -       smtpd
  -o smtpd_tls_wrappermode=yes
  -o smtpd_sasl_auth_enable=yes
  -o smtpd_relay_restrictions=permit_sasl_authenticated,reject
"""
AMAVIS = """\
smtp-amavis unix -      -       n       -       2       smtp
  -o smtp_data_done_timeout=1200 -o smtp_send_xforward_command=yes -o max_use=20
127.0.0.1:10025 inet n  -       n       -       -       smtpd
  -o content_filter=
  -o local_recipient_maps= -o relay_recipient_maps= -o smtpd_restriction_classes=
  -o smtpd_delay_reject=no
  -o smtpd_client_restrictions=permit_mynetworks,reject
  -o smtpd_helo_restrictions= -o smtpd_sender_restrictions=
  -o smtpd_recipient_restrictions=permit_mynetworks,reject
  -o mynetworks=127.0.0.0/8
  -o smtpd_authorized_xforward_hosts=127.0.0.0/8
  -o receive_override_options=no_header_body_checks,no_unknown_recipient_checks,no_milters
"""
SCREEN = """\
smtp      inet  n       -       n       -       1       postscreen
smtpd     pass  -       -       n       -       -       smtpd
  -o smtpd_helo_restrictions=permit_mynetworks,reject_non_fqdn_helo_hostname -o smtpd_sasl_auth_enable=no
"""
SCREEN_HELPERS = """\
dnsblog   unix  -       -       n       -       0       dnsblog
tlsproxy  unix  -       -       n       -       0       tlsproxy
"""
SCREEN += SCREEN_HELPERS

DEBIAN_12 = """\
smtpd_banner = $myhostname ESMTP $mail_name (Debian/GNU)
biff = no
append_dot_mydomain = no
readme_directory = no
compatibility_level = 3.6
smtpd_tls_cert_file={snakeoil}
smtpd_tls_key_file={snakeoil_key}
smtpd_tls_security_level=may
smtp_tls_CApath=/etc/ssl/certs
smtp_tls_security_level=may
smtp_tls_session_cache_database = btree:${data_directory}/smtp_scache
smtpd_relay_restrictions = permit_mynetworks permit_sasl_authenticated defer_unauth_destination
myhostname = debian.ours.example
alias_maps = hash:/etc/aliases
alias_database = hash:/etc/aliases
myorigin = /etc/mailname
mydestination = $myhostname, ours.example, debian, localhost.localdomain, localhost
relayhost =
mynetworks = 127.0.0.0/8 [::ffff:127.0.0.0]/104 [::1]/128
mailbox_size_limit = 0
recipient_delimiter = +
inet_interfaces = all
inet_protocols = all
"""
DEBIAN_FORKY = """\
compatibility_level = 3.11
default_database_type = cdb
default_cache_db_type = lmdb
myorigin = $myhostname
smtpd_banner = $myhostname ESMTP $mail_name (Debian)
inet_protocols = all
mynetworks_style = host
mynetworks = 127.0.0.0/8
mydestination = $myhostname, localhost.$mydomain, localhost
mailbox_size_limit = 51200000
mailbox_command =
alias_maps = $alias_database
alias_database = cdb:/etc/aliases
biff = no
recipient_delimiter =
relayhost =
cyrus_sasl_config_path = /etc/postfix/sasl
"""
VIRTUAL_WITH_DOVECOT = DEBIAN_12 + """\
smtpd_tls_auth_only = yes
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = private/auth
smtpd_tls_protocols = !SSLv2, !SSLv3, !TLSv1, !TLSv1.1
smtpd_tls_exclude_ciphers = aNULL, SEED, CAMELLIA, RSA+AES, SHA1
smtpd_helo_required = yes
smtpd_helo_restrictions = permit_mynetworks, reject_invalid_helo_hostname, permit
smtpd_client_restrictions = permit_mynetworks, permit_sasl_authenticated, reject_unauth_pipelining
smtpd_sender_restrictions = $site_sender_restrictions
site_sender_restrictions = permit_sasl_authenticated, permit_mynetworks, reject_unknown_sender_domain
mua_client_restrictions =
mua_helo_restrictions =
mua_sender_restrictions = reject_authenticated_sender_login_mismatch, $site_sender_restrictions
smtpd_sender_login_maps = hash:/etc/postfix/logins
smtpd_recipient_restrictions = permit_sasl_authenticated, permit_mynetworks, reject_unauth_destination,
  check_policy_service unix:private/policyd-spf, reject_rbl_client zen.example.net=127.0.0.[2..11],
  check_recipient_access pcre:/etc/postfix/recipients.pcre
policyd-spf_time_limit = 3600
virtual_mailbox_domains = /etc/postfix/vhost
virtual_mailbox_maps = texthash:/etc/postfix/vmailbox
virtual_alias_maps = hash:/etc/postfix/virtual
virtual_transport = lmtp:unix:private/dovecot-lmtp
message_size_limit = 104857600
virtual_mailbox_limit = 0
milter_protocol = 6
milter_default_action = accept
smtpd_milters = inet:localhost:11332
non_smtpd_milters = $smtpd_milters
header_checks = pcre:/etc/postfix/header_checks.pcre
"""
DATABASES = DEBIAN_12.replace("mydestination = $myhostname, ours.example, debian,", "mydestination =") + """\
smtpd_recipient_restrictions = permit_sasl_authenticated,
  permit_mynetworks,
  check_recipient_access proxy:mysql:/etc/postfix/sql/tls_policy.cf,
  reject_invalid_helo_hostname,
  reject_unknown_reverse_client_hostname,
  reject_unauth_destination
smtpd_sender_restrictions = reject_authenticated_sender_login_mismatch,
  permit_mynetworks,
  permit_sasl_authenticated,
  reject_unlisted_sender,
  reject_unknown_sender_domain
smtpd_sasl_auth_enable = yes
smtpd_tls_auth_only = yes
smtpd_data_restrictions = reject_unauth_pipelining, permit
smtpd_hard_error_limit = ${stress?1}${stress:5}
virtual_mailbox_domains = proxy:mysql:/etc/postfix/sql/domains.cf
virtual_mailbox_maps = proxy:mysql:/etc/postfix/sql/mailboxes.cf
virtual_alias_maps = proxy:mysql:/etc/postfix/sql/aliases.cf, proxy:ldap:people
people_server_host = ldap.ours.example
people_search_base = dc=ours,dc=example
relay_domains = proxy:mysql:/etc/postfix/sql/relay.cf
relay_recipient_maps = proxy:mysql:/etc/postfix/sql/relay_recipients.cf
virtual_uid_maps = static:5000
virtual_gid_maps = static:5000
virtual_transport = dovecot
dovecot_destination_recipient_limit = 1
postscreen_access_list = permit_mynetworks, cidr:/etc/postfix/postscreen.cidr
postscreen_cache_map = proxy:btree:$data_directory/postscreen_cache
postscreen_dnsbl_sites = zen.example.net=127.0.0.[10;11]*8 bl.example.net*2
postscreen_dnsbl_action = enforce
smtp_sasl_auth_enable = yes
smtp_sasl_password_maps = hash:/etc/postfix/sasl_passwd
transport_maps = pcre:/etc/postfix/transport.pcre, proxy:mysql:/etc/postfix/sql/transport.cf
"""
DOVECOT_PIPE = """\
dovecot   unix  -       n       n       -       -       pipe
  flags=DRhu user=vmail:vmail argv=/usr/lib/dovecot/deliver -f ${sender} -d ${recipient}
"""
POLICY = """\
policyd-spf unix -      n       n       -       0       spawn
  user=policyd-spf argv=/usr/bin/policyd-spf
"""
SPAMASSASSIN = """\
smtp      inet  n       -       y       -       -       smtpd
  -o content_filter=spamassassin
spamassassin unix -     n       n       -       -       pipe
  user=debian-spamd argv=/usr/bin/spamc -f -e /usr/sbin/sendmail -oi -f ${sender} ${recipient}
"""
OLDER = """\
smtpd_use_tls = yes
smtp_use_tls = yes
smtpd_tls_dh1024_param_file = /etc/ssl/dhparams.pem
smtpd_client_restrictions = permit_mynetworks, reject_unknown_client, reject_rbl_client zen.example.net
smtpd_helo_restrictions = permit_mynetworks, reject_invalid_hostname, reject_non_fqdn_hostname, permit
smtpd_recipient_restrictions = permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination, permit
smtpd_relay_restrictions =
"""
GATEWAY = """\
compatibility_level = 3.6
myhostname = mx.ours.example
myorigin = $mydomain
mydestination =
local_recipient_maps =
local_transport = error:local mail delivery is disabled
alias_maps =
alias_database =
mynetworks = 127.0.0.0/8 10.1.0.0/16 192.168.0.0/16
relay_domains = ours.example, .ours.example, other.example
relay_recipient_maps = hash:/etc/postfix/relay_recipients
transport_maps = hash:/etc/postfix/transport
parent_domain_matches_subdomains = debug_peer_list smtpd_access_maps
smtpd_restriction_classes = insiders, customers
insiders = check_sender_access hash:/etc/postfix/insiders, reject
customers = reject_unverified_recipient, check_policy_service inet:127.0.0.1:10023
smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
smtpd_recipient_restrictions = check_recipient_access hash:/etc/postfix/protected, customers, permit
content_filter = smtp-amavis:[127.0.0.1]:10024
smtpd_delay_reject = yes
"""
SATELLITE = """\
compatibility_level = 3.6
myhostname = web1.ours.example
myorigin = ours.example
mydestination =
inet_interfaces = loopback-only
relayhost = [smtp.provider.example]:587
smtp_sasl_auth_enable = yes
smtp_sasl_security_options = noanonymous
smtp_sasl_password_maps = texthash:/etc/postfix/sasl_passwd
smtp_tls_security_level = encrypt
smtp_generic_maps = regexp:/etc/postfix/generic
alias_maps =
alias_database =
default_transport = smtp
relay_transport = relay
"""
LISTS = DEBIAN_12.replace("hash:/etc/aliases", "hash:/etc/aliases", 1) + """\
transport_maps = regexp:/etc/postfix/postfix_lmtp
local_recipient_maps = regexp:/etc/postfix/postfix_lmtp, proxy:unix:passwd.byname $alias_maps
relay_domains = regexp:/etc/postfix/postfix_domains
owner_request_special = no
mailman_destination_recipient_limit = 1
mailbox_command = procmail -a "$EXTENSION"
smtpd_milters = unix:opendkim/opendkim.sock, inet:127.0.0.1:8893
"""
TYPICAL = {
    "mailcow": (MAILCOW, MAILCOW_MASTER + SCREEN_HELPERS + PICKUP + INTERNAL),
    "docker-mailserver": (DEBIAN_12 + DOCKER_MAILSERVER, SCREEN + DOCKER_MASTER + PICKUP + INTERNAL + POLICY),
    "virtual domains with Dovecot": (VIRTUAL_WITH_DOVECOT, DEBIAN_MASTER + SUBMISSION + POLICY),
    "databases and postscreen": (DATABASES, SCREEN + PICKUP.replace("unix", "fifo") + INTERNAL + SUBMISSION + DOVECOT_PIPE),
    "an older one": (
        DEBIAN_12.replace("smtpd_tls_security_level=may\n", "").replace("smtpd_relay_restrictions = p", "#") + OLDER,
        DEBIAN_MASTER,
    ),
    "one that says nothing of compatibility": (
        DEBIAN_12.replace("compatibility_level = 3.6\n", "").replace("append_dot_mydomain = no\n", ""), DEBIAN_MASTER,
    ),
    "a gateway with amavis": (GATEWAY, DEBIAN_MASTER + AMAVIS),
    "a satellite": (SATELLITE, DEBIAN_MASTER),
    "mailing lists": (LISTS, DEBIAN_MASTER),
    "a simple filter": (DEBIAN_12, SPAMASSASSIN + PICKUP + INTERNAL),
}  # fmt: skip
JUSTIFIED = {"mailcow": ["tls_settings", "tls_settings"]}
"""What is told of sites that work: mailcow's ports 588 and 590 take passwords without TLS, for its other containers."""

Examined = Callable[[str, str], list[tuple[str, Finding]]]


@pytest.fixture
def examined(site: Site) -> Examined:
    """Lay a configuration out with all that it refers to, and run every check but that of endpoints."""

    def look(main: str, master: str) -> list[tuple[str, Finding]]:
        hostname = re.search(r"(?m)^myhostname *= *(.*)", main)
        cert, key = certificate(site.folder, hostname[1] if hostname else "unset.localdomain")
        text = main.replace("{snakeoil}", str(cert)).replace("{snakeoil_key}", str(key))
        text, master = (re.sub(r"/etc/(?=postfix/|aliases|mailname|ssl/dh)", f"{site.folder}/files/", one) for one in (text, master))
        settings = [line for line in text.splitlines() if not line.startswith(("queue_directory", "data_directory"))]
        settings += [f"queue_directory = {site.spool}", f"data_directory = {site.folder}/data"]
        (site.etc / "main.cf").write_text("\n".join(settings) + "\n")
        (site.etc / "master.cf").write_text(master)
        for path in re.findall(rf"{site.folder}/files/[\w./-]+", text + master):
            file = Path(path)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text({"mailname": "ours.example\n", "vhost": "hosted.example\n"}.get(file.name, ""))
            for suffix in (".db", ".cdb"):
                _empty_table(Path(path + suffix))
        for path in (site.folder / "files").rglob("sasl_passwd*"):
            path.chmod(0o600)
        for path in (site.folder / "files").rglob("sql/*.cf"):
            path.write_text("user = postfix\npassword = secret\n")
            path.chmod(0o640)
        forget_tables()
        return examine(site.examination(), [name for name in CHECKS if name != "silent_endpoints"])

    return look


def _empty_table(path: Path) -> None:
    from pyfix.tables.build import build_table

    build_table("cdb" if path.suffix == ".cdb" else "hash", str(path.with_suffix("") if path.suffix == ".cdb" else
                str(path)[: -len(".db")]), [])  # fmt: skip


def test_what_pyfix_ships(examined: Examined) -> None:
    etc = ROOT / "etc/postfix"
    assert examined((etc / "main.cf").read_text(), (etc / "master.cf").read_text()) == []


@pytest.mark.parametrize("main", [DEBIAN_12, DEBIAN_FORKY], ids=["12", "forky"])
def test_debian(examined: Examined, main: str) -> None:
    assert examined(main, DEBIAN_MASTER) == []


@pytest.mark.parametrize("name", list(TYPICAL))
def test_sites(examined: Examined, name: str) -> None:
    alarms = [found for found in examined(*TYPICAL[name]) if found[1].severity > Severity.NOTE]
    assert [check for check, _ in alarms] == JUSTIFIED.get(name, []), alarms
