"""The names of record types, as postcat(1) shows them and complaints have them."""

from __future__ import annotations

from pyfix.formats import records

RECORD_NAMES = {
    records.SIZE: "message_size",
    records.TIME: "message_arrival_time",
    records.CREATE_TIME: "create_time",
    records.FULL_NAME: "sender_fullname",
    records.INSPECTOR: "content_inspector",
    records.FILTER: "content_filter",
    records.SENDER: "sender",
    records.DONE: "done_recipient",
    records.RECIPIENT: "recipient",
    records.ORIGINAL_RECIPIENT: "original_recipient",
    records.CANCELED_RECIPIENT: "canceled_recipient",
    records.WARN: "warning_message_time",
    records.ATTRIBUTE: "named_attribute",
    records.KILLED: "killed_record",
    records.REDIRECT: "redirect_to",
    records.FLAGS: "flags",
    records.TEXT: "regular_text",
    records.PADDING: "padding",
    records.RETURN_RECEIPT: "return_receipt",
    records.ERRORS_TO: "errors_to",
    records.PRIORITY: "priority",
    records.POINTER: "pointer_record",
    records.VERP: "verp_delimiters",
    records.DSN_RET: "dsn_return_flags",
    records.DSN_ENVELOPE_ID: "dsn_envelope_id",
    records.DSN_ORIGINAL_RECIPIENT: "dsn_orig_rcpt",
    records.DSN_NOTIFY: "dsn_notify_flags",
    records.MILTER_COUNT: "milter_count",
}
"""Names by record type."""
