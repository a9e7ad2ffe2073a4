"""The event loop, processes, sockets and logging; the only importer of Twisted."""
