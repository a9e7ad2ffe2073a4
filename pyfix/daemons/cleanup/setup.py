"""What all messages of one cleanup(8) process share: settings in the form that each message needs, and memories."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from pyfix.config.errors import ConfigError
from pyfix.config.parameters.cleanup import CleanupSettings
from pyfix.content.characters import Characters
from pyfix.daemons.cleanup.quickenvelope import PlainAttributes
from pyfix.daemons.cleanup.quickheader import HeaderNames
from pyfix.rewriting.standard import StandardForm

if TYPE_CHECKING:
    from pyfix.daemons.cleanup.checks import Checks
    from pyfix.daemons.cleanup.mapping import Mapping
    from pyfix.daemons.cleanup.milters import LocalMilters
    from pyfix.rewriting.bcc import AutomaticBcc
    from pyfix.rewriting.virtual_alias import VirtualAliases
    from pyfix.tables.maps import Maps
    from pyfix.tables.srs import RewrittenSenders

_MOST_HEADERS: Final = 5000
_LONGEST_KEY: Final = 1000


class Setup:
    """The settings of main.cf, worked out once, and what is remembered from one message to the next."""

    def __init__(self, settings: CleanupSettings, standard: StandardForm) -> None:
        self.settings = settings
        self.standard = standard
        self.hostname = settings.myhostname
        self.long_ids = settings.enable_long_queue_ids
        self.line_limit = settings.line_length_limit
        self.hop_limit = settings.hopcount_limit
        self.attribute_limit = settings.queue_file_attribute_count_limit
        self.duplicate_limit = settings.duplicate_filter_limit
        self.delay_warning = settings.delay_warning_time
        self.original_recipients = settings.enable_original_recipient
        self.empty_recipient = settings.empty_address_recipient
        self.drop_headers = frozenset(name.lower().encode() for name in settings.message_drop_headers)
        self.convert = settings.force_mime_input_conversion
        if self.convert and settings.disable_mime_input_processing:
            raise ConfigError(
                "do not specify both disable_mime_input_processing=yes and force_mime_input_conversion=yes"
            )
        self.detect_8bit = settings.detect_8bit_encoding_header
        self.smtputf8 = settings.smtputf8_enable
        self.always_add = settings.always_add_missing_headers
        self.remote_domain = settings.remote_header_rewrite_domain
        self.header_limit = settings.header_size_limit
        self.token_limit = settings.header_address_token_limit
        self.replace_stray = settings.cleanup_replace_stray_cr_lf
        self.undisclosed = settings.undisclosed_recipients_header
        self.obsolete_from = settings.header_from_format == "obsolete"
        self.strict_header = settings.strict_8bitmime or settings.strict_7bit_headers
        self.strict_body = settings.strict_8bitmime or settings.strict_8bitmime_body
        # Checks of headers of parts that are too deep to be seen would be no checks.
        self.strict_nesting = (
            self.strict_header or self.strict_body or settings.strict_mime_encoding_domain
            or bool(settings.header_checks or settings.mime_header_checks or settings.nested_header_checks)
        )  # fmt: skip
        self.characters = Characters(settings.message_strip_characters, settings.message_reject_characters)
        self.cut_action = settings.non_empty_end_of_header_action
        self.plain_attributes = PlainAttributes()
        self.header_names = HeaderNames(self.drop_headers)
        self.headers: dict[tuple[str, bytes, bytes], bytes | None] = {}
        """Address headers written again: (context, name, body) -> text, None when nothing changes."""
        self.mapping: Mapping | None = None
        """Canonical maps and masquerading, if main.cf has any."""
        self.aliases: VirtualAliases | None = None
        """virtual_alias_maps, if main.cf has any."""
        self.bcc: AutomaticBcc | None = None
        """always_bcc and its relatives, if main.cf has any."""
        self.plain_recipients = True
        """Whether addresses of recipients are looked up in no table."""
        self.rewritten_senders: RewrittenSenders | None = None
        """Whose mail goes on to whoever was rewritten (SRS), if main.cf has any."""
        self.checks: Checks | None = None
        """header_checks and body_checks, if main.cf has any."""
        self.local_milters: LocalMilters | None = None
        """non_smtpd_milters, if main.cf has any."""
        self.milter_checks: Maps | None = None
        """milter_header_checks, if main.cf has any."""
        self._second = -1
        self._stamp = ""

    def open_tables(self) -> None:
        """Open the tables that main.cf names, with the rights of root and before chroot.  Raises ConfigError."""
        settings = self.settings
        mapped = (
            settings.canonical_maps or settings.sender_canonical_maps or settings.recipient_canonical_maps
            or settings.masquerade_domains
        )  # fmt: skip
        copied = settings.always_bcc or settings.sender_bcc_maps or settings.recipient_bcc_maps
        if mapped or copied or settings.virtual_alias_maps:
            # Most of what follows is not needed on most systems.
            from pyfix.daemons.cleanup.mapping import Mapping
            from pyfix.rewriting.bcc import AutomaticBcc
            from pyfix.rewriting.canonical import Canonical
            from pyfix.rewriting.domains import OwnDomains
            from pyfix.rewriting.lookup import AddressLookup
            from pyfix.rewriting.masquerade import Masquerade
            from pyfix.rewriting.virtual_alias import VirtualAliases

            own = OwnDomains(settings)
            lookup = AddressLookup(settings.recipient_delimiter, own, self.standard)
            self.mapping = Mapping(Canonical(settings, lookup), Masquerade(settings)) or None
            self.aliases = VirtualAliases(settings, lookup) or None
            self.bcc = AutomaticBcc(settings, own) or None
            self.plain_recipients = self.mapping is None and self.aliases is None and self.bcc is None

        if settings.pyfix_srs_domain:
            from pyfix.tables.srs import open_rewritten_senders

            self.rewritten_senders = open_rewritten_senders(settings)
            self.plain_recipients = False

        checked = settings.header_checks or settings.mime_header_checks or settings.nested_header_checks
        if checked or settings.body_checks:
            from pyfix.daemons.cleanup.checks import Checks

            self.checks = Checks(settings) or None
        if settings.non_smtpd_milters:
            from pyfix.daemons.cleanup.milters import LocalMilters

            self.local_milters = LocalMilters(settings)
        if settings.milter_header_checks:
            from pyfix.tables.flags import CONTENT
            from pyfix.tables.maps import Maps

            self.milter_checks = Maps(
                "milter_header_checks", settings.milter_header_checks, settings.snapshot, flags=CONTENT
            )

    def remember_header(self, key: tuple[str, bytes, bytes], text: bytes | None) -> None:
        """Keep what became of an address header; an overlong one is not worth it."""
        if len(key[2]) > _LONGEST_KEY:
            return
        if len(self.headers) >= _MOST_HEADERS:
            self.headers.clear()
        self.headers[key] = text

    def stamp(self) -> str:
        """Return the time of day as it stands in generated Message-Id: headers."""
        second = int(time.time())
        if second != self._second:
            self._second = second
            self._stamp = time.strftime("%Y%m%d%H%M%S", time.gmtime(second))
        return self._stamp
