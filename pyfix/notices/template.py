"""The texts of notices: built in, or from bounce_template_file.

Source: bounce(5); postconf(5) bounce_template_file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

__all__ = ["BUILT_IN", "NoticeTemplate", "TemplateError", "read_templates"]

_HEADER: Final = re.compile(r"([!-9;-~]+):[ \t]*(.*)")
_NAMES: Final = ("failure", "delay", "success", "verify")


class TemplateError(ValueError):
    """A template file is not one."""


@dataclass(frozen=True, slots=True)
class NoticeTemplate:
    """One kind of notice."""

    name: str
    charset: str
    sender: str
    """The From: header."""
    subject: str
    postmaster_subject: str
    """The Subject: header of the copy for postmaster; empty when there is never one."""
    text: tuple[str, ...] = field(repr=False)
    """Body lines, with $name to be replaced."""

    def expanded(self, expand: Callable[[str], str], special: Mapping[str, str]) -> list[str]:
        """Return the body lines with $name replaced; *special* has the names that main.cf does not."""

        def replace(match: re.Match[str]) -> str:
            name = match[1] or match[2]
            return special.get(name) if name in special else expand(f"${{{name}}}")  # type: ignore[return-value]  # name is in special

        return [re.sub(r"\$(?:\{(\w+)\}|(\w+))", replace, line) for line in self.text]


_SENDER: Final = "Mail Delivery System <MAILER-DAEMON>"
_HELP: Final = (
    "For further assistance, please send mail to postmaster.",
    "",
    "If you do so, please include this problem report. You can",
    "delete your own text from the attached returned message.",
    "",
    "                   The mail system",
)
_HELLO: Final = ("This is the mail system at host $myhostname.", "")

BUILT_IN: Final[Mapping[str, NoticeTemplate]] = {
    "failure": NoticeTemplate(
        "failure",
        "us-ascii",
        _SENDER,
        "Undelivered Mail Returned to Sender",
        "Postmaster Copy: Undelivered Mail",
        (
            *_HELLO,
            "I'm sorry to have to inform you that your message could not",
            "be delivered to one or more recipients. It's attached below.",
            "",
            *_HELP,
        ),
    ),
    "delay": NoticeTemplate(
        "delay",
        "us-ascii",
        _SENDER,
        "Delayed Mail (still being retried)",
        "Postmaster Warning: Delayed Mail",
        (
            *_HELLO,
            "####################################################################",
            "# THIS IS A WARNING ONLY.  YOU DO NOT NEED TO RESEND YOUR MESSAGE. #",
            "####################################################################",
            "",
            "Your message could not be delivered for more than $delay_warning_time_hours hour(s).",
            "It will be retried until it is $maximal_queue_lifetime_days day(s) old.",
            "",
            *_HELP,
        ),
    ),
    "success": NoticeTemplate(
        "success",
        "us-ascii",
        _SENDER,
        "Successful Mail Delivery Report",
        "",
        (
            *_HELLO,
            "Your message was successfully delivered to the destination(s)",
            "listed below. If the message was delivered to mailbox you will",
            "receive no further notifications. Otherwise you may still receive",
            "notifications of mail delivery errors from other systems.",
            "",
            "                   The mail system",
        ),
    ),
    "verify": NoticeTemplate(
        "verify",
        "us-ascii",
        _SENDER,
        "Mail Delivery Status Report",
        "",
        (
            *_HELLO,
            "Enclosed is the mail delivery report that you requested.",
            "",
            "                   The mail system",
        ),
    ),
}


def _parse(name: str, lines: list[str]) -> NoticeTemplate:
    default = BUILT_IN[name]
    headers: dict[str, str] = {}
    position = 0
    while position < len(lines) and lines[position].strip():
        match = _HEADER.fullmatch(lines[position])
        if match is None:
            break
        headers[match[1].lower()] = match[2].strip()
        position += 1
    if position < len(lines) and not lines[position].strip():
        position += 1
    return NoticeTemplate(
        name,
        headers.get("charset", default.charset),
        headers.get("from", default.sender),
        headers.get("subject", default.subject),
        headers.get("postmaster-subject", default.postmaster_subject),
        tuple(lines[position:]),
    )


def read_templates(text: str) -> dict[str, NoticeTemplate]:
    """Return the four templates, those of a template file in the place of the built-in ones.

    Each stands between ``name_template = <<WORD`` and ``WORD``.  Raises TemplateError.
    """
    templates = dict(BUILT_IN)
    lines = iter(text.splitlines())
    for line in lines:
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = re.fullmatch(r"(\w+)_template\s*=\s*<<\s*(\S+)\s*", line)
        if match is None or match[1] not in _NAMES:
            raise TemplateError(f"unexpected line: {line}")
        body = []
        for body_line in lines:
            if body_line == match[2]:
                break
            body.append(body_line)
        else:
            raise TemplateError(f"missing end of {match[1]}_template")
        templates[match[1]] = _parse(match[1], body)
    return templates
