from pyfix.tables import flags


def test_words_of_the_log() -> None:
    assert flags.describe(flags.ORDINARY) == "lock|fold_fix|utf8_request"
    assert flags.describe(0) == ""


def test_numbers_on_the_wire() -> None:
    """What postmap(1) of 3.11 sends to proxymap(8) for a table that it asks."""
    assert flags.ORDINARY | flags.DUP_WARN == 540737
