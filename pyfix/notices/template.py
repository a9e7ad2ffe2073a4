"""The texts of notices: built in, or from bounce_template_file.

Source: bounce(5); postconf(5) bounce_template_file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from pyfix.formats.macros import MacroError, expand

__all__ = ["BUILT_IN", "US_ASCII", "NoticeTemplate", "TemplateError", "read_templates"]

_HEADER: Final = re.compile(r"([!-9;-~]+)[ \t]*:[ \t]*(.*)", re.DOTALL)
_BLANKS: Final = " \t\n\v\f\r"
US_ASCII: Final = "us-ascii"
_NAMES: Final = ("failure", "delay", "success", "verify")


class TemplateError(ValueError):
    """A template file or a template in it cannot be used; the arguments are lines for the log."""


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
    faults: tuple[str, ...] = ()
    """What to warn of when this is used, because it stands in for a template that cannot be."""

    def expanded(self, look_up: Callable[[str], str | None]) -> list[str]:
        """Return the body lines with $name replaced by what *look_up* says, which is None for names that nobody knows.

        Raises TemplateError for such a name, and for a malformed line.
        """
        return [self._expanded(line, look_up) for line in self.text]

    def _expanded(self, line: str, look_up: Callable[[str], str | None]) -> str:
        undefined = False

        def value(name: str, test: bool) -> str | None:
            nonlocal undefined
            found = look_up(name)
            undefined = undefined or (found is None and not test)
            return found

        try:
            text = expand(line, value)
        except MacroError as error:
            raise TemplateError(str(error), f"bad $name syntax in {self.name} template: {line}") from error
        if undefined:
            raise TemplateError(f"undefined $name in {self.name} template: {line}")
        return text


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


_LABELS: Final = ("charset", "from", "subject", "postmaster-subject")


def _parse(name: str, lines: list[str]) -> NoticeTemplate:
    """Return one template.  Raises TemplateError for one that is to be ignored."""
    default = BUILT_IN[name]
    headers: dict[str, str] = {}
    position = 0
    while position < len(lines) and not lines[position]:
        position += 1
    while position < len(lines):
        match = _HEADER.fullmatch(lines[position])
        if match is None:
            break
        headers[match[1].lower()] = _checked(match[1], match[2], default)
        position += 1
    while position < len(lines) and not lines[position].strip(_BLANKS):
        position += 1
    if position == len(lines):
        raise TemplateError(f"missing message text in {name} template -- ignoring this template")
    charset = headers.get("charset", default.charset)
    if charset.lower() == US_ASCII and not "".join(lines[position:]).isascii():
        raise TemplateError(
            f"8-bit message text in {name} template",
            "please specify a charset value other than us-ascii",
            "-- ignoring this template for now",
        )
    return NoticeTemplate(
        name,
        charset,
        headers.get("from", default.sender),
        headers.get("subject", default.subject),
        headers.get("postmaster-subject", default.postmaster_subject),
        tuple(lines[position:]),
    )


def _checked(label: str, value: str, default: NoticeTemplate) -> str:
    """Return the value of a header line.  Raises TemplateError."""
    fault = ""
    if not value:
        fault = f'empty "{label}" header value'
    elif not value.isascii():
        fault = f'non-ASCII "{label}" header value'
    elif label.lower() not in _LABELS:
        fault = f'unknown "{label}" header label'
    elif label.lower() == "postmaster-subject" and not default.postmaster_subject:
        fault = f'inapplicable "{label}" header label'
    if fault:
        raise TemplateError(f"{fault} in {default.name} template -- ignoring this template")
    return value


def read_templates(text: str, path: str, warn: Callable[[str], None]) -> dict[str, NoticeTemplate]:
    """Return the four templates, those of a template file in the place of the built-in ones.

    Each stands between ``name_template = <<WORD`` and ``WORD``, or is one line after the equals sign.  One that cannot
    be used is ignored with a warning; *path* is the file's name in it.  Raises TemplateError.
    """
    templates = dict(BUILT_IN)
    # A line ends where its first null byte is; the last one may lack its newline, and is then no end of a template.
    lines = [line.partition("\0")[0] for line in text.split("\n")]
    last = lines.pop()
    if last:
        lines.append(last)
    position = 0
    while position < len(lines):
        line = lines[position]
        position += 1
        if not line.strip(_BLANKS) or line.lstrip(_BLANKS).startswith("#"):
            continue
        where = f"{path}, line {position + 1}"
        name, value = _assignment(line, where)
        body = [value]
        if value.startswith("<<"):
            word = value[2:].strip(_BLANKS)
            if not word:
                raise TemplateError(f"{where}: missing end marker after <<")
            if not (word[0].isascii() and word[0].isalnum()):
                raise TemplateError(f"{where}: malformed end marker after <<")
            end = position
            ends = len(lines) - 1 if last else len(lines)
            while end < ends and lines[end] != word:
                end += 1
            if end < ends:
                body = lines[position:end]
                position = end + 1
            else:
                body = [line for line in lines[position:] if line != word]
                position = len(lines)
                warn(f'{path}, line {position + 1}: missing "{word}" end marker')
        kind = name.removesuffix("_template")
        if kind == name or kind not in _NAMES:
            warn(f"{path}, line {position + 1}: unknown template name: {name} -- ignoring this template")
            continue
        try:
            templates[kind] = _parse(kind, body)
        except TemplateError as error:
            first, *more = error.args
            templates[kind] = replace(BUILT_IN[kind], faults=(f"{path}: {first}", *more))
    return templates


def _assignment(line: str, where: str) -> tuple[str, str]:
    """Return name and value of a line that assigns one.  Raises TemplateError."""
    name, equals, value = line.partition("=")
    words = name.split()
    if not equals or len(words) > 1:
        raise TemplateError(f"{where}: missing '=' after attribute name: \"{line}\"")
    if not words:
        raise TemplateError(f'{where}: missing attribute name: "{line}"')
    return words[0], value.strip(_BLANKS)
