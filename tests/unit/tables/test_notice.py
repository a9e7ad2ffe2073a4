from pyfix.tables import notice


def test_severities(notices: list[str]) -> None:
    notice.warn("a")
    notice.error("b")
    notice.info("c")
    assert notices == ["warning: a", "error: b", "c"]


def test_the_log_is_where_it_goes_otherwise(notices: list[str]) -> None:
    from pyfix.runtime.log import log

    said: list[tuple[str, str]] = []
    mine = notice.report_to(notice._to_log)
    log._log, before = (lambda severity, text: said.append((severity, text))), log._log  # type: ignore[method-assign]  # what the test listens with
    try:
        notice.warn("to the log")
    finally:
        log._log = before  # type: ignore[method-assign]  # what the test listens with
        notice.report_to(mine)
    assert said == [("warning", "to the log")]
