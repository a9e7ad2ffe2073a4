from __future__ import annotations

from pyfix.config.catalogue import all_parameters
from pyfix.install.described import described, read_by


def test_every_parameter_is_described() -> None:
    """All that a main.cf may set, each with what it is for and who reads it."""
    wanted = {name for name, declaration in all_parameters().items() if not declaration.legacy}
    assert set(described()) == wanted
    assert [name for name, found in described().items() if not found.meaning] == []


def test_readers() -> None:
    found = described()
    assert found["virtual_uid_maps"].readers == ("virtual(8)",)
    assert found["queue_directory"].readers == ()
    # Declared among the settings of several, and read by fewer.
    assert found["transport_maps"].readers == ("proxymap(8)", "trivial-rewrite(8)")
    assert found["authorized_mailq_users"].readers == ("postqueue(1)",)
    # lmtp(8) has each parameter of smtp(8) under a name of its own.
    assert found["smtp_connect_timeout"].readers == ("smtp(8)",)
    assert found["lmtp_connect_timeout"].readers == ("lmtp(8)",)


def test_what_a_program_reads() -> None:
    names = [parameter.name for parameter in read_by("flush(8)")]
    assert names == ["fast_flush_purge_time", "fast_flush_refresh_time"]


def test_types_and_ranges() -> None:
    found = described()
    assert found["mail_owner"].type == "text, not empty"
    assert found["max_use"].type == "integer, at least 1"
    assert found["ipc_timeout"].type == "time, at least 1 second"
    assert found["bounce_queue_lifetime"].type == "time, at most 8640000 seconds"
    assert found["unverified_sender_reject_code"].type == "integer, 200 to 599"
    assert found["biff"].type == "yes or no"
    assert found["myhostname"].default == "depends on the host"
