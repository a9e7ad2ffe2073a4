"""bounce_template_file: each template, what may stand in one, and what bounce(8) makes of faults in the file.

Source: bounce(5); postconf(5) bounce_template_file, delay_warning_time, maximal_queue_lifetime.
"""

from __future__ import annotations

import re

import pytest

from tests.kit import requirements, spool
from tests.kit.instance import Instance
from tests.kit.parity import InstancePool, Parity
from tests.parity.known_differences import KNOWN_DIFFERENCES

from .test_socket import (
    CONFIGURATIONS,
    FLUSH,
    MAIN,
    SERVICES,
    TRACE,
    WARN,
    Request,
    about,
    append,
    ask,
    in_order_of_making,
)

pytestmark = [pytest.mark.reference, pytest.mark.root]

EACH_KIND: list[Request] = [
    append(), about(FLUSH), append("defer", action="delayed", status="4.7.1"), about(WARN, "defer"),
    append("trace", action="delivered", status="2.0.0"), about(TRACE, "trace"),
    append("trace", action="deliverable", status="2.0.0"), about(TRACE, "trace", flags="512"),
]  # fmt: skip


def _template(kind: str, text: str) -> str:
    return f"{kind}_template = <<EOF\n{text}EOF\n\n"


_ALL = "".join(
    _template(kind, f"Charset: utf-8\nFrom: {kind} <me@$myhostname>\nSubject: $mail_name {kind}\n{more}\nThis is {kind} of $myhostname.\n")
    for kind, more in (("failure", "Postmaster-Subject: fcopy\n"), ("delay", "Postmaster-Subject: dcopy\n"), ("success", ""), ("verify", ""))
)  # fmt: skip
_TIMES = "".join(
    f"{name}: ${{{name}_{unit}}}\n"
    for name in ("delay_warning_time", "maximal_queue_lifetime")
    for unit in ("seconds", "minutes", "hours", "days", "weeks")
)
TEMPLATES: dict[str, str] = {
    "all four": _ALL,
    "header only": _template("failure", "Subject: s\n") + _template("delay", "From: a@b\n\n") + _template("success", "Subject: s\n"),
    "text only": "".join(_template(kind, "\nThe text.\n\nMore of it.\n") for kind in ("failure", "delay", "success", "verify")),
    "text without an empty line": _template("failure", "The text.\n") + _template("delay", "Subject: x\nThe text: it is.\n"),
    "nothing": "".join(_template(kind, "") for kind in ("failure", "delay", "success", "verify")),
    "times": _template("failure", f"\n{_TIMES}") + _template("delay", f"\n{_TIMES}") + _template("verify", f"\n{_TIMES}"),
    "unknown times": _template("failure", "\n$delay_warning_time_years\n") + _template("delay", "\n$queue_run_delay_hours\n"),
    "names": _template("failure", "\n$$ $myhostname $(mydomain) ${mail_name} $nosuch ${nosuch?x}${nosuch:y} ${myhostname?x}${myhostname:y}\n"),
    "names that are known": _template("failure", "\n$$ $myhostname $(mydomain) ${mail_name} ${myhostname?x}${myhostname:y} $mail_version\n"),
    "a dollar at the end": _template("failure", "\ntext $\n") + _template("delay", "\n${unclosed\n"),
    "conditions": _template("failure", "\n${nosuch?x}${nosuch:y} ${{a}=={a}?{yes}:{no}} ${{$myhostname}!={b}?{yes}}\n"),
    "names in the header": _template("failure", "Subject: $myhostname $$ ${mydomain}\nFrom: $nosuch\n\nx\n"),
    "8-bit text": _template("failure", "Charset: iso-8859-1\n\nt\udcffst\n") + _template("verify", "Charset: UTF-8\n\nt\u00e4st\n"),
    "8-bit header": _template("failure", "Charset: utf-8\nSubject: t\u00e4st\nFrom: t\u00e4st <a@b>\n\nx\n"),
    "8-bit header, ASCII": _template("failure", "Subject: t\u00e4st\nFrom: t\u00e4st <a@b>\n\nx\n"),
    "an odd charset": _template("failure", "Charset: US-ascii\n\nx\n") + _template("delay", "Charset:\n\nx\n"),
    "labels in capitals": _template("failure", "CHARSET: utf-8\nSUBJECT: s\nFROM: a@b\nPOSTMASTER-SUBJECT: p\n\nx\n"),
    "labels twice": _template("failure", "Subject: one\nSubject: two\nFrom: a@b\nFrom: c@d\n\nx\n"),
    "empty labels": _template("failure", "Subject:\nFrom:\nPostmaster-Subject:\n\nx\n"),
    "blanks around labels": _template("failure", "Subject : s\n\nx\n") + _template("delay", " Subject: s\n\nx\n") + _template("verify", "Subject:   s  \n\nx\n"),
    "a template twice": _template("failure", "Subject: one\n\nx\n") + _template("failure", "Subject: two\n\nx\n"),
    "blanks around names": "  failure_template   =   <<EOF  \nSubject: s\n\nx\nEOF\n",
    "blanks around the end": "failure_template = << EOF\nSubject: s\n\nx\n EOF\nEOF \nEOF\n",
    "comments": "# c\n\n  # d\nfailure_template = <<EOF\n# e\nSubject: s\n\n# f\nEOF\n# g\n",
    "another end": "failure_template = <<THE END\nSubject: s\n\nEOF\nTHE END\n",
    "no value": "failure_template =\nverify_template = \n",
    "not a template": "hello = world\nfailure = <<EOF\nSubject: s\nEOF\n",
    "lines with carriage returns": "failure_template = <<EOF\r\nSubject: s\r\n\r\nx\r\nEOF\r\n",
    "a long line": _template("failure", f"Subject: {'s' * 3000}\n\n{'x' * 5000}\n{'y ' * 2500}\n"),
    "a line of dots": _template("failure", "\n.\n..\n.x\n"),
    "bytes": _template("verify", "Charset: utf-8\n\na\0b\x01c\x7f\n"),
    "without a last newline": "failure_template = <<EOF\nSubject: s\n\nx\nEOF",
    "an inapplicable label": _template("verify", "Postmaster-Subject: p\n\nx\n") + _template("delay", "Postmaster-Subject: p\n\nx\n"),
    "faults in all": _template("failure", "X: y\n\nx\n") + _template("delay", "\nt\u00e4st\n") + _template("success", "X: y\n") + _template("verify", "X-:\n"),
    "empty lines first": _template("failure", "\n\n\nSubject: one\n\nbody\n") + _template("delay", " \nSubject: two\n\nbody\n"),
    "empty lines between": _template("success", "Subject: s\n\n\n\nbody\n") + _template("verify", "Subject: s\n\nSubject: t\n\n  body\n\n\n"),
    "blank lines": _template("failure", "Subject: s\n\n \n") + _template("success", "Subject: s\n \nbody\n") + _template("verify", "\n\t\n\n body\n"),
    "indented text": _template("failure", "Subject: s\n\n  a\n\n b\n") + _template("delay", "  a\n") + _template("verify", "Subject: s\n a\n"),
    "odd header values": _template("failure", "CHARSET:\n\nb\n") + _template("delay", "Charset: \u00e4\n\nb\n") + _template("success", "Postmaster-Subject:\n\nb\n"),
    "null bytes": _template("failure", "Sub\0ject: s\nbo\0dy\n\0\nx\n"),
    "a cut file": "failure_template = <<EOF",
    "single lines": "failure_template = Subject: x\ndelay_template = text here\n",
    "tabs": _template("failure", "Subject:\t\tx\ty\t\n\nb\n"),
    "other line ends": "failure_template = <<EOF\r\nCharset: utf-8\r\nFrom: a\x0bb\x0cc\r\n\r\nx\x0by\x0cz\u2028w\r\nEOF\r\n",
    "a comment with blanks": "\t# c\n \nverify_template = one\n",
    "times without a unit": _template("failure", "x\n$delay_warning_time\n$maximal_queue_lifetime $delay_warning_time_\n"),
    "conditional times": _template("failure", "x\n${delay_warning_time_years?x}\n") + _template("delay", "x\n$maximal_queue_lifetimex_hours\n"),
}
BAD_FILES = {
    "no word": "failure_template = <<  \nSubject: s\n\nx\n\nverify_template = <<\nSubject: v\n\n",
    "an odd word": "failure_template = <<_EOF\nx\n_EOF\n",
    "a quoted word": "failure_template = <<'EOF'\nx\n'EOF'\n",
    "no equals sign": "failure_template <<EOF\nSubject: s\n\nx\nEOF\n",
    "no name": "= x\n",
    "two words": "failure template = x\n",
    "a continued line": "failure_template =\n <<EOF\nSubject: s\n\nx\nEOF\n",
    "an unknown name": "verify_template = $nosuch\n",
}
MAIN_HERE = {
    **MAIN, **CONFIGURATIONS["postmaster is told"], "bounce_template_file": "{dir}/etc/bounce.cf",
    "delay_warning_time": "25h", "service_throttle_time": "1s",
}  # fmt: skip


def _about_a_message_on_hold(mta: Instance) -> list[str]:
    """Have a notice of each kind made; return what bounce(8) warns of, each process for itself."""
    queue_id = mta.send_message(["a@refused.example", "b@refused.example"], "Subject: held\n\nHello.\n", "user@ours.example")
    assert spool.find(mta.queue_directory, queue_id).parent.name == "hold"
    for service, fields in EACH_KIND:
        mta.transcript.append(ask(mta, service, fields, queue_id))
    mta.wait_until_only(queue_id)
    in_order_of_making(mta)
    lines = [line.partition("]: ")[2] for line in mta.log_lines() if "/bounce[" in line and " notification: " not in line]
    return sorted({line.replace(str(mta.directory), "") for line in lines})


@pytest.mark.parametrize("name", ["all four", "times", "unknown times", "8-bit text", "faults in all", "a line of dots", "null bytes"])
def test_notices_by_templates(instance_pool: InstancePool, name: str) -> None:
    requirements.need_reference("reference")
    parity = Parity(instance_pool, KNOWN_DIFFERENCES, ("reference", "reference"))
    files: dict[str, str | bytes] = {"bounce.cf": TEMPLATES[name].encode("utf-8", "surrogateescape")}
    parity(
        _about_a_message_on_hold, main=MAIN_HERE, master=SERVICES, files=files, replace={"bounce": "pyfix"},
        deliveries=True, fresh=True,
    )  # fmt: skip


@pytest.mark.parametrize("name", BAD_FILES)
def test_files_that_cannot_be_used(parity: Parity, name: str) -> None:
    """Then bounce(8) does not run; postconf(1) shows the reason."""

    def case(mta: Instance) -> object:
        return [_said(mta, option) for option in ("-t", "-b")]

    parity(case, main=MAIN_HERE, files={"bounce.cf": BAD_FILES[name]}, fresh=True)


def _said(mta: Instance, *arguments: str) -> tuple[int, str, str]:
    done = mta.run("postconf", *arguments)
    said = done.stderr.decode("utf-8", "surrogateescape").replace(str(mta.directory), "")
    return done.returncode, done.stdout.decode("utf-8", "surrogateescape"), re.sub(r"(?m)^.*postconf: ", "postconf: ", said)


def test_what_is_read_of_a_file(parity: Parity) -> None:
    """postconf(1) -b, -t: those that are built in, those of main.cf, those of a file that is named."""

    def case(mta: Instance) -> object:
        for number, text in enumerate(TEMPLATES.values()):
            mta.write(f"file{number}", text.encode("utf-8", "surrogateescape"))
        files = [f"{mta.config_directory}/file{number}" for number in range(len(TEMPLATES))]
        named = [_said(mta, "-t", path) for path in files]
        named += [_said(mta, "-b", path) for path, text in zip(files, TEMPLATES.values(), strict=True) if "$" in text]
        return [_said(mta, "-t"), _said(mta, "-b"), _said(mta, "-b", ""), _said(mta, "-t", "/no/such"), _said(mta, "-b", "x", "y")], named

    parity(case, main={"delay_warning_time": "25h"})
