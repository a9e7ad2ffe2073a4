"""The texts of templates with the values of parameters in them, and the templates as postconf(1) shows them.

Source: bounce(5); postconf(1) -b, -t.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from pyfix.config.parameters.bounce import BounceSettings
from pyfix.notices.template import BUILT_IN, NoticeTemplate, TemplateError
from pyfix.runtime.log import log

__all__ = ["Texts", "shown", "shown_expanded"]

_UNITS: Final = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86400, "weeks": 604800}
"""What may follow the name of a time in a template, ``$maximal_queue_lifetime_days``.  Source: bounce(5)."""


class Texts:
    """Expands templates; warns of each template with faults once."""

    def __init__(self, settings: BounceSettings) -> None:
        self._settings = settings
        self._warned: set[str] = set()
        self._times = {
            "delay_warning_time": settings.delay_warning_time,
            "maximal_queue_lifetime": settings.maximal_queue_lifetime,
        }

    def warn(self, template: NoticeTemplate) -> None:
        """Log what is wrong with the template that this one stands in for."""
        if template.faults and template.name not in self._warned:
            self._warned.add(template.name)
            for fault in template.faults:
                log.warning(fault)

    def expanded(self, template: NoticeTemplate) -> list[str]:
        """Return the text of a notice.  Raises TemplateError, whose one argument is what ends the process."""
        self.warn(template)
        where = "[built-in]" if template.text is BUILT_IN[template.name].text else self._settings.bounce_template_file

        def look_up(name: str) -> str | None:
            for base, seconds in self._times.items():
                if name.startswith(f"{base}_"):
                    return self._time(template.name, where, name, seconds, name[len(base) + 1 :])
            snapshot = self._settings.snapshot
            known = name in snapshot.names or snapshot.default(name) is not None
            return snapshot.value(name) if known else None

        try:
            return template.expanded(look_up)
        except TemplateError as error:
            *warnings, text = error.args
            for warning in warnings:
                log.warning(warning)
            raise TemplateError(f"{where}: {text}") from error

    def _time(self, template: str, where: str, name: str, seconds: int, unit: str) -> str:
        if unit not in _UNITS:
            raise TemplateError(f'unrecognized suffix "{unit}" in parameter "{name}"')
        time = seconds // _UNITS[unit]
        if not time and seconds:
            log.warning(f'{where}: zero result in {template} template conversion of parameter "{name}"')
            log.warning(f'please reduce time unit "{unit}" of "{name}" in {template} template')
            log.warning("for instructions see the bounce(5) manual")
        return str(time)


def shown(templates: Mapping[str, NoticeTemplate], texts: Texts) -> Iterator[str]:
    """Yield the lines of a template file that has all *templates*."""
    for number, template in enumerate(templates.values()):
        texts.warn(template)
        yield from [""] * (number > 0)
        yield f"{template.name}_template = <<EOF"
        yield f"Charset: {template.charset}"
        yield f"From: {template.sender}"
        yield f"Subject: {template.subject}"
        if template.postmaster_subject:
            yield f"Postmaster-Subject: {template.postmaster_subject}"
        yield ""
        yield from template.text
        yield "EOF"


def shown_expanded(templates: Mapping[str, NoticeTemplate], texts: Texts) -> Iterator[str]:
    """Yield the texts of all *templates*, expanded.  Raises TemplateError."""
    for number, template in enumerate(templates.values()):
        yield from [""] * (number > 0)
        yield f"expanded_{template.name}_text = <<EOF"
        yield from texts.expanded(template)
        yield "EOF"
