"""One check a module: each has a function ``check`` that takes an Examination and yields findings."""
