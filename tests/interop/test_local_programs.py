"""Debian's own programs behind local(8): procmail and maildrop as mailbox_command, vacation in a .forward file, a list manager's aliases.

Each case is run with the reference's local, too: what is delivered is the same.  Source: local(8); procmail(1),
vacation(1).
"""

from __future__ import annotations

import shutil

import pytest

from tests.kit import requirements
from tests.kit.instance import Instance
from tests.kit.parity import InstancePool, Parity
from tests.parity.delivery.localmail import ACCOUNTS, MAIN, OURS, Written, clean, compare, deliver, send, write
from tests.parity.known_differences import KNOWN_DIFFERENCES

pytestmark = [pytest.mark.reference, pytest.mark.root]


@pytest.fixture
def exchanged(instance_pool: InstancePool) -> Parity:
    requirements.need_reference("reference")
    return Parity(instance_pool, KNOWN_DIFFERENCES, ("reference", "reference"))


def need_program(name: str) -> None:
    if shutil.which(name) is None:
        requirements.missing(f"the program {name} is not installed")


_RC = """\
LOGFILE=$HOME/log
LOGABSTRACT=no
:0
* ^Subject: spam
$HOME/spam

:0
* ^Subject: refuse
{
  EXITCODE=77
  HOST
}

:0:
$HOME/ext-$1
"""


@pytest.mark.parametrize("setting", ["mailbox_command", "alias", "forward"])
@pytest.mark.parametrize("subject", ["spam", "refuse", "other"])
def test_procmail(exchanged: Parity, setting: str, subject: str) -> None:
    """Its rules, its arguments and its exit status."""
    need_program("procmail")

    def case(mta: Instance) -> None:
        files = {"~alice/.procmailrc": _RC}
        if setting == "forward":
            files["~alice/.forward"] = '"|IFS=\' \' && exec /usr/bin/procmail -a x -f- || exit 75 #alice"\n'
        recipient = "toalice" if setting == "alias" else "alice+x"
        deliver(mta, f"{recipient}@localhost", files, content=f"Subject: {subject}\n\nhi\n")

    main = {**MAIN, "mailbox_command": '/usr/bin/procmail -a "$EXTENSION"' if setting == "mailbox_command" else ""}
    aliases = "toalice alice+x\n"
    if setting == "alias":
        main["mailbox_command"] = "/usr/bin/procmail -a $EXTENSION"
    exchanged(case, main=main, files={"aliases": aliases}, accounts=ACCOUNTS, replace=OURS)


_FILTER = """\
if (/^Subject: spam/)
{
  to "$HOME/spam"
}
if (/^Subject: refuse/)
{
  EXITCODE=77
  exit
}
to "$HOME/box-$1"
"""
_MAILDROP = "maildrop unix - n n - - pipe flags=DRXhu user={user} argv=/usr/bin/maildrop -d ${{user}} ${{extension}} ${{recipient}} ${{user}} ${{nexthop}}"


@pytest.mark.parametrize("setting", ["mailbox_command", "pipe", "pipe of another", "forward"])
def test_maildrop(exchanged: Parity, setting: str) -> None:
    """Its rules, its arguments and its exit status; as Debian's master.cf has it, for its user, and for another."""
    need_program("maildrop")

    def case(mta: Instance) -> None:
        files: dict[str, Written | str] = {"~alice/.mailfilter": Written(_FILTER, mode=0o600)}
        if setting == "forward":
            files["~alice/.forward"] = '"|/usr/bin/maildrop -d alice x"\n'
        for subject in ("spam", "refuse", "other"):
            for recipient in ("nosuch@localhost", "alice+x@localhost"):
                deliver(mta, recipient, files, content=f"Subject: {subject}\n\nFrom me\nhi\n")
                mta.transcript += sorted(line.partition("dsn=")[2] for line in mta.log_lines() if "/pipe[" in line and " to=<" in line)
            found = {path.name for path in (mta.directory / "home/alice").iterdir()}
            # maildrop lets nobody deliver in the place of another
            assert setting == "pipe of another" or found & {"spam", "box-x"} == {"spam": {"spam"}, "refuse": set(), "other": {"box-x"}}[subject], found

    main = {**MAIN, "maildrop_destination_recipient_limit": "1"}
    if setting == "mailbox_command":
        main["mailbox_command"] = '/usr/bin/maildrop -d "$USER" "$EXTENSION"'
    elif setting != "forward":
        main["mailbox_transport"] = "maildrop"
    user = "nobody" if setting == "pipe of another" else "alice"
    exchanged(case, main=main, master={"maildrop": _MAILDROP.format(user=user)}, files={"aliases": ""}, accounts=ACCOUNTS, replace={**OURS, "pipe": "pyfix"})


def test_vacation(exchanged: Parity) -> None:
    """The message is in the mailbox, and the program has it, too."""
    need_program("vacation")

    def case(mta: Instance) -> None:
        clean(mta)
        write(mta, "~alice/.vacation.msg", "Subject: away\n\nGone.\n")
        write(mta, "~alice/.forward", '\\alice, "|/usr/bin/vacation alice"\n')
        for _ in range(2):
            send(mta, "alice@localhost", content="To: alice@localhost\nFrom: bob@localhost\nSubject: x\n\nhi\n", sender="bob@localhost")
        boxes = mta.deliveries()
        assert boxes["alice"][0].count(b"\nSubject: x\n") == 2
        found = [line for line in mta.log_lines() if "vacation" in line and "to=<alice@localhost>" in line]
        mta.transcript += [line.partition("dsn=")[2] for line in found]

    exchanged(case, main=MAIN, files={"aliases": ""}, accounts=ACCOUNTS, replace=OURS)


_MANAGER = """#!/bin/sh
# As mailman 2 and majordomo are called: what to do, which list.
echo "$1 $2 $SENDER $RECIPIENT $(wc -l)" >> "{dir}/out/calls"
case "$1" in
owner) exit 0 ;;
post) test "$SENDER" = "" && exit 67; exit 0 ;;
*) echo "5.1.1 no such action"; exit 1 ;;
esac
"""
_LISTS = "".join(
    f'test{dash}{action} "|{{dir}}/etc/manager {call} test"\n'
    for dash, action, call in (
        ("", "", "post"), ("-", "admin", "admin"), ("-", "owner", "owner"), ("-", "request", "request"), ("-", "bounces", "bounces"),
    )
) + "owner-test test-owner\n"  # fmt: skip


@pytest.mark.parametrize("name", ["test", "test-owner", "test-request", "test-bounces+x", "owner-test"])
@pytest.mark.parametrize("sender", ["", "bob@localhost"])
def test_a_list_manager(exchanged: Parity, name: str, sender: str) -> None:
    def case(mta: Instance) -> None:
        (mta.config_directory / "manager").chmod(0o755)
        deliver(mta, f"{name}@localhost", {}, sender=sender)
        compare(mta)

    exchanged(case, main=MAIN, files={"aliases": _LISTS, "manager": _MANAGER}, accounts=ACCOUNTS, replace=OURS)
