"""TLS: what main.cf says of it as OpenSSL has it, for servers and clients."""
