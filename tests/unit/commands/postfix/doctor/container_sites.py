"""Configurations in the manner of mailcow and docker-mailserver."""

MAILCOW = """\
compatibility_level = 3.6
biff = no
append_dot_mydomain = no
smtpd_tls_cert_file = {snakeoil}
smtpd_tls_key_file = {snakeoil_key}
smtpd_tls_security_level = may
smtpd_tls_received_header = yes
smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated, defer_unauth_destination
myhostname = mail.ours.example
alias_maps = hash:/etc/aliases
alias_database = hash:/etc/aliases
relayhost =
mynetworks = 127.0.0.0/8 [::ffff:127.0.0.0]/104 [::1]/128 172.22.1.0/24 [fd4d:6169:6c63:6f77::]/64
recipient_delimiter = +
bounce_queue_lifetime = 1d
delay_warning_time = 4h
plaintext_reject_code = 550
mydestination = localhost.localdomain, localhost
postscreen_access_list = permit_mynetworks, cidr:/etc/postfix/custom_postscreen_whitelist.cidr, tcp:127.0.0.1:10027
postscreen_bare_newline_enable = no
postscreen_blacklist_action = drop
postscreen_dnsbl_action = enforce
postscreen_dnsbl_sites = wl.example.net=127.0.[0..255].0*-2 zen.example.net=127.0.0.[10;11]*8
postscreen_dnsbl_reply_map = texthash:/etc/postfix/dnsbl_reply.map
postscreen_greet_banner = $smtpd_banner
proxy_read_maps = proxy:mysql:/etc/postfix/sql/sasl.cf, $virtual_mailbox_domains $virtual_alias_maps $smtpd_sender_login_maps
queue_run_delay = 300s
relay_domains = proxy:mysql:/etc/postfix/sql/relay.cf
relay_recipient_maps = proxy:mysql:/etc/postfix/sql/recipients.cf
sender_dependent_default_transport_maps = proxy:mysql:/etc/postfix/sql/sender_transport.cf
smtp_tls_CApath = /etc/ssl/certs
smtp_sasl_auth_enable = yes
smtp_sasl_mechanism_filter = plain, login
smtp_sasl_password_maps = proxy:mysql:/etc/postfix/sql/passwords.cf
smtp_sasl_security_options =
smtp_tls_security_level = may
smtpd_data_restrictions = reject_unauth_pipelining, permit
smtpd_delay_reject = yes
smtpd_error_sleep_time = 10s
smtpd_forbid_bare_newline = yes
smtpd_hard_error_limit = ${stress?1}${stress:5}
smtpd_helo_required = yes
smtpd_proxy_timeout = 600s
smtpd_recipient_restrictions = check_recipient_mx_access proxy:mysql:/etc/postfix/sql/mx.cf,
  permit_sasl_authenticated,
  permit_mynetworks,
  check_recipient_access proxy:mysql:/etc/postfix/sql/tls_enforce.cf,
  reject_invalid_helo_hostname,
  reject_unauth_destination
smtpd_sasl_auth_enable = yes
smtpd_sasl_authenticated_header = yes
smtpd_sasl_path = inet:127.0.0.1:10001
smtpd_sasl_type = dovecot
smtpd_sender_login_maps = proxy:mysql:/etc/postfix/sql/logins.cf
smtpd_sender_restrictions = check_sasl_access hash:/etc/postfix/bcc, reject_authenticated_sender_login_mismatch,
  permit_mynetworks, permit_sasl_authenticated, reject_unlisted_sender, reject_unknown_sender_domain
smtpd_soft_error_limit = 3
smtpd_tls_auth_only = yes
smtpd_tls_mandatory_protocols = >=TLSv1.2
smtpd_tls_exclude_ciphers = ECDHE-RSA-RC4-SHA, RC4, aNULL, DES-CBC3-SHA
tls_preempt_cipherlist = yes
tls_ssl_options = NO_COMPRESSION, NO_RENEGOTIATION
virtual_alias_maps = proxy:mysql:/etc/postfix/sql/aliases.cf, proxy:mysql:/etc/postfix/sql/resources.cf
virtual_gid_maps = static:5000
virtual_mailbox_base = /var/vmail/
virtual_mailbox_domains = proxy:mysql:/etc/postfix/sql/domains.cf
virtual_mailbox_maps = proxy:mysql:/etc/postfix/sql/mailboxes.cf
virtual_transport = lmtp:inet:127.0.0.1:24
virtual_uid_maps = static:5000
smtpd_milters = inet:127.0.0.1:9900
non_smtpd_milters = inet:127.0.0.1:9900
milter_protocol = 6
milter_mail_macros = i {mail_addr} {client_addr} {client_name} {auth_authen}
maillog_file = /dev/stdout
mynetworks_style = subnet
smtpd_discard_ehlo_keywords = chunking
transport_maps = pcre:/etc/postfix/custom_transport.pcre, pcre:/etc/postfix/local_transport, proxy:mysql:/etc/postfix/sql/relay_ne.cf
header_checks = pcre:/etc/postfix/anonymize_headers.pcre
local_transport = error:no local mail
"""
MAILCOW_MASTER = """\
smtp       inet  n       -       n       -       1       postscreen
  -o smtpd_tls_loglevel=1
smtpd      pass  -       -       n       -       -       smtpd
  -o smtpd_helo_restrictions=permit_mynetworks,reject_non_fqdn_helo_hostname
  -o smtpd_sasl_auth_enable=no
  -o smtpd_sender_restrictions=permit_mynetworks,reject_unlisted_sender,reject_unknown_sender_domain
10465      inet  n       -       n       -       -       smtpd
  -o smtpd_upstream_proxy_protocol=haproxy
  -o smtpd_tls_wrappermode=yes
  -o smtpd_client_restrictions=permit_mynetworks,permit_sasl_authenticated,reject
  -o tls_preempt_cipherlist=yes
smtps      inet  n       -       n       -       -       smtpd
  -o smtpd_tls_wrappermode=yes
  -o smtpd_client_restrictions=permit_mynetworks,permit_sasl_authenticated,reject
submission inet  n       -       n       -       -       smtpd
  -o smtpd_client_restrictions=permit_mynetworks,permit_sasl_authenticated,reject
  -o smtpd_enforce_tls=yes
  -o smtpd_tls_security_level=encrypt
588        inet  n       -       n       -       -       smtpd
  -o smtpd_client_restrictions=permit_mynetworks,permit_sasl_authenticated,reject
  -o smtpd_tls_auth_only=no
  -o smtpd_sender_restrictions=check_sasl_access,regexp:/etc/postfix/allow_mailcow_local.regexp,reject_authenticated_sender_login_mismatch,permit_mynetworks,permit_sasl_authenticated,reject_unlisted_sender,reject_unknown_sender_domain
590        inet  n       -       n       -       -       smtpd
  -o smtpd_helo_restrictions=
  -o smtpd_client_restrictions=permit_mynetworks,reject
  -o smtpd_tls_auth_only=no
  -o smtpd_milters=
  -o non_smtpd_milters=
smtp_enforced_tls      unix  -       -       n       -       -       smtp
  -o smtp_tls_security_level=encrypt
  -o syslog_name=enforced-tls-smtp
  -o smtp_delivery_status_filter=pcre:/etc/postfix/smtp_dsn_filter
smtp_via_transport_maps      unix  -       -       n       -       -       smtp
  -o smtp_sasl_password_maps=proxy:mysql:/etc/postfix/sql/transport_passwords.cf
maildrop2  unix  -       n       n       -       -       pipe flags=DRhu
    user=vmail argv=/usr/bin/maildrop -d ${recipient}
"""
DOCKER_MAILSERVER = """\
smtpd_tls_mandatory_ciphers = high
tls_high_cipherlist = ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256
smtpd_helo_required = yes
smtpd_delay_reject = yes
smtpd_sasl_auth_enable = yes
smtpd_sasl_path = /dev/shm/sasl-auth.sock
smtpd_sasl_type = dovecot
smtpd_sasl_security_options = noanonymous
smtpd_sasl_local_domain = $myhostname
broken_sasl_auth_clients = yes
smtpd_forbid_bare_newline = yes
dms_smtpd_sender_restrictions = permit_sasl_authenticated, permit_mynetworks, reject_unknown_sender_domain
mua_sender_restrictions = reject_authenticated_sender_login_mismatch, $dms_smtpd_sender_restrictions
smtpd_helo_restrictions = permit_mynetworks, reject_invalid_helo_hostname, permit
smtpd_sender_restrictions = $dms_smtpd_sender_restrictions
smtpd_recipient_restrictions = permit_sasl_authenticated, permit_mynetworks, reject_unauth_destination,
  check_policy_service unix:private/policyd-spf, reject_unauth_pipelining, reject_invalid_helo_hostname,
  reject_non_fqdn_helo_hostname, reject_unknown_recipient_domain
smtpd_client_restrictions = permit_mynetworks, permit_sasl_authenticated, reject_unauth_pipelining
disable_vrfy_command = yes
smtpd_sender_login_maps = unionmap:{ texthash:/etc/postfix/virtual, texthash:/etc/postfix/regexp, pcre:/etc/postfix/self.pcre }
policyd-spf_time_limit = 3600
virtual_transport = lmtp:unix:/var/run/dovecot/lmtp
virtual_mailbox_domains = /etc/postfix/vhost
virtual_mailbox_maps = texthash:/etc/postfix/vmailbox
virtual_alias_maps = texthash:/etc/postfix/virtual
milter_protocol = 6
milter_default_action = accept
dkim_milter = inet:localhost:8891
dmarc_milter = inet:localhost:8893
smtpd_milters = $dkim_milter,$dmarc_milter
non_smtpd_milters = $dkim_milter
header_checks = pcre:/etc/postfix/maps/header_checks.pcre
content_filter = smtp-amavis:[127.0.0.1]:10024
compatibility_level = 3.6
smtputf8_enable = no
"""
DOCKER_MASTER = """\
submission inet n       -       n       -       -       smtpd
  -o syslog_name=postfix/submission
  -o smtpd_tls_security_level=encrypt
  -o smtpd_sasl_auth_enable=yes
  -o smtpd_sasl_type=dovecot
  -o smtpd_reject_unlisted_recipient=no
  -o smtpd_sasl_authenticated_header=yes
  -o smtpd_client_restrictions=permit_sasl_authenticated,reject
  -o smtpd_relay_restrictions=permit_sasl_authenticated,reject
  -o smtpd_sender_restrictions=$mua_sender_restrictions
  -o smtpd_discard_ehlo_keywords=
  -o milter_macro_daemon_name=ORIGINATING
  -o cleanup_service_name=sender-cleanup
submissions inet n      -       n       -       -       smtpd
  -o smtpd_tls_wrappermode=yes
  -o { smtpd_relay_restrictions = permit_sasl_authenticated, reject }
  -o cleanup_service_name=sender-cleanup
smtp-amavis     unix    -       -       -       -       2       smtp
  -o smtp_data_done_timeout=1200
  -o smtp_send_xforward_command=yes
  -o disable_dns_lookups=yes
  -o max_use=20
127.0.0.1:10025 inet    n       -       n       -       -       smtpd
  -o content_filter=
  -o smtpd_delay_reject=no
  -o smtpd_client_restrictions=permit_mynetworks,reject
  -o smtpd_helo_restrictions=
  -o smtpd_sender_restrictions=
  -o smtpd_recipient_restrictions=permit_mynetworks,reject
  -o smtpd_milters=
  -o mynetworks_style=host
  -o receive_override_options=no_header_body_checks,no_unknown_recipient_checks,no_milters
sender-cleanup unix n    -       n       -       0       cleanup
  -o syslog_name=postfix/sender-cleanup
  -o header_checks=pcre:/etc/postfix/maps/sender_header_filter.pcre
"""
