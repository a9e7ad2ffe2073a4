"""Laying pyfix out on a machine: launchers, configuration, groups and modes, a first private instance."""
