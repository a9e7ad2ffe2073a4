"""The names of the internal services, and how long to wait for them."""

from __future__ import annotations

from pyfix.config.parameter import duration, text
from pyfix.config.snapshot import Settings

__all__ = ["ServiceNameSettings"]


class ServiceNameSettings(Settings):
    """The names of the internal services, and how long to wait for them."""

    address_verify_service_name = text("verify", minimum=1)
    """The name of verify(8)'s service."""

    bounce_service_name = text("bounce", minimum=1)
    """The name of bounce(8)'s service."""

    cleanup_service_name = text("cleanup", minimum=1)
    """The name of cleanup(8)'s service."""

    defer_service_name = text("defer", minimum=1)
    """The name of the service that keeps the logs of deferred mail."""

    error_service_name = text("error", minimum=1)
    """The name of error(8)'s service."""

    flush_service_name = text("flush", minimum=1)
    """The name of flush(8)'s service."""

    ipc_idle = duration("5s", minimum=1)
    """Seconds after which an unused connection to an internal service is closed."""

    ipc_timeout = duration("3600s", minimum=1)
    """Seconds to wait for an internal service."""

    ipc_ttl = duration("1000s", minimum=1)
    """Seconds after which even a busy connection to an internal service is renewed."""

    non_bdb_migration_service_name = text("nbdb_reindex")
    """The name of nbdb_reindexd(8)'s service."""

    pickup_service_name = text("pickup", minimum=1)
    """The name of pickup(8)'s service."""

    postlog_service_name = text("postlog", minimum=1)
    """The name of postlogd(8)'s service."""

    proxymap_service_name = text("proxymap", minimum=1)
    """The name of the service that reads tables for others."""

    proxywrite_service_name = text("proxywrite", minimum=1)
    """The name of the service that also writes tables for others."""

    queue_service_name = text("qmgr", minimum=1)
    """The name of qmgr(8)'s service."""

    rewrite_service_name = text("rewrite", minimum=1)
    """The name of trivial-rewrite(8)'s service."""

    showq_service_name = text("showq", minimum=1)
    """The name of showq(8)'s service."""

    trace_service_name = text("trace", minimum=1)
    """The name of the service that keeps logs for delivery reports."""

    trigger_timeout = duration("10s", minimum=1)
    """Seconds to wait when a service is woken."""
