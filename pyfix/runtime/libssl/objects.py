"""The library's contexts and connections, freed when nobody has them any more.

A connection talks through buffers in memory: it never sees a descriptor.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple
from weakref import WeakValueDictionary

from cryptography import x509

from pyfix.runtime.libssl import names
from pyfix.runtime.libssl.library import ffi, lib, library_problems, text_of

__all__ = ["Connection", "Context", "DaneMatch", "TlsError", "certificate_of", "connection_of", "read_buffer"]


class TlsError(Exception):
    """The library could not do it; the text is what it says of that."""


def _check(done: int) -> None:
    """Raise TlsError for what the library did not do."""
    if done != 1:
        raise TlsError("; ".join(library_problems()) or "unknown reason")


class Context:
    """What connections share: keys, authorities, parameters, callbacks."""

    def __init__(self) -> None:
        lib.ERR_clear_error()
        made = lib.SSL_CTX_new(lib.TLS_method())
        if made == ffi.NULL:
            raise TlsError("; ".join(library_problems()))
        self.handle: Final[Any] = ffi.gc(made, lib.SSL_CTX_free)
        """The library's object."""
        self._kept: dict[str, Any] = {}
        """Callbacks, which live as long as the context does."""

    def set_options(self, bits: int) -> None:
        """Add options to those that are set."""
        lib.SSL_CTX_set_options(self.handle, bits)

    def set_cipher_list(self, ciphers: bytes) -> None:
        """Allow these ciphers before TLS 1.3.  Raises TlsError."""
        _check(lib.SSL_CTX_set_cipher_list(self.handle, ciphers))

    def set_versions(self, lowest: int, highest: int) -> None:
        """Allow versions of the protocol between these two; 0 stands for no limit."""
        lib.SSL_CTX_ctrl(self.handle, names.CTRL_SET_MIN_PROTO_VERSION, lowest, ffi.NULL)
        lib.SSL_CTX_ctrl(self.handle, names.CTRL_SET_MAX_PROTO_VERSION, highest, ffi.NULL)

    def set_groups(self, text: str) -> bool:
        """Offer these groups for the key exchange, with colons between them; tell whether all are known."""
        argument = ffi.new("char[]", text.encode("ascii", "replace"))
        done = lib.SSL_CTX_ctrl(self.handle, names.CTRL_SET_GROUPS_LIST, 0, argument)
        lib.ERR_clear_error()
        return bool(done == 1)

    def set_dh_parameters(self, parameters: Any) -> bool:
        """Use parameters (the library's object) for the finite-field exchange; tell whether they are good."""
        lib.EVP_PKEY_up_ref(parameters)
        if lib.SSL_CTX_set0_tmp_dh_pkey(self.handle, parameters) == 1:
            return True
        lib.EVP_PKEY_free(parameters)
        return False

    def enable_dane(self) -> None:
        """Let connections be verified by TLSA records.  Raises TlsError."""
        _check(lib.SSL_CTX_dane_enable(self.handle))
        lib.SSL_CTX_dane_set_flags(self.handle, names.DANE_FLAG_NO_DANE_EE_NAMECHECKS)

    def set_dane_digest(self, number: int, name: str, rank: int) -> None:
        """Let TLSA records have a digest with this number, preferred by its rank; without a name they may not."""
        digest = lib.EVP_get_digestbyname(name.encode()) if name else ffi.NULL
        lib.SSL_CTX_dane_mtype_set(self.handle, digest, number, rank)

    def choose_dh_parameters(self) -> None:
        """Let the library choose parameters as strong as the other keys of a session."""
        lib.SSL_CTX_ctrl(self.handle, names.CTRL_SET_DH_AUTO, 1, ffi.NULL)

    def add_to_chain(self, certificate: Any) -> bool:
        """Send a certificate (the library's object, which is taken over) with those of all keys."""
        return bool(lib.SSL_CTX_ctrl(self.handle, names.CTRL_EXTRA_CHAIN_CERT, 0, certificate) == 1)

    def set_default_verify_paths(self) -> None:
        """Trust the machine's authorities."""
        lib.SSL_CTX_set_default_verify_paths(self.handle)

    def load_client_authorities(self, file: str) -> None:
        """Name the authorities in *file* to clients that are asked for a certificate."""
        found = lib.SSL_load_client_CA_file(file.encode("utf-8", "surrogateescape"))
        if found == ffi.NULL:
            raise TlsError("; ".join(library_problems()))
        lib.SSL_CTX_set_client_CA_list(self.handle, found)

    def set_verify(self, mode: int, callback: Any) -> None:
        """Ask the peer for a certificate; *callback* is one of the library's form or NULL."""
        self._kept["verify"] = callback
        lib.SSL_CTX_set_verify(self.handle, mode, callback)

    def set_verify_depth(self, depth: int) -> None:
        """Allow chains of that many certificates."""
        lib.SSL_CTX_set_verify_depth(self.handle, depth)

    def set_session_id(self, name: bytes) -> None:
        """Say whose sessions these are: those of other names are not resumed."""
        _check(lib.SSL_CTX_set_session_id_context(self.handle, name, len(name)))

    def set_timeout(self, seconds: int) -> None:
        """Let sessions be resumed for that long."""
        lib.SSL_CTX_set_timeout(self.handle, seconds)

    def set_session_cache_mode(self, mode: int) -> None:
        """Say what is kept: see names.SESS_CACHE_*."""
        lib.SSL_CTX_ctrl(self.handle, names.CTRL_SET_SESS_CACHE_MODE, mode, ffi.NULL)

    def on_new_session(self, told: Callable[[Connection, Any], None]) -> None:
        """Let *told* hear of each session that can be resumed; the library's object is the library's."""

        def tell(ssl: Any, session: Any) -> int:
            told(connection_of(ssl), session)
            return 0  # it keeps nothing

        callback = self._kept["new"] = ffi.callback("int (*)(SSL *, SSL_SESSION *)", tell)
        lib.SSL_CTX_sess_set_new_cb(self.handle, callback)

    def on_wanted_session(self, find: Callable[[Connection, bytes], Any]) -> None:
        """Let *find* give the session of an id that a client wants to resume, the library's object or NULL."""

        def found(ssl: Any, name: Any, size: int, copies: Any) -> Any:
            copies[0] = 0
            return find(connection_of(ssl), ffi.buffer(name, size)[:])

        callback = self._kept["get"] = ffi.callback(
            "SSL_SESSION *(*)(SSL *, const unsigned char *, int, int *)", found
        )
        lib.SSL_CTX_sess_set_get_cb(self.handle, callback)

    def on_ticket(self, seal: Callable[[Connection, Any, Any, Any, Any, bool], int]) -> None:
        """Let *seal* choose the key of a ticket.  Source: SSL_CTX_set_tlsext_ticket_key_evp_cb(3ssl)."""

        def choose(ssl: Any, name: Any, vector: Any, cipher: Any, mac: Any, makes: int) -> int:
            return seal(connection_of(ssl), name, vector, cipher, mac, bool(makes))

        callback = self._kept["ticket"] = ffi.callback(
            "int (*)(SSL *, unsigned char *, unsigned char *, EVP_CIPHER_CTX *, EVP_MAC_CTX *, int)", choose, error=-1
        )
        lib.SSL_CTX_set_tlsext_ticket_key_evp_cb(self.handle, callback)

    def on_server_name(self, choose: Callable[[Any, Any, Any], int]) -> None:
        """Let *choose* hear the name that a client asks for (SNI), and answer with names.TLSEXT_ERR_*."""
        callback = self._kept["name"] = ffi.callback(
            "int (*)(SSL *, int *, void *)", choose, error=names.TLSEXT_ERR_ALERT_FATAL
        )
        lib.SSL_CTX_callback_ctrl(
            self.handle, names.CTRL_SET_TLSEXT_SERVERNAME_CB, ffi.cast("void (*)(void)", callback)
        )

    def on_state(self, told: Callable[[Connection, int, int], None]) -> None:
        """Let *told* follow each step.  Source: SSL_CTX_set_info_callback(3ssl)."""
        callback = self._kept["state"] = ffi.callback(
            "void (*)(const SSL *, int, int)", lambda ssl, where, result: told(connection_of(ssl), where, result)
        )
        lib.SSL_CTX_set_info_callback(self.handle, callback)

    def on_message(self, told: Callable[..., None]) -> None:
        """Let *told* see each message.  Source: SSL_CTX_set_msg_callback(3ssl)."""
        callback = self._kept["message"] = ffi.callback(
            "void (*)(int, int, int, const void *, size_t, SSL *, void *)", told
        )
        lib.SSL_CTX_set_msg_callback(self.handle, callback)


class DaneMatch(NamedTuple):
    """The TLSA record that a certificate of the peer's agrees with."""

    depth: int
    """How far above the peer's own certificate the one stands that the record is about."""
    usage: int
    selector: int
    matching: int
    association: bytes
    name: str
    """The name of the certificate that was wanted, empty where none is."""


_RECORD: Final = 16384
"""The most that one record holds."""
_room: Final = ffi.new("char[]", _RECORD)
_connections: Final[WeakValueDictionary[int, Connection]] = WeakValueDictionary()


def connection_of(ssl: Any) -> Connection:
    """Return the connection of an object of the library's, which its callbacks give."""
    return _connections[int(ffi.cast("uintptr_t", ssl))]


class Connection:
    """One session."""

    __slots__ = ("__weakref__", "_context", "data", "handle", "input", "output")

    def __init__(self, context: Context) -> None:
        made = lib.SSL_new(context.handle)
        if made == ffi.NULL:
            raise TlsError("; ".join(library_problems()))
        self.handle: Final[Any] = ffi.gc(made, lib.SSL_free)
        """The library's object."""
        self._context = context
        self.data: Any = None
        """What callbacks want to find."""
        self.input: Final[Any] = lib.BIO_new(lib.BIO_s_mem())
        """The library's buffer of what the peer has sent."""
        self.output: Final[Any] = lib.BIO_new(lib.BIO_s_mem())
        """The library's buffer of what the peer is to get."""
        for buffer in (self.input, self.output):
            lib.BIO_ctrl(buffer, names.BIO_C_SET_BUF_MEM_EOF_RETURN, -1, ffi.NULL)
        lib.SSL_set_bio(self.handle, self.input, self.output)  # which takes them over
        _connections[self.address] = self

    @property
    def address(self) -> int:
        """Where the library's object is: what it is known by."""
        return int(ffi.cast("uintptr_t", self.handle))

    def accepts(self) -> None:
        """Be the server."""
        lib.SSL_set_accept_state(self.handle)

    def connects(self) -> None:
        """Be the client."""
        lib.SSL_set_connect_state(self.handle)

    def give_no_ticket(self) -> None:
        """Be a server whose sessions are not resumed by tickets, but at most by an id that stands for them."""
        lib.SSL_set_options(self.handle, names.OP_NO_TICKET)

    def use(self, context: Context) -> None:
        """Go on with the keys of another context."""
        lib.SSL_set_SSL_CTX(self.handle, context.handle)
        self._context = context

    def enable_dane(self, base_domain: str, others: Sequence[str]) -> None:
        """Be verified by TLSA records below *base_domain*; *others* are more names of the server.  Raises TlsError."""
        _check(lib.SSL_dane_enable(self.handle, base_domain.encode("ascii", "replace")))
        lib.SSL_set_hostflags(self.handle, names.CHECK_FLAG_NO_PARTIAL_WILDCARDS)
        for name in others:
            _check(lib.SSL_add1_host(self.handle, name.encode("ascii", "replace")))

    def add_tlsa(self, usage: int, selector: int, matching: int, association: bytes) -> bool:
        """Add a TLSA record; tell whether the library can use it."""
        done = lib.SSL_dane_tlsa_add(self.handle, usage, selector, matching, association, len(association))
        lib.ERR_clear_error()
        return bool(done > 0)

    def dane_match(self) -> DaneMatch | None:
        """Return which record the certificates agree with, None for none or where another thing is wrong with them."""
        depth = lib.SSL_get0_dane_authority(self.handle, ffi.NULL, ffi.NULL)
        if depth < 0 or self.verify_result != 0:
            return None
        numbers = [ffi.new("uint8_t *") for _ in range(3)]
        data, size = ffi.new("const unsigned char **"), ffi.new("size_t *")
        if lib.SSL_get0_dane_tlsa(self.handle, *numbers, data, size) < 0:
            return None
        name = text_of(lib.SSL_get0_peername(self.handle))
        usage, selector, matching = (int(number[0]) for number in numbers)
        return DaneMatch(depth, usage, selector, matching, ffi.buffer(data[0], size[0])[:], name)

    def ask_for(self, name: str) -> None:
        """Tell the server which name is wanted (SNI)."""
        text = ffi.new("char[]", name.encode("ascii", "replace"))
        lib.SSL_ctrl(self.handle, names.CTRL_SET_TLSEXT_HOSTNAME, names.TLSEXT_NAMETYPE_HOST_NAME, text)

    def receive(self, data: bytes) -> None:
        """Give the library what the peer has sent."""
        lib.BIO_write(self.input, data, len(data))

    def take_output(self) -> bytes:
        """Return what the peer is to get."""
        parts = []
        while (count := lib.BIO_read(self.output, _room, _RECORD)) > 0:
            parts.append(ffi.buffer(_room, count)[:])
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def shake_hands(self) -> bool:
        """Do what can be done of the handshake; tell whether it is complete.  Raises TlsError."""
        lib.ERR_clear_error()
        result = lib.SSL_do_handshake(self.handle)
        if result != 1 and lib.SSL_get_error(self.handle, result) != names.SSL_ERROR_WANT_READ:
            raise TlsError("; ".join(library_problems()))
        return bool(result == 1)

    def decrypt(self) -> bytes:
        """Return what has come, of all records that are whole."""
        parts = []
        while (count := lib.SSL_read(self.handle, _room, _RECORD)) > 0:
            parts.append(ffi.buffer(_room, count)[:])
        lib.ERR_clear_error()
        return b"".join(parts)

    def encrypt(self, data: bytes) -> None:
        """Make records of *data*; all of it fits, as they go into memory.  Raises TlsError."""
        if data and lib.SSL_write(self.handle, data, len(data)) <= 0:
            raise TlsError("; ".join(library_problems()) or "the session is over")

    def say_goodbye(self) -> None:
        """Make the record that ends the session, as far as it can be said any more."""
        lib.SSL_shutdown(self.handle)
        lib.ERR_clear_error()

    @property
    def waits_for_input(self) -> bool:
        """Whether the library has only run out of what the peer has sent, and more may come."""
        return bool(lib.BIO_test_flags(self.input, names.BIO_FLAGS_SHOULD_RETRY))

    # What is known of it

    @property
    def state(self) -> str:
        """The step of the handshake, in the library's words."""
        return text_of(lib.SSL_state_string_long(self.handle))

    @property
    def asked_name(self) -> str:
        """The name that the client asks for, empty for none."""
        found = lib.SSL_get_servername(self.handle, names.TLSEXT_NAMETYPE_HOST_NAME)
        return "" if found == ffi.NULL else str(ffi.string(found).decode("utf-8", "surrogateescape"))

    @property
    def protocol(self) -> str:
        """``TLSv1.3``."""
        return text_of(lib.SSL_get_version(self.handle))

    @property
    def cipher(self) -> tuple[str, int, int]:
        """The name of the cipher, the bits of its key that are used, and the bits of its algorithm."""
        found = lib.SSL_get_current_cipher(self.handle)
        if found == ffi.NULL:
            return "", 0, 0
        whole = ffi.new("int *")
        used = lib.SSL_CIPHER_get_bits(found, whole)
        return text_of(lib.SSL_CIPHER_get_name(found)), int(used), int(whole[0])

    @property
    def group(self) -> str:
        """The named group of the key exchange, ``x25519``; empty when there was none."""
        number = lib.SSL_ctrl(self.handle, names.CTRL_GET_NEGOTIATED_GROUP, 0, ffi.NULL)
        return text_of(lib.SSL_group_to_name(self.handle, number)) if number else ""

    @property
    def peer_certificate(self) -> x509.Certificate | None:
        """What the peer has shown."""
        found = lib.SSL_get1_peer_certificate(self.handle)
        return None if found == ffi.NULL else certificate_of(ffi.gc(found, lib.X509_free))

    @property
    def own_certificate(self) -> x509.Certificate | None:
        """What we have shown."""
        found = lib.SSL_get_certificate(self.handle)
        return None if found == ffi.NULL else certificate_of(found)

    @property
    def verify_result(self) -> int:
        """The library's number of what is wrong with the peer's certificate; 0: nothing."""
        return int(lib.SSL_get_verify_result(self.handle))

    @property
    def resumed(self) -> bool:
        """Whether an earlier session goes on."""
        return bool(lib.SSL_session_reused(self.handle))


def certificate_of(found: Any) -> x509.Certificate:
    """Return a certificate of the library's as one of the cryptography library's."""
    size = lib.i2d_X509(found, ffi.NULL)
    room = ffi.new("unsigned char[]", size)
    at = ffi.new("unsigned char **", room)
    lib.i2d_X509(found, at)
    return x509.load_der_x509_certificate(ffi.buffer(room, size)[:])


def read_buffer(content: bytes) -> Any:
    """Return a buffer of the library's that has *content*."""
    made = ffi.gc(lib.BIO_new(lib.BIO_s_mem()), lib.BIO_free)
    lib.BIO_write(made, content, len(content))
    return made
