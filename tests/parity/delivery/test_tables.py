"""Tables that name files and users must not take them from what a sender chose, nor from what anybody may have said.

Source: virtual(8), SECURITY; local(8); postconf(5) virtual_mailbox_maps, virtual_uid_maps, virtual_gid_maps, alias_maps;
regexp_table(5), proxymap(8).
"""

from __future__ import annotations

import os
import re

import pytest

from tests.kit.instance import MAILBOX_OWNER, Instance
from tests.kit.parity import Parity

pytestmark = [pytest.mark.reference, pytest.mark.root]

OURS = {"local": "pyfix", "virtual": "pyfix"}
PARAMETERS = ["virtual_mailbox_maps", "virtual_uid_maps", "virtual_gid_maps", "alias_maps"]
MAIN = {
    "smtpd_reject_unlisted_recipient": "no",
    "recipient_delimiter": "+",
    "transport_maps": "inline:{{back.example=discard:}}",
    "proxy_read_maps": "texthash:{dir}/etc/good",
}
_VALUES = {"virtual_mailbox_maps": "box", "virtual_uid_maps": str(MAILBOX_OWNER), "virtual_gid_maps": str(MAILBOX_OWNER)}
_RULES = {
    "fixed": "/^(user)@ours\\.example$/ VALUE\n/^(games)$/ daemon\n",
    "substituted": "/^(user)@ours\\.example$/ VALUE$1\n/^(games)$/ daemon$1\n",
    "one of two": "/^(us)er@ours\\.example$/ VALUE/$1\n/^(games)$/ x$1\n/^user@ours/ VALUE\n/^games/ daemon\n",
    "in a condition": "if /(.)/\n/^(user)@ours\\.example$/ VALUE$1\n/^(games)$/ daemon$1\nendif\n/x$/ $x\n",
}  # fmt: skip
_TABLES = [
    "proxy:texthash:{dir}/etc/good", "texthash:{dir}/etc/missing", "regexp:{dir}/etc/missing", "proxy:regexp:{dir}/etc/rules",
    "pipemap:{inline:{{user@ours.example=games},{games=user@ours.example}},regexp:{dir}/etc/rules}",
    "unionmap:{regexp:{dir}/etc/rules,inline:{x=y}}", "inline:{{x}}", "fail:x",
    "debug:texthash:{dir}/etc/good", "proxy:texthash:{dir}/etc/missing", "texthash:{dir}/etc/good fail:x", "fail:x texthash:{dir}/etc/good",
]  # fmt: skip


def _address(parameter: str) -> str:
    return "games@localhost" if parameter == "alias_maps" else "user@ours.example"


def _said(mta: Instance, parameter: str, sender: str = "back@back.example") -> list[str]:
    """Deliver a message and return what the agent said, or why it does not run."""
    queue_id = mta.send_message(_address(parameter), sender=sender)
    agent = "local" if parameter == "alias_maps" else "virtual"
    mta.wait_for_log(rf"{queue_id}: to=<|/{agent}\[\d+\]: fatal: ", seconds=6)
    mta.settle()
    found = [match[1] for line in mta.log_lines() if (match := re.search(rf"/{agent}\[\d+\]: (.*)", line))]
    found = [re.sub(r"delay=.*?, dsn=", "dsn=", line) for line in found]
    # The reference has the text of whatever error number is left from some call before.
    found = [re.sub(r"(virtual_mailbox_maps: lookup \S+: ).*", r"\1REASON", line) for line in found]
    return [re.sub(r"(\A|forwarded as )[0-9A-F]{8,}", r"\1ID", line.replace(str(mta.directory), "")) for line in found]


def _files(parameter: str, rules: str) -> dict[str, str | bytes]:
    value = _VALUES.get(parameter, "daemon")
    return {
        "rules": rules.replace("VALUE", value),
        "good": f"{'games' if parameter == 'alias_maps' else 'user@ours.example'} {value}\n",
    }


@pytest.mark.parametrize(
    ("kind", "rules"), [*[("regexp", rules) for rules in _RULES], ("pcre", "substituted"), ("pcre", "one of two")]
)
@pytest.mark.parametrize("parameter", PARAMETERS)
def test_what_a_sender_chose(exchanged: Parity, parameter: str, kind: str, rules: str) -> None:
    """Parts of an address are no path and no id."""

    def case(mta: Instance) -> object:
        return _said(mta, parameter)

    main = {**MAIN, parameter: f"{kind}:{{dir}}/etc/rules"}
    exchanged(case, main=main, files=_files(parameter, _RULES[rules]), replace=OURS, deliveries=True, fresh=True)


@pytest.mark.parametrize(
    ("parameter", "table"),
    [
        *[(parameter, table) for parameter in ("virtual_mailbox_maps", "alias_maps") for table in _TABLES],
        *[(parameter, table) for parameter in ("virtual_uid_maps", "virtual_gid_maps") for table in (*_TABLES[:4], "texthash:", ":x")],
        ("alias_maps", "static:"),
    ],
)
def test_tables_of_all_kinds(exchanged: Parity, parameter: str, table: str) -> None:
    """Tables that are missing, not allowed, malformed, or of a type that is not there."""

    def case(mta: Instance) -> object:
        return _said(mta, parameter)

    main = {**MAIN, parameter: table}
    exchanged(case, main=main, files=_files(parameter, _RULES["substituted"]), replace=OURS, deliveries=True, fresh=True)


@pytest.mark.parametrize(
    ("parameter", "fatal"), [*[(parameter, "no") for parameter in PARAMETERS], ("virtual_uid_maps", "yes"), ("alias_maps", "yes")]
)
def test_a_table_that_comes_and_goes(exchanged: Parity, parameter: str, fatal: str) -> None:
    """Missing at the start; there after a reload; changed; gone again.  postconf(5) daemon_table_open_error_is_fatal."""

    def case(mta: Instance) -> object:
        table = mta.config_directory / "later"
        said = [_said(mta, parameter)]
        if fatal == "yes":
            return said
        good = (mta.config_directory / "good").read_text()
        for content in (good, good + "# changed\n", None):
            mark = mta.log_mark()
            if content is None:
                table.unlink()
            else:
                mta.write("later", content)
                os.utime(table, (2_000_000_000 + len(content), 2_000_000_000 + len(content)))
            if content == good:
                mta.reload()
            mta.log_start = mark
            said.append(_said(mta, parameter))
        return said

    main = {**MAIN, parameter: "texthash:{dir}/etc/later", "daemon_table_open_error_is_fatal": fatal}
    exchanged(case, main=main, files=_files(parameter, ""), replace=OURS, fresh=True)
