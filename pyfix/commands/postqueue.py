"""postqueue(1): list the queue, and ask for deliveries; for everybody."""

from __future__ import annotations

import os
import sys
import time

from pyfix.config.compatibility import flushes_by_old_default, old_default_text
from pyfix.formats.attributes import AttributeListError, decode_pairs, end_of_list
from pyfix.formats.queueid import is_valid
from pyfix.runtime.console import (
    EX_SOFTWARE,
    EX_UNAVAILABLE,
    BadOption,
    CommandError,
    enter_queue,
    parse_options,
    read_settings,
    run_command,
)
from pyfix.runtime.log import log
from pyfix.tables.localusers import check_user

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pyfix.config.snapshot import Snapshot
    from pyfix.formats.attributes import Attributes
    from pyfix.queue.agechart import AgeChart

_USAGE = "usage: postqueue -f | postqueue -i queueid | postqueue -j | postqueue -p | postqueue -s site"
_PLOT_WORD = "--plot"
_PLOT = "\0"
"""What stands for --plot among the letters: nobody can type it."""
_PLOT_USAGE = "usage: postqueue --plot [-o file.png | -o file.svg]"
_PROTOCOL = "mail_queue_list_protocol"
_DOWN = "mail system is down"
_REASON_END = 76
_PLOT_MOST = 40
"""Destinations in an image, or a picture that goes to no terminal."""
_PLOT_LINES, _PLOT_LEAST = 7, 5
"""Lines of a terminal that are not for destinations, and how many are at least."""
_SENDER_KEYS = ("queue_name", "queue_id", "time", "size", "forced_expire", "sender")
_RECIPIENT_KEYS = ("original_recipient", "recipient", "log_class", "reason")
_MARKS = {"active": "*", "hold": "!"}

Message = tuple[dict[str, str], list[dict[str, str]]]


def main(argv: Sequence[str]) -> int:
    """Run postqueue with the arguments after its name; return the exit status.

    0: done; 69: not possible now.  Source: postqueue(1).
    """
    return run_command("postqueue", lambda: _run(argv))


def _run(argv: Sequence[str]) -> int:
    plots = _PLOT_WORD in argv

    def mend(left: list[str]) -> None:
        if plots and left[0] == _PLOT_WORD:
            left[0] = f"-{_PLOT}"

    try:
        options, words = parse_options(argv, "c:fi:jps:v" + f"o:{_PLOT}" * plots, mend=mend)
    except BadOption as error:
        print(f"postqueue: {error}", file=sys.stderr)
        raise CommandError(_USAGE, EX_UNAVAILABLE) from None
    values = dict(options)
    actions = [letter for letter, _value in options if letter in f"fijps{_PLOT}"]
    if len(actions) > 1 or words or ("o" in values and _PLOT not in values):
        raise CommandError(_PLOT_USAGE if plots else _USAGE, EX_UNAVAILABLE)
    if _PLOT in values:
        return _plot(values.get("c"), values.get("o"))
    snapshot = read_settings("postqueue", values.get("c"), EX_UNAVAILABLE, clean=True)
    if not actions:
        raise CommandError(_USAGE, EX_UNAVAILABLE)
    enter_queue(snapshot, EX_UNAVAILABLE)
    action = actions[0]
    if action in "pj":
        _check_viewer(snapshot)
        return _list(snapshot, json=action == "j")
    if action == "f":
        return _flush_all(snapshot)
    if action == "i":
        return _flush_message(snapshot, values["i"])
    return _flush_site(snapshot, values["s"])


def _check_user(snapshot: Snapshot, parameter: str, what: str) -> None:
    if os.getuid() != 0:
        check_user(snapshot, parameter, what, EX_UNAVAILABLE)


def _check_viewer(snapshot: Snapshot) -> None:
    _check_user(snapshot, "authorized_mailq_users", "view the mail queue")


def _check_flusher(snapshot: Snapshot) -> None:
    _check_user(snapshot, "authorized_flush_users", "flush the mail queue")


# Listing


def _list(snapshot: Snapshot, *, json: bool) -> int:
    messages = _messages(_showq(snapshot))
    if json:
        _print_json(messages)
    else:
        _print_listing(messages, long_ids=snapshot.value("enable_long_queue_ids").lower() == "yes")
    return 0


def _showq(snapshot: Snapshot) -> Iterator[bytes]:
    """Yield what showq(8) says, in pieces: the service, or the program itself when the mail system is down."""
    import socket

    path = "public/" + snapshot.value("showq_service_name")
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.connect(path)
    except OSError as error:
        connection.close()
        why = f"Connect to the {snapshot.value('mail_name')} showq service: {error.strerror}"
        if os.geteuid() != 0 and not _is_own_queue():
            raise CommandError(f"Queue report unavailable - {_DOWN} ({why})", EX_UNAVAILABLE) from error
        log.warning(f"Mail system is down -- accessing queue directly ({why})")
        yield from _showq_program(snapshot)
        return
    with connection:
        while data := connection.recv(65536):
            yield data


def _is_own_queue() -> bool:
    """Tell whether the caller laid this system out for himself, without root."""
    try:
        return os.getuid() == os.stat("active").st_uid
    except OSError:
        return False


def _showq_program(snapshot: Snapshot) -> Iterator[bytes]:
    import subprocess

    program = os.path.join(snapshot.value("daemon_directory"), "showq")
    environment = {**os.environ, "MAIL_CONFIG": snapshot.config_directory}
    with subprocess.Popen([program, "-u", "-S"], stdout=subprocess.PIPE, env=environment) as showq:
        assert showq.stdout is not None
        while data := showq.stdout.read(65536):
            yield data


def _messages(pieces: Iterator[bytes]) -> Iterator[Message]:
    buffer = b""
    greeted = False
    for piece in pieces:
        buffer += piece
        while (end := end_of_list(buffer)) >= 0:
            data, buffer = buffer[:end], buffer[end:]
            try:
                pairs = decode_pairs(data)
            except AttributeListError as error:
                raise CommandError("malformed showq server response", EX_SOFTWARE) from error
            if not greeted:
                if pairs[:1] != [("protocol", _PROTOCOL)]:
                    raise CommandError("malformed showq server response", EX_SOFTWARE)
                greeted = True
            elif not pairs:
                return
            else:
                yield _message(pairs)
    raise CommandError("malformed showq server response", EX_SOFTWARE)


def _message(pairs: list[tuple[str, str]]) -> Message:
    """Split one list into the message's attributes and those of each recipient.

    Postfix 3.7 sends recipient and reason only.
    """
    count = len(_SENDER_KEYS)
    message = dict(pairs[:count])
    if tuple(message) != _SENDER_KEYS:
        raise CommandError("malformed showq server response", EX_SOFTWARE)
    recipients: list[dict[str, str]] = []
    first = pairs[count][0] if len(pairs) > count else ""
    for name, value in pairs[count:]:
        if name == first:
            recipients.append(dict.fromkeys(_RECIPIENT_KEYS, ""))
        recipients[-1][name] = value
    if first == "recipient":
        for recipient in recipients:
            recipient["log_class"] = "defer" if recipient["reason"] else ""
    return message, recipients


def _print_listing(messages: Iterator[Message], *, long_ids: bool) -> None:
    out = sys.stdout
    count = size = 0
    for message, recipients in messages:
        if not count:
            first = "----Queue ID-----" if long_ids else "-Queue ID- "
            out.write(f"{first} --Size-- ----Arrival Time---- -Sender/Recipient-------\n")
        count += 1
        size += int(message["size"])
        mark = _MARKS.get(message["queue_name"], "") + "#" * (message["forced_expire"] != "0")
        shown_id = message["queue_id"] + mark
        date = time.asctime(time.localtime(int(message["time"])))
        width = 17 if long_ids else 11
        if long_ids:
            line = f"{shown_id:<17} {int(message['size']):8d} {date[:19]:>19} {message['sender']}"
        else:
            line = f"{shown_id:<11} {int(message['size']):7d} {date[:20] + ' ':>20.20} {message['sender']}"
        out.write(line + "\n")
        reason = ""
        for recipient in recipients:
            if recipient["reason"] and recipient["reason"] != reason:
                reason = recipient["reason"]
                out.write(f"{'':>{max(_REASON_END - len(reason), 0)}}({reason})\n")
            out.write(f"{'':<{width}} {'':8} {'':19} {recipient['recipient']}\n")
        out.write("\n")
    if count:
        out.write(f"-- {size // 1024} Kbytes in {count} Request{'' if count == 1 else 's'}.\n")
    else:
        out.write("Mail queue is empty\n")


def _print_json(messages: Iterator[Message]) -> None:
    out = sys.stdout
    for message, recipients in messages:
        parts = []
        for recipient in recipients:
            reason = ""
            if recipient["reason"]:
                name = {"defer": "delay_reason", "bounce": "bounce_reason"}.get(recipient["log_class"], "other_reason")
                reason = f', "{name}": {_quoted(recipient["reason"])}'
            parts.append(
                f'{{"orig_address": {_quoted(recipient["original_recipient"])}, '
                f'"address": {_quoted(recipient["recipient"])}{reason}}}'
            )
        out.write(
            f'{{"queue_name": {_quoted(message["queue_name"])}, "queue_id": {_quoted(message["queue_id"])}, '
            f'"arrival_time": {message["time"]}, "message_size": {message["size"]}, '
            f'"forced_expire": {"true" if message["forced_expire"] != "0" else "false"}, '
            f'"sender": {_quoted(message["sender"])}, "recipients": [{", ".join(parts)}]}}\n'
        )


_JSON_ESCAPES = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def _quoted(text: str) -> str:
    """Return a JSON string; bytes that are not UTF-8 become question marks."""
    shown = "".join(
        [
            _JSON_ESCAPES.get(letter)
            or (f"\\u{ord(letter):04X}" if letter < " " else "?" if "\ud800" <= letter <= "\udfff" else letter)
            for letter in text
        ]
    )
    return f'"{shown}"'


# The picture


def _plot(config_directory: str | None, path: str | None) -> int:
    """Draw the queue on standard output, or write an image to *path*."""
    import locale
    import shutil

    from pyfix.queue.agechart import AgeChart, draw

    kind = "" if path is None else path.rpartition(".")[2].lower()
    if path is not None:
        if kind not in ("png", "svg"):
            raise CommandError(f"{path}: the name of an image ends in .png or .svg", EX_UNAVAILABLE)
        try:
            path = os.path.abspath(path)
        except OSError as error:
            raise CommandError(f"current directory: {error.strerror}", EX_UNAVAILABLE) from error
    # Taken before the environment becomes the mail system's.
    size = shutil.get_terminal_size()
    try:
        locale.setlocale(locale.LC_CTYPE, "")
        wide = locale.nl_langinfo(locale.CODESET).upper() == "UTF-8"
    except locale.Error:  # one that this machine does not have
        wide = False
    snapshot = read_settings("postqueue", config_directory, EX_UNAVAILABLE, clean=True)
    enter_queue(snapshot, EX_UNAVAILABLE)
    _check_viewer(snapshot)
    found = [
        (float(message["time"]), [recipient["recipient"] for recipient in recipients])
        for message, recipients in _messages(_showq(snapshot))
    ]
    chart = AgeChart(found, time.time())
    if path is not None:
        _write_image(chart, path, kind)
        return 0
    most = max(size.lines - _PLOT_LINES, _PLOT_LEAST) if sys.stdout.isatty() else _PLOT_MOST
    sys.stdout.buffer.write(draw(chart, size.columns, most, wide=wide).encode("utf-8" if wide else "ascii", "replace"))
    return 0


def _write_image(chart: AgeChart, path: str, kind: str) -> None:
    # The file, and what the library reads, are the caller's: no more with the rights of setgid_group.
    os.setresgid(os.getgid(), os.getgid(), os.getgid())
    from pyfix.queue.ageimage import image

    try:
        data = image(chart, kind, _PLOT_MOST)
    except ImportError as error:
        text = f"images need a library that is not installed: pip install 'pyfix[plot]' ({error})"
        raise CommandError(text, EX_UNAVAILABLE) from error
    try:
        with open(path, "wb") as file:
            file.write(data)
    except OSError as error:
        raise CommandError(f"write {path}: {error.strerror}", EX_UNAVAILABLE) from error


# Deliveries


def _flush_all(snapshot: Snapshot) -> int:
    _check_flusher(snapshot)
    from pyfix.runtime.ipc_sync import trigger_or_warn

    for parameter, requests in (("queue_service_name", b"FADI"), ("pickup_service_name", b"W")):
        if not trigger_or_warn("public/" + snapshot.value(parameter), requests):
            raise CommandError(f"Cannot flush mail queue - {_DOWN}", EX_UNAVAILABLE)
    return 0


def _ask_flush(snapshot: Snapshot, request: Attributes) -> int:
    from pyfix.protocols.internal import flush
    from pyfix.runtime.ipc_sync import Connection

    try:
        with Connection("public/" + snapshot.value("flush_service_name"), 30) as connection:
            connection.expect_handshake(flush.PROTOCOL)
            return connection.ask(request, flush.StatusReply).status
    except (OSError, AttributeListError) as error:
        if isinstance(error, OSError):
            log.warning(f"connect to public/{snapshot.value('flush_service_name')}: {error.strerror}")
        raise CommandError(f"Cannot flush mail queue - {_DOWN}", EX_UNAVAILABLE) from None


def _flush_message(snapshot: Snapshot, queue_id: str) -> int:
    from pyfix.protocols.internal import flush

    if not is_valid(queue_id):
        raise CommandError(f'Cannot flush queue ID - invalid name: "{queue_id}"', EX_UNAVAILABLE)
    _check_flusher(snapshot)
    if _ask_flush(snapshot, flush.SendFile(queue_id)) != flush.OK:
        raise CommandError("Cannot flush mail queue - internal error", EX_UNAVAILABLE)
    return 0


def _send_site(snapshot: Snapshot, site: str) -> int:
    """Ask flush(8) to deliver what waits for *site*, if it keeps a log for that."""
    from pyfix.config.parameter import split_words
    from pyfix.protocols.internal import flush
    from pyfix.tables.matchlist import MatchList
    from pyfix.tables.table import TableError

    domains = MatchList("fast_flush_domains", split_words(snapshot.value("fast_flush_domains")), snapshot)
    try:
        if not domains.matches_domain(site):
            return flush.DENIED
    except TableError:
        return flush.FAILED
    if flushes_by_old_default(snapshot):
        log.info(old_default_text(f'relay_domains=$mydestination to flush mail for domain "{site}"'))
    return _ask_flush(snapshot, flush.SendSite(site))


def _flush_site(snapshot: Snapshot, site: str) -> int:
    from pyfix.formats.domain import is_hostname, valid_mailhost_literal
    from pyfix.protocols.internal import flush

    if not (valid_mailhost_literal(site) if site.startswith("[") else is_hostname(site)):
        raise CommandError(f'Cannot flush mail queue - invalid destination: "{site}"', EX_UNAVAILABLE)
    _check_flusher(snapshot)
    status = _send_site(snapshot, site)
    if status == flush.BAD:
        raise CommandError(f'Invalid request: "{site}"', EX_UNAVAILABLE)
    if status == flush.DENIED:
        raise CommandError(f'Flush service is not configured for destination "{site}"', EX_UNAVAILABLE)
    if status != flush.OK:
        raise CommandError("Cannot flush mail queue - internal error", EX_UNAVAILABLE)
    return 0
