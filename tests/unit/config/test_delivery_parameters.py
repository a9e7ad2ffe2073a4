"""Each parameter that local(8), virtual(8), pipe(8) and cleanup(8) have beside those of every program has a case that sets it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pyfix.config.parameter import Parameter
from pyfix.config.parameters.cleanup import CleanupSettings
from pyfix.config.parameters.command_delivery import CommandServiceSettings
from pyfix.config.parameters.content import ContentSettings
from pyfix.config.parameters.local import LocalSettings
from pyfix.config.parameters.mail import MailSettings
from pyfix.config.parameters.virtual import VirtualSettings

TESTS = Path(__file__).resolve().parents[2]
AGENTS = (LocalSettings, VirtualSettings, CommandServiceSettings, CleanupSettings)
CASES = {
    "interop/test_srs.py": """
        pyfix_srs_domain pyfix_srs_key_file
    """,
    "parity/bounce/test_notices.py": """
        bounce_notice_recipient relay_recipient_maps
    """,
    "parity/bounce/test_occasions.py": """
        error_notice_recipient
    """,
    "parity/cleanup/test_parameters.py": """
        always_add_missing_headers always_bcc body_checks body_checks_size_limit canonical_classes canonical_maps
        cleanup_replace_stray_cr_lf delay_warning_time detect_8bit_encoding_header disable_mime_input_processing
        disable_mime_output_conversion disable_verp_bounces duplicate_filter_limit empty_address_recipient force_mime_input_conversion
        full_name_encoding_charset header_address_token_limit header_checks header_from_format header_size_limit hopcount_limit
        line_length_limit local_header_rewrite_clients masquerade_classes masquerade_domains masquerade_exceptions message_drop_headers
        message_reject_characters message_strip_characters mime_boundary_length_limit mime_header_checks mime_nesting_limit
        nested_header_checks non_empty_end_of_header_action propagate_unmatched_extensions queue_file_attribute_count_limit
        recipient_bcc_maps recipient_canonical_classes recipient_canonical_maps remote_header_rewrite_domain requiretls_esmtp_header
        sender_bcc_maps sender_canonical_classes sender_canonical_maps strict_7bit_headers strict_8bitmime strict_8bitmime_body
        strict_mime_encoding_domain undisclosed_recipients_header virtual_alias_address_length_limit virtual_alias_domains
        virtual_alias_expansion_limit virtual_alias_maps virtual_alias_recursion_limit
    """,
    "parity/delivery/localmail.py": """
        alias_maps notify_classes transport_maps
    """,
    "parity/delivery/test_biff.py": """
        biff
    """,
    "parity/delivery/test_local.py": """
        home_mailbox mail_spool_directory mailbox_size_limit
    """,
    "parity/delivery/test_local_aliases.py": """
        allow_mail_to_commands allow_mail_to_files expand_owner_alias frozen_delivered_to luser_relay prepend_delivered_header
        reset_owner_alias
    """,
    "parity/delivery/test_local_commands.py": """
        command_execution_directory command_expansion_filter command_time_limit execution_directory_expansion_filter fallback_transport
        fallback_transport_maps local_command_shell local_delivery_status_filter mailbox_command mailbox_command_maps mailbox_delivery_lock
        mailbox_transport mailbox_transport_maps
    """,
    "parity/delivery/test_local_forward.py": """
        forward_expansion_filter forward_path require_home_directory
    """,
    "parity/delivery/test_local_mailboxes.py": """
        strict_mailbox_ownership
    """,
    "parity/delivery/test_local_settings.py": """
        local_recipient_maps sun_mailtool_compatibility
    """,
    "parity/delivery/test_virtual.py": """
        virtual_delivery_status_filter
    """,
    "parity/delivery/test_virtual_mailboxes.py": """
        virtual_gid_maps virtual_mailbox_base virtual_mailbox_domains virtual_mailbox_limit virtual_mailbox_lock virtual_mailbox_maps
        virtual_minimum_uid virtual_uid_maps
    """,
    "parity/milter/test_header_checks.py": """
        milter_header_checks
    """,
    "parity/milter/test_local.py": """
        internal_mail_filter_classes non_smtpd_milters
    """,
    "parity/milter/test_sessions.py": """
        milter_connect_macros milter_data_macros milter_end_of_data_macros milter_end_of_header_macros milter_helo_macros
        milter_macro_daemon_name milter_macro_defaults milter_macro_v milter_mail_macros milter_rcpt_macros milter_unknown_command_macros
    """,
    "parity/milter/test_settings.py": """
        milter_command_timeout milter_default_action milter_protocol
    """,
    "parity/pipe/test_pipe.py": """
        pipe_delivery_status_filter
    """,
    "parity/policy/test_never_open.py": """
        milter_connect_timeout milter_content_timeout
    """,
    "parity/rewrite/test_socket.py": """
        relocated_maps
    """,
    "parity/smtpd/test_restrictions.py": """
        show_user_unknown_table_name
    """,
    "unit/rewriting/test_forwarded.py": """
        pyfix_srs_exclude_domains
    """,
    "unit/tables/test_srs.py": """
        pyfix_srs_hash_length pyfix_srs_maximum_age pyfix_srs_separator
    """,
}
"""By file, the parameters to which a case in it gives values; the file is the first place to look, not the only one."""
NAMED = [(file, name) for file, names in CASES.items() for name in names.split()]


def parameters() -> set[str]:
    """Return the names of what the agents read, but for what every program does; content is cleanup's."""
    classes = {kind for agent in AGENTS for kind in agent.__mro__ if kind is ContentSettings or kind not in MailSettings.__mro__}
    declared = [value for kind in classes for value in vars(kind).values() if isinstance(value, Parameter)]
    return {parameter.name for parameter in declared if not parameter.legacy}


def test_none_is_left_out() -> None:
    names = [name for _, name in NAMED]
    assert len(names) == len(set(names))
    assert set(names) == parameters()


def gives_a_value(text: str, name: str) -> bool:
    """Whether a test's text has a value for a parameter: in a dictionary, as a keyword, in a list of values for each."""
    stage = re.sub(r"^milter_(?!macro)[a-z_]+_macros$", "milter_{stage}_macros", name)
    forms = [rf'"{name}"\s*:', rf'\b{name}=["\w]', rf'_each\("{name}", \(', rf'f"{re.escape(stage)}"' if stage != name else r"\Z."]
    return re.search("|".join(forms), text) is not None


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_the_file_has_a_case(file: str, name: str) -> None:
    assert gives_a_value((TESTS / file).read_text(), name)


def test_what_is_no_value() -> None:
    assert not gives_a_value('"""postconf(5) biff."""\nx = ["biff"]', "biff")
    assert gives_a_value('main = {"biff": "yes"}', "biff")
