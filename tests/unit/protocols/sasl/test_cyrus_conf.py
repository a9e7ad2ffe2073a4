from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyfix.protocols.sasl.cyrus_conf import BadConfiguration, CyrusConfiguration, parse_configuration

TEXT = "# comment\n\npwcheck_method: saslauthd\nMech_List:  plain login \nmech_list: cram-md5\n"


def test_options() -> None:
    assert parse_configuration(TEXT) == {"pwcheck_method": "saslauthd", "mech_list": "plain login"}


@pytest.mark.parametrize("text", ["foo", "foo bar", "foo:", "foo :bar", ":bar", "f\u00e9: x"])
def test_what_is_no_option(text: str) -> None:
    with pytest.raises(BadConfiguration):
        parse_configuration(text)


def test_configuration() -> None:
    configuration = CyrusConfiguration.of(parse_configuration(TEXT))
    assert configuration.verifiers == ("saslauthd",)
    assert configuration.mechanisms == ("PLAIN", "LOGIN")
    assert CyrusConfiguration.of({}).verifiers == ("auxprop",)
    assert CyrusConfiguration.of({}).sasldb_path == "/etc/sasldb2"


@given(st.text(max_size=200))
def test_any_text(text: str) -> None:
    try:
        options = parse_configuration(text)
    except BadConfiguration:
        return
    assert all(name == name.lower() and value == value.strip() for name, value in options.items())
    CyrusConfiguration.of(options)
