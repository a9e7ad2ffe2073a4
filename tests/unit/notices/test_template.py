from __future__ import annotations

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
    assert (one.sender, one.subject, one.postmaster_subject, one.charset) == ("me", "hi", "pm", "koi8-r")


def test_a_file_that_is_none() -> None:
    with pytest.raises(TemplateError, match="file, line 2: missing '=' after attribute name: \"bar\""):
        read_templates("bar\n", "file", print)


def expanded(line: str) -> list[str]:
    one = read_templates(f"failure_template = <<E\n\n{line}\nE\n", "file", print)["failure"]
    return one.expanded({"name": "value", "empty": ""}.get)


def test_expansion() -> None:
    assert expanded("$name ${name} $(name) $$ ${name?{yes}} ${none:{no}} $empty.") == ["value value value $ yes no ."]


@pytest.mark.parametrize("line", ["$none", "${none}", "${name", "$"])
def test_bad_expansion(line: str) -> None:
    with pytest.raises(TemplateError):
        expanded(line)
