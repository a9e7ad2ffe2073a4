"""The names of the internal services, and how long to wait for them."""

from __future__ import annotations

from pyfix.config.parameter import duration, text
from pyfix.config.snapshot import Settings

__all__ = ["ServiceNameSettings"]


class ServiceNameSettings(Settings):
    """The names of the internal services, and how long to wait for them."""

    address_verify_service_name = text("verify", minimum=1)
    bounce_service_name = text("bounce", minimum=1)
    cleanup_service_name = text("cleanup", minimum=1)
    defer_service_name = text("defer", minimum=1)
    error_service_name = text("error", minimum=1)
    flush_service_name = text("flush", minimum=1)
    ipc_idle = duration("5s", minimum=1)
    ipc_timeout = duration("3600s", minimum=1)
    ipc_ttl = duration("1000s", minimum=1)
    non_bdb_migration_service_name = text("nbdb_reindex")
    pickup_service_name = text("pickup", minimum=1)
    postlog_service_name = text("postlog", minimum=1)
    proxymap_service_name = text("proxymap", minimum=1)
    proxywrite_service_name = text("proxywrite", minimum=1)
    queue_service_name = text("qmgr", minimum=1)
    rewrite_service_name = text("rewrite", minimum=1)
    showq_service_name = text("showq", minimum=1)
    trace_service_name = text("trace", minimum=1)
    trigger_timeout = duration("10s", minimum=1)
