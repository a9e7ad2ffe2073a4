"""Adding and removing instances, and changing what they are called: ``-e``."""

from __future__ import annotations

import os
import shutil
import sys

from pyfix.commands.postmulti.instances import Instance, Instances
from pyfix.commands.postmulti.iteration import run_for
from pyfix.queue.folders import QUEUE_FOLDERS
from pyfix.runtime.console import CommandError
from pyfix.runtime.log import log
from pyfix.runtime.masterlock import LockError, running_master

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pyfix.commands.postmulti import Request

_OF_INSTANCE = ("config_directory", "queue_directory", "data_directory")
_SETTABLE = {"create": _OF_INSTANCE, "import": _OF_INSTANCE[:1]}
_FILES = ("main.cf", "master.cf")
_SHARED = (
    "command_directory", "daemon_directory", "html_directory", "mail_owner", "mailq_path", "manpage_directory",
    "meta_directory", "newaliases_path", "readme_directory", "sample_directory", "sendmail_path", "setgid_group",
    "shlib_directory",
)  # fmt: skip
"""What a new instance takes over from the primary one where that one's main.cf has it."""
_CLOSED = {"authorized_submit_users": "", "master_service_disable": "inet"}
"""A new instance takes no mail before its administrator says so."""
_ENABLED = {"multi_instance_enable": "yes"}
_WRAPPER = {"multi_instance_wrapper": "${command_directory}/postmulti -p --"}


def change(request: Request, instances: Instances) -> int:
    """Do what ``-e`` asks for; return the exit status.  Raises CommandError."""
    editor = Editor(request, instances)
    actions = {
        "init": editor.initialise,
        "create": editor.create,
        "import": editor.take_over,
        "assign": editor.assign,
        "enable": lambda: editor.enable("yes"),
        "disable": lambda: editor.enable("no"),
        "deport": editor.deport,
        "destroy": editor.destroy,
    }
    return actions[request.action]()


class Editor:
    """Changes one instance, and what the primary one says of it."""

    def __init__(self, request: Request, instances: Instances) -> None:
        self._request = request
        self._instances = instances

    # The actions: each returns the exit status

    def initialise(self) -> int:
        """Let postfix(1) hand its commands to postmulti(1)."""
        return self._set(self._instances.primary, _ENABLED | _WRAPPER)

    def create(self) -> int:
        """Make an instance, closed and disabled; one that has both files of configuration already is taken as it is."""
        given = self._given()
        new = Instance(*(self._directory(name, given) for name in _OF_INSTANCE), name=self._request.name or "")
        place = self._place(new)
        if not self._is_initialised():
            return 1
        if not all(os.path.exists(f"{new.config_directory}/{name}") for name in _FILES):
            status = self._lay_out(new)
            if status:
                return status
        return self._enrol(new, place)

    def take_over(self) -> int:
        """Add an instance that is there already."""
        directory = self._directory("config_directory", self._given())
        self._check_unused(directory)
        new = self._instances.member(directory)
        if self._request.name is not None:
            new.name = self._request.name
        place = self._place(new)
        return self._enrol(new, place) if self._is_initialised() else 1

    def assign(self) -> int:
        """Give an instance another name or group."""
        instance = self._selected()
        if self._request.name is not None:
            instance.name = self._request.name
            for other in self._instances.members:
                instance.check_name(other)
        return self._set(instance, self._naming()) if self._is_initialised() else 1

    def enable(self, answer: str) -> int:
        """Let the instance be started together with the others, or not."""
        instance = self._selected()
        return self._set(instance, {"multi_instance_enable": answer}) if self._is_initialised() else 1

    def deport(self) -> int:
        """Forget an instance, and leave its files as they are."""
        instance = self._removable()
        return self._forget(instance) if self._is_initialised() else 1

    def destroy(self) -> int:
        """Remove what postmulti(1) made of an instance, and forget it; what else is there stays, with a warning."""
        instance = self._removable()
        if not self._is_initialised():
            return 1
        if _is_running(instance):
            return self._failed(f"Instance '{instance.config_directory}' is not stopped")
        self._remove_folders(instance)
        for name in _FILES:
            try:
                os.unlink(f"{instance.config_directory}/{name}")
            except FileNotFoundError:
                pass
        primary = self._instances.settings.syslog_name
        self._remove(instance.config_directory, instance.config_directory, primary)
        return self._forget(instance)

    # Which instance

    def _selected(self) -> Instance:
        return self._instances.named(self._request.selection[1] if self._request.selection else "")

    def _removable(self) -> Instance:
        instance = self._selected()
        if instance.primary:
            raise CommandError("Cannot remove the primary instance")
        if instance.enabled:
            raise CommandError("Cannot remove enabled instances")
        return instance

    def _given(self) -> dict[str, str]:
        """Return the settings on the command line.  Raises CommandError."""
        action = self._request.action
        given: dict[str, str] = {}
        for word in self._request.words:
            name, equals, value = word.partition("=")
            if not equals or not name.strip():
                raise CommandError(f"Malformed parameter setting '{word}'")
            name, value = name.strip(), value.strip()
            if name not in _SETTABLE[action]:
                raise CommandError(f"Parameter '{name}' not valid with action {action}")
            if not value.startswith("/"):
                raise CommandError(f"Parameter setting '{name}' is not an absolute path")
            value = value.rstrip("/")
            if not value:
                raise CommandError(f"Parameter setting '{name}' is the root directory")
            given[name] = value
        return given

    def _directory(self, name: str, given: Mapping[str, str]) -> str:
        """Return a directory of a new instance: as given, or beside the primary one's and called like the instance."""
        if name in given:
            return given[name]
        if not self._request.name:
            raise CommandError(f"Missing {name} parameter value")
        beside: str = getattr(self._instances.primary, name)
        return os.path.join(os.path.dirname(beside), self._request.name)

    def _check_unused(self, directory: str) -> None:
        for other in self._instances.members:
            if other.config_directory == directory:
                raise CommandError(
                    f"new config_directory={directory} is already in use by "
                    f"instance {directory}, config_directory={directory}"
                )

    def _place(self, new: Instance) -> int:
        """Return where in the list the instance shall be, and check it against the others.  Raises CommandError."""
        self._check_unused(new.config_directory)
        members = self._instances.members
        place = len(members)
        if self._request.selection is not None:
            letter, value = self._request.selection
            if letter == "a":
                place = 1
            else:
                chosen = [one for one in self._instances.selected((letter, value)) if not one.primary]
                if not chosen:
                    raise CommandError("No matching secondary instances")
                place = members.index(chosen[0])
        self._instances.check(new)
        return place

    def _is_initialised(self) -> bool:
        settings = self._instances.settings
        if not settings.multi_instance_wrapper:
            self._failed("multi_instance_wrapper is empty, run 'postmulti -e init' first.")
            return False
        if not settings.multi_instance_enable:
            self._failed("multi_instance_enable!=yes, run 'postmulti -e init' first.")
            return False
        return True

    def _failed(self, text: str) -> int:
        """Show a fatal line as postlog(1) does; return the exit status."""
        print(f"{self._instances.settings.syslog_name}/postlog: fatal: {text}", file=sys.stderr)
        _log(log.fatal, self._instances.settings.syslog_name, text)
        return 1

    # Changing files

    def _set(self, instance: Instance, values: Mapping[str, str]) -> int:
        """Set parameters with postconf(1), which keeps the layout of main.cf; return its exit status."""
        words = [f"{name}={value}" for name, value in values.items()]
        return run_for(instance, ["postconf", "-e", *words], self._instances) if words else 0

    def _naming(self) -> dict[str, str]:
        named = {"multi_instance_name": self._request.name, "multi_instance_group": self._request.group}
        return {name: "" if value == "-" else value for name, value in named.items() if value is not None}

    def _list(self, directories: Sequence[str]) -> int:
        return self._set(self._instances.primary, {"multi_instance_directories": " ".join(directories)})

    def _enrol(self, new: Instance, place: int) -> int:
        """Name the instance in the primary one's main.cf, give it its name, and its folders their owners and modes."""
        directories = [one.config_directory for one in self._instances.members[1:]]
        directories.insert(place - 1, new.config_directory)
        naming = {name: value for name, value in self._naming().items() if value}
        status = self._set(new, naming) or self._list(directories)
        if status:
            return status
        postfix = os.path.join(self._instances.settings.command_directory, "postfix")
        argv = [postfix, "-c", new.config_directory, "post-install", "create-missing", "set-permissions"]
        return run_for(new, argv, self._instances)

    def _forget(self, instance: Instance) -> int:
        return self._list([one.config_directory for one in self._instances.members[1:] if one is not instance])

    def _lay_out(self, new: Instance) -> int:
        """Make the three directories and the two files; return the exit status."""
        meta = self._instances.settings.meta_directory
        for name in _FILES:
            if not os.path.exists(f"{meta}/{name}.proto"):
                return self._failed(f"Missing {name} prototype: {meta}/{name}.proto")
        for directory in (new.config_directory, new.queue_directory, new.data_directory):
            try:
                os.makedirs(directory, 0o755, exist_ok=True)
            except OSError as error:
                print(f"mkdir: cannot create directory '{directory}': {error.strerror}", file=sys.stderr)
                return 1
        for name in _FILES:
            try:
                shutil.copyfile(f"{meta}/{name}.proto", f"{new.config_directory}/{name}")
                os.chmod(f"{new.config_directory}/{name}", 0o644)
            except OSError as error:
                raise CommandError(f"{error.filename}: {error.strerror}") from None
        snapshot = self._instances.snapshot
        shared = {name: snapshot.value(name) for name in _SHARED if snapshot.raw(name) is not None}
        own = {"queue_directory": new.queue_directory, "data_directory": new.data_directory}
        return self._set(new, shared | own | _CLOSED)

    # Removing folders

    def _remove_folders(self, instance: Instance) -> None:
        queue = instance.queue_directory
        tag = instance.name or self._instances.settings.syslog_name
        if not os.path.isdir(queue):
            for _ in ("is it stopped", "its folders"):  # both are questions to its own postfix(1)
                print(f"postfix: fatal: chdir({queue}): No such file or directory", file=sys.stderr)
            return
        for name in sorted(QUEUE_FOLDERS):
            self._remove(f"{queue}/{name}", name, tag)
        for folder in (instance.data_directory, queue):
            self._remove(folder, folder, tag)

    def _remove(self, folder: str, shown: str, tag: str) -> None:
        """Remove an empty folder; warn when it is not."""
        try:
            os.rmdir(folder)
        except OSError as error:
            print(f"rmdir: failed to remove '{shown}': {error.strerror}", file=sys.stderr)
            text = f"{folder}: please verify contents and remove by hand"
            print(f"{tag}/postlog: warning: {text}", file=sys.stderr)
            _log(log.warning, tag, text)


def _is_running(instance: Instance) -> bool:
    try:
        return running_master(instance.queue_directory) is not None
    except LockError:
        return True
    except OSError:
        return False


def _log(write: Callable[[str], None], syslog_name: str, text: str) -> None:
    """Log a line as postlog(1) does; the user has seen it already."""
    tag = log.tag
    log.tag = f"{syslog_name}/postlog"
    log.to_stderr(False)
    try:
        write(text)
    finally:
        log.tag = tag
        log.to_stderr()
