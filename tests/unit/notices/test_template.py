from __future__ import annotations

import re

import pytest

from pyfix.notices.template import BUILT_IN, TemplateError, read_templates


def read(text: str) -> tuple[dict[str, str], list[str]]:
    warnings: list[str] = []
    templates = read_templates(text, "file", warnings.append)
    changed = {name: "|".join(one.text) for name, one in templates.items() if one.text is not BUILT_IN[name].text}
    return changed, warnings + [fault for one in templates.values() for fault in one.faults]


@pytest.mark.parametrize(
    ("text", "changed", "warnings"),
    [
        ("", {}, []),
        ("# comment\n\nfailure_template = <<END\nSubject: s\n\nbody\n\nmore\nEND\n", {"failure": "body||more"}, []),
        ("failure_template = one line\n", {"failure": "one line"}, []),
        ("failure_template=<<E\nSubject: s\nbody\n", {"failure": "body"}, ['file, line 4: missing "E" end marker']),
        ("x_template = y\n", {}, ["file, line 2: unknown template name: x_template -- ignoring this template"]),
        ("failure = y\n", {}, ["file, line 2: unknown template name: failure -- ignoring this template"]),
        (
            "failure_template = <<E\nNope: x\n\ny\nE\ndelay_template = d\n",
            {"delay": "d"},
            ['file: unknown "Nope" header label in failure template -- ignoring this template'],
        ),
        (
            "success_template = <<E\nPostmaster-Subject: x\n\ny\nE\n",
            {},
            ['file: inapplicable "Postmaster-Subject" header label in success template -- ignoring this template'],
        ),
        (
            "failure_template = <<E\n\n\u00e4\nE\n",
            {},
            [
                "file: 8-bit message text in failure template",
                "please specify a charset value other than us-ascii",
                "-- ignoring this template for now",
            ],
        ),
        ("failure_template = <<E\nCharset: utf-8\n\n\u00e4\nE\n", {"failure": "\u00e4"}, []),
    ],
)
def test_reading(text: str, changed: dict[str, str], warnings: list[str]) -> None:
    assert read(text) == (changed, warnings)


def test_headers() -> None:
    text = "failure_template = <<E\nFROM: me\nSubject:  hi \nPostmaster-Subject: pm\nCharset: koi8-r\n\nbody\nE\n"
    one = read_templates(text, "file", print)["failure"]
    assert (one.sender, one.subject, one.postmaster_subject, one.charset) == ("me", "hi ", "pm", "koi8-r")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("bar\n", "file, line 2: missing '=' after attribute name: \"bar\""),
        ("# c\nfailure template = x\n", "file, line 3: missing '=' after attribute name: \"failure template = x\""),
        ("= x\n", 'file, line 2: missing attribute name: "= x"'),
        ("failure_template = <<\nx\n", "file, line 2: missing end marker after <<"),
        ("failure_template = <<'E'\nx\n'E'\n", "file, line 2: malformed end marker after <<"),
    ],
)
def test_a_file_that_is_none(text: str, fault: str) -> None:
    with pytest.raises(TemplateError, match=re.escape(fault)):
        read_templates(text, "file", print)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("Subject: s\n\n \n", "missing message text in failure template"),
        ("Subject:\n\nx\n", 'empty "Subject" header value in failure template'),
        ("X-:\n\nx\n", 'empty "X-" header value in failure template'),
        ("from: \u00e4\n\nx\n", 'non-ASCII "from" header value in failure template'),
    ],
)
def test_templates_with_faults(text: str, fault: str) -> None:
    assert read(f"failure_template = <<E\n{text}E\n") == ({}, [f"file: {fault} -- ignoring this template"])


def test_where_the_text_begins() -> None:
    assert read("failure_template = <<E\n\n\nSubject : s\n\n \n\n  a\n\nb\nE\n") == ({"failure": "  a||b"}, [])
    assert read("failure_template = <<E\nx\0y\r\n\0\nE\n") == ({"failure": "x|"}, [])


def expanded(line: str) -> list[str]:
    one = read_templates(f"failure_template = <<E\n\n{line}\nE\n", "file", print)["failure"]
    return one.expanded({"name": "value", "empty": ""}.get)


def test_expansion() -> None:
    assert expanded("$name ${name} $(name) $$ ${name?{yes}} ${none:{no}} $empty.") == ["value value value $ yes no ."]


@pytest.mark.parametrize("line", ["$none", "${none}", "${name", "$"])
def test_bad_expansion(line: str) -> None:
    with pytest.raises(TemplateError):
        expanded(line)
