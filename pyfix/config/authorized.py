"""Whose configuration a program may read that has more rights than its caller.

A set-gid command would otherwise do, with the rights of setgid_group, what a stranger's main.cf says.
Source: postconf(5) alternate_config_directories, multi_instance_directories.
"""

from __future__ import annotations

import os

from pyfix.config import main_cf
from pyfix.config.errors import ConfigError

__all__ = ["check_directory", "has_borrowed_rights"]

_LISTS = ("alternate_config_directories", "multi_instance_directories")


def has_borrowed_rights() -> bool:
    """Tell whether this process has rights that its caller has not.  Root may do anything anyway."""
    user, group = os.getuid(), os.getgid()
    return (user != 0 or os.geteuid() != 0) and (user != os.geteuid() or group != os.getegid())


def check_directory(directory: str, standard: str) -> None:
    """Raise ConfigError unless main.cf in the folder *standard* lists *directory* in one of the two."""
    path = f"{standard}/main.cf"
    try:
        text = main_cf.read_text(path)
    except ConfigError as error:
        raise ConfigError(str(error).replace("open ", "open file ", 1)) from None
    for _number, line in main_cf.logical_lines(text, path, lambda _warning: None):
        assignment = main_cf.split_assignment(line)
        if isinstance(assignment, str) or assignment[0] not in _LISTS:
            continue
        if directory in assignment[1].replace(",", " ").split():
            return
    advice = " or ".join(f'"{name} = {directory}"' for name in _LISTS)
    raise ConfigError(f"specify {advice} in {path}", error=f"unauthorized configuration directory name: {directory}")
