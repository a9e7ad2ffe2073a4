"""A machine as Red Hat's are: rpm, alternatives, systemd, and Postfix where and as their package has it; nothing of dpkg.

No package source of theirs can be reached, so the programs are those of Debian's package (3.7, between RHEL 9's 3.5 and
RHEL 10's 3.8), laid out as Red Hat's package is, and brought by rpm with what its scripts do.
"""

from __future__ import annotations

import shutil

from tests.install.machine import index_environment
from tests.install.mailmachine import MailMachine
from tests.kit import requirements
from tests.kit.processes import wait_until
from tests.kit.programs import CHECKOUT

__all__ = ["RedHatMachine"]

# What is in the package, below $1; $2 is Debian's, unpacked.
_LAYOUT = r"""
set -e
root=$1 from=$2
mkdir -p $root/usr/libexec/postfix $root/usr/lib64/postfix $root/usr/sbin $root/usr/bin $root/usr/lib/systemd/system \
  $root/etc/postfix $root/etc/pam.d $root/etc/ld.so.conf.d $root/var/lib/postfix
cp -p $from/usr/lib/postfix/sbin/* $root/usr/libexec/postfix
sed -i '/configure-instance\.sh/s/.*/:/' $root/usr/libexec/postfix/post-install
cp -p $from/usr/lib/postfix/*.so $root/usr/lib64/postfix
chmod 755 $root/usr/lib64/postfix/*
echo /usr/lib64/postfix >$root/etc/ld.so.conf.d/postfix-x86_64.conf
cp -p $from/usr/sbin/post[a-z]* $from/usr/sbin/smtp-* $from/usr/sbin/qmqp-* $root/usr/sbin
rm -f $root/usr/sbin/postfix-add-* $root/usr/sbin/postfix-collate
cp -p $from/usr/sbin/sendmail $root/usr/sbin/sendmail.postfix
ln -s ../sbin/sendmail.postfix $root/usr/lib/sendmail.postfix
ln -s ../sbin/sendmail.postfix $root/usr/bin/mailq.postfix
ln -s ../sbin/sendmail.postfix $root/usr/bin/newaliases.postfix
cp -p $from/usr/sbin/rmail $root/usr/bin/rmail.postfix
cp $from/usr/share/postfix/master.cf.dist $root/etc/postfix/master.cf
cp $from/etc/postfix/postfix-files $root/etc/postfix
: >$root/etc/postfix/dynamicmaps.cf
printf 'auth include password-auth\naccount include password-auth\n' >$root/etc/pam.d/smtp.postfix
cat >$root/etc/postfix/main.cf <<-'END'
	compatibility_level = 2
	queue_directory = /var/spool/postfix
	command_directory = /usr/sbin
	daemon_directory = /usr/libexec/postfix
	data_directory = /var/lib/postfix
	mail_owner = postfix
	inet_interfaces = localhost
	inet_protocols = all
	mydestination = $myhostname, localhost.$mydomain, localhost
	unknown_local_recipient_reject_code = 550
	alias_maps = hash:/etc/aliases
	alias_database = hash:/etc/aliases
	debug_peer_level = 2
	sendmail_path = /usr/sbin/sendmail.postfix
	newaliases_path = /usr/bin/newaliases.postfix
	mailq_path = /usr/bin/mailq.postfix
	setgid_group = postdrop
	html_directory = no
	manpage_directory = /usr/share/man
	sample_directory = /usr/share/doc/postfix/samples
	readme_directory = /usr/share/doc/postfix/README_FILES
	smtp_tls_security_level = may
	meta_directory = /etc/postfix
	shlib_directory = /usr/lib64/postfix
END
cat >$root/usr/libexec/postfix/aliasesdb <<-'END'
	#!/bin/bash
	[ /etc/aliases.db -nt /etc/aliases ] || /usr/bin/newaliases
END
printf '#!/bin/bash\nexit 0\n' >$root/usr/libexec/postfix/chroot-update
chmod 755 $root/usr/libexec/postfix/*
cat >$root/usr/lib/systemd/system/postfix.service <<-'END'
	[Unit]
	Description=Postfix Mail Transport Agent
	After=syslog.target network.target
	Conflicts=sendmail.service exim.service

	[Service]
	Type=forking
	PIDFile=/var/spool/postfix/pid/master.pid
	EnvironmentFile=-/etc/sysconfig/network
	PrivateTmp=true
	CapabilityBoundingSet=~ CAP_NET_ADMIN CAP_SYS_ADMIN CAP_SYS_BOOT CAP_SYS_MODULE
	ProtectSystem=true
	PrivateDevices=true
	ExecStartPre=-/usr/sbin/restorecon -R /var/spool/postfix/pid
	ExecStartPre=-/usr/libexec/postfix/aliasesdb
	ExecStartPre=-/usr/libexec/postfix/chroot-update
	ExecStart=/usr/sbin/postfix start
	ExecReload=/usr/sbin/postfix reload
	ExecStop=/usr/sbin/postfix stop

	[Install]
	WantedBy=multi-user.target
END
for name in active bounce corrupt defer deferred flush hold incoming maildrop pid private public saved trace; do
  mkdir -p $root/var/spool/postfix/$name
done
"""

_SPEC = r"""
%global debug_package %{nil}
%global __os_install_post %{nil}
%global _binary_payload w0.gzdio
Name: postfix
Version: 3.7.11
Release: %{number}
Epoch: 2
Summary: Postfix Mail Transport Agent
License: EPL-2.0
Provides: MTA smtpd smtpdaemon server(smtp)
AutoReqProv: no
%description
Postfix is a Mail Transport Agent (MTA).
%install
sh /srv/layout %{buildroot} /srv/unpacked
echo 'release %{number}' >>%{buildroot}/usr/libexec/postfix/chroot-update
%pre
getent group postdrop >/dev/null || groupadd -g 90 -r postdrop
getent group postfix >/dev/null || groupadd -g 89 -r postfix
getent passwd postfix >/dev/null || useradd -d /var/spool/postfix -s /usr/sbin/nologin -g postfix -G mail -M -r -u 89 postfix
exit 0
%post
ldconfig
/usr/sbin/alternatives --install /usr/sbin/sendmail mta /usr/sbin/sendmail.postfix 60 \
  --slave /usr/bin/mailq mta-mailq /usr/bin/mailq.postfix \
  --slave /usr/bin/newaliases mta-newaliases /usr/bin/newaliases.postfix \
  --slave /etc/pam.d/smtp mta-pam /etc/pam.d/smtp.postfix \
  --slave /usr/bin/rmail mta-rmail /usr/bin/rmail.postfix \
  --slave /usr/lib/sendmail mta-sendmail /usr/lib/sendmail.postfix
/usr/sbin/postfix set-permissions upgrade-configuration >/dev/null 2>&1
systemctl daemon-reload
exit 0
%preun
[ $1 -ne 0 ] || { systemctl stop postfix.service; /usr/sbin/alternatives --remove mta /usr/sbin/sendmail.postfix; }
exit 0
%postun
ldconfig
[ $1 -eq 0 ] || { systemctl daemon-reload; systemctl try-restart postfix.service; }
exit 0
%files
%defattr(-,root,root)
%config(noreplace) /etc/postfix/main.cf
%config(noreplace) /etc/postfix/master.cf
%config(noreplace) /etc/postfix/dynamicmaps.cf
%config(noreplace) /etc/pam.d/smtp.postfix
/etc/postfix/postfix-files
/etc/ld.so.conf.d/postfix-x86_64.conf
/usr/lib64/postfix
/usr/libexec/postfix
/usr/lib/systemd/system/postfix.service
/usr/lib/sendmail.postfix
/usr/bin/*.postfix
/usr/sbin/sendmail.postfix
/usr/sbin/qmqp-*
/usr/sbin/smtp-*
/usr/sbin/post[acfklmst]*
%attr(2755,root,postdrop) /usr/sbin/postdrop
%attr(2755,root,postdrop) /usr/sbin/postqueue
%dir %attr(0700,postfix,root) /var/lib/postfix
%dir /var/spool/postfix
%dir /var/spool/postfix/pid
%dir %attr(0730,postfix,postdrop) /var/spool/postfix/maildrop
%dir %attr(0710,postfix,postdrop) /var/spool/postfix/public
%dir %attr(0700,postfix,root) /var/spool/postfix/[abcdfhist]*
%dir %attr(0700,postfix,root) /var/spool/postfix/private
"""

# Red Hat's `alternatives' is another program than Debian's of the same origin: it knows one option more, and has its records elsewhere.
_ALTERNATIVES = """#!/bin/bash
exec /usr/bin/update-alternatives --quiet --admindir /var/lib/alternatives --altdir /etc/alternatives "$@"
"""

_OS = 'NAME="Red Hat Enterprise Linux"\nID="rhel"\nID_LIKE="fedora"\nVERSION_ID="9.9"\nPRETTY_NAME="A machine as Red Hat\'s are"\n'

_SETUP = r"""
install='apt-get install -y -qq --no-install-recommends rpm'
$install || { apt-get update -qq; $install; }
cd /srv
apt-get download -qq postfix
dpkg-deb -x postfix_*.deb unpacked
for number in 1 2; do
  rpmbuild --quiet -bb --define "number $number" --define '_rpmdir /srv' --define '_rpmfilename postfix-%{RELEASE}.rpm' postfix.spec
done
rm -rf /usr/bin/dpkg* /usr/sbin/dpkg* /usr/bin/apt* /var/lib/dpkg /etc/dpkg /etc/debian_version /etc/init.d/postfix
rm -f /usr/sbin/sendmail /usr/lib/sendmail /usr/bin/mailq /usr/bin/newaliases /etc/alternatives/mta*
ln -sf bash /bin/sh
mkdir -p /var/lib/alternatives
rpm --quiet --nodeps -i postfix-1.rpm
useradd -m hans; useradd -m grete
printf 'postmaster: root\nboth: hans, grete\n' >/etc/aliases; newaliases
postconf myhostname=mail.example mydestination=mail.example,localhost maillog_file=/var/log/maillog inet_protocols=ipv4 \
  'transport_maps=inline:{ later.example=discard held.example=discard }' defer_transports=discard
postconf -M postlog/unix-dgram='postlog unix-dgram n - n - 1 postlogd'
"""

# All but what a running mail system and the mere use of the machine change.
_FILES = r"""
find /etc /usr/bin /usr/sbin /usr/libexec /usr/lib64 /usr/lib/systemd /usr/lib/sendmail* /usr/share/man/man? /var/lib/alternatives /var/lib/postfix /var/spool/postfix \
  \( -path /var/spool/postfix/active -o -path /var/spool/postfix/incoming -o -path /var/spool/postfix/deferred -o -path /var/spool/postfix/defer \
     -o -path /var/spool/postfix/hold -o -path /var/spool/postfix/pid -o -path /var/spool/postfix/private -o -path /var/spool/postfix/public \
     -o -path '/var/lib/postfix/*' -o -name __pycache__ \) -prune \
  -o -printf '%y %m %u:%g %p %l\n' | sort
find /etc/postfix /etc/alternatives /var/lib/alternatives /usr/sbin /usr/bin /usr/libexec/postfix /usr/lib64/postfix -type f -print0 | sort -z | xargs -0 sha256sum
"""


class RedHatMachine(MailMachine):
    """The machine, with systemd as process 1, Postfix of its package's release 1, and pyfix below /opt.

    ``/srv/postfix-2.rpm`` is the package's next release.
    """

    log_file = "var/log/maillog"

    def __init__(self) -> None:
        if shutil.which("systemctl") is None:
            requirements.missing("systemd is not there: apt-get install systemd")
        super().__init__(boots=True)
        try:
            for path, text in (("srv/layout", _LAYOUT), ("srv/postfix.spec", _SPEC), ("usr/sbin/alternatives", _ALTERNATIVES)):
                (self.root / path).write_text(text)
            (self.root / "usr/sbin/alternatives").chmod(0o755)
            if not wait_until(lambda: self.ran("systemctl", "is-active", "basic.target").stdout == "active\n", 30):
                requirements.missing("systemd does not get far as process 1 here")
            self.shell(_SETUP)
            for path in ("etc/os-release", "usr/lib/os-release"):
                (self.root / path).unlink(missing_ok=True)
                (self.root / path).write_text(_OS)
            self.run("make", "-s", "-C", str(CHECKOUT), "install", "PREFIX=/opt/pyfix", environment=index_environment())
            self.leave_network()
        except BaseException:
            self.close()
            raise

    def files(self) -> list[str]:
        """Return all files that can be of interest, with owners and modes, and checksums where programs and settings are."""
        return self.shell(_FILES).splitlines()

    def verified(self) -> str:
        """Return what rpm finds to be other than the package brought it, but for settings."""
        said = self.run("rpm", "--nodeps", "-V", "postfix", check=False)
        return "".join(line for line in said.splitlines(keepends=True) if " c /etc/" not in line)
