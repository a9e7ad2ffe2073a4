"""Laying pyfix out on a machine: launchers, the set-gid launcher, configuration, groups and modes, a first private instance."""
