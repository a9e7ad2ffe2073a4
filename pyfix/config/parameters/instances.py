"""Several mail systems on one host: postmulti(1), MULTI_INSTANCE_README."""

from __future__ import annotations

from pyfix.config.parameter import boolean, text, words
from pyfix.config.snapshot import Settings

__all__ = ["InstanceSettings"]


class InstanceSettings(Settings):
    """Several mail systems on one host: postmulti(1), MULTI_INSTANCE_README."""

    multi_instance_directories = words("")
    """The configuration directories of the other instances on this host, in starting order."""

    multi_instance_enable = boolean("no")
    """Whether postmulti(1) starts this instance."""

    multi_instance_group = text("")
    """The group that postmulti(1) may address this instance by."""

    multi_instance_name = text("")
    """The name of this instance; its programs log under it."""

    multi_instance_wrapper = text("")
    """What ``postfix start`` hands over to when there are several instances."""

    postmulti_control_commands = words("reload flush", readers="postmulti")
    """The postfix(1) commands that postmulti passes to instances only when they run."""

    postmulti_start_commands = words("start", readers="postmulti")
    """The postfix(1) commands that postmulti treats as starting an instance."""

    postmulti_stop_commands = words("stop abort drain quick-stop", readers="postmulti")
    """The postfix(1) commands that postmulti treats as stopping an instance, in reverse order."""
