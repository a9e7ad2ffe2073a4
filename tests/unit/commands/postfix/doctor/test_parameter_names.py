from __future__ import annotations

from pyfix.commands.postfix.doctor.parameter_names import KnownNames
from tests.unit.commands.postfix.doctor.conftest import Site


def test_names(site: Site) -> None:
    site.write("x = 1\nmyorigin = $x\nsmtpd_restriction_classes = mine\nvirtual_alias_maps = ldap:people\n",
               "slow unix - - n - - smtp\n")  # fmt: skip
    known = KnownNames(site.examination())
    for name in ("myorigin", "x", "mine", "people_bind_dn", "slow_destination_rate_delay", "relay_transport_rate_delay"):
        assert known.has(name), name
    for name in ("y", "mines", "fast_destination_rate_delay"):
        assert not known.has(name), name


def test_service_of() -> None:
    assert KnownNames.service_of("dovecot_destination_recipient_limit") == "dovecot"
    assert KnownNames.service_of("policyd-spf_time_limit") == "policyd-spf"
    assert KnownNames.service_of("myhostname") == ""
