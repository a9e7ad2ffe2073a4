from __future__ import annotations

from pyfix.protocols.smtp.reply import encode_reply, with_footer


def test_encoding() -> None:
    assert encode_reply("250 Ok") == b"250 Ok\r\n"
    assert encode_reply("250-a\n250 b") == b"250-a\r\n250 b\r\n"


def test_footer() -> None:
    assert with_footer("554 5.7.1 No", "a\\nb") == "554-5.7.1 No\n554-5.7.1 a\n554 5.7.1 b"
    assert with_footer("554 5.7.1 No", "\\c. Bye\\nb") == "554-5.7.1 No. Bye\n554 5.7.1 b"
    assert with_footer("501 Syntax", "\\c!") == "501 Syntax!"
    assert with_footer("501 Syntax", "x") == "501-Syntax\n501 x"
