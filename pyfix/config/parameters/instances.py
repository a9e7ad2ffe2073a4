"""Several mail systems on one host: postmulti(1), MULTI_INSTANCE_README."""

from __future__ import annotations

from pyfix.config.parameter import boolean, text, words
from pyfix.config.snapshot import Settings

__all__ = ["InstanceSettings"]


class InstanceSettings(Settings):
    """Several mail systems on one host: postmulti(1), MULTI_INSTANCE_README."""

    multi_instance_directories = words("")
    multi_instance_enable = boolean("no")
    multi_instance_group = text("")
    multi_instance_name = text("")
    multi_instance_wrapper = text("")
    postmulti_control_commands = words("reload flush")
    postmulti_start_commands = words("start")
    postmulti_stop_commands = words("stop abort drain quick-stop")
