"""OpenSSL as the machine has it: its functions, and its contexts and connections as objects."""


class NoLibrary(ImportError):
    """The machine has no OpenSSL of a release that we know; raised by the import of what needs it."""
