"""Tables that read their settings from main.cf by name (``ldap:name``) or from a file (``ldap:/file``).

Source: ldap_table(5), mysql_table(5), pgsql_table(5), sqlite_table(5), memcache_table(5), mongodb_table(5).
"""

from __future__ import annotations

from pyfix.commands.postconf.entries import within_braces
from pyfix.commands.postconf.messages import warn
from pyfix.config import main_cf
from pyfix.config.comments import comment_after_text
from pyfix.config.parameter import split_words

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["SUFFIXES", "Check"]

_COMMON = "domain expansion_limit result_format "
_SQL = "additional_conditions dbname query select_field table where_field " + _COMMON

SUFFIXES = {
    "ldap": (
        "bind bind_dn bind_pw cache cache_expiry cache_size chase_referrals debuglevel dereference "
        "leaf_result_attribute query_filter recursion_limit result_attribute result_filter sasl_authz_id sasl_mechs "
        "sasl_minssf sasl_realm scope search_base server_host server_port size_limit special_result_attribute "
        "start_tls terminal_result_attribute timeout tls_ca_cert_dir tls_ca_cert_file tls_cert tls_cipher_suite "
        "tls_key tls_random_file tls_require_cert version " + _COMMON
    ),
    "memcache": (
        "backup data_size_limit domain flags key_digest key_format line_size_limit max_try memcache retry_pause "
        "timeout ttl"
    ),
    "mongodb": "collection dbname projection query_filter result_attribute uri " + _COMMON,
    "mysql": (
        "charset hosts idle_interval option_file option_group password require_result_set retry_interval "
        "tls_CAfile tls_CApath tls_cert_file tls_ciphers tls_key_file tls_verify_cert user " + _SQL
    ),
    "pgsql": "encoding hosts idle_interval password retry_interval select_function user " + _SQL,
    "sqlite": "dbpath " + _SQL,
}
"""Table type to the names that its settings end in."""

_ADAPTERS = ("proxy:", "debug:")


class Check:
    """Looks through values for such tables; each file is looked at once."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._files: set[tuple[str, str]] = set()

    def names(self, value: str, path: str, where: str) -> Iterator[str]:
        """Yield the main.cf names that the tables in *value* read; a word that looks like a comment ends it.

        A table with a file has the file's own names checked, with warnings; ConfigError when it is malformed.  *path*
        is the file that the value is from, *where* the same with the service, for warnings.
        """
        if ":" not in value and "{" not in value and "#" not in value:
            return
        for written in split_words(value):
            if written.startswith("#"):
                warn(f"{path}: {comment_after_text(value, written)}")
                return
            word = written
            while word.startswith(_ADAPTERS):
                word = word.partition(":")[2]
            kind, _, name = word.partition(":")
            if word.startswith("{") or name.startswith("{"):
                inside = within_braces(word if word.startswith("{") else name, where, warn, strip=False)
                yield from self.names(inside, path, where)
                continue
            suffixes = SUFFIXES.get(kind)
            if suffixes is None or not name:
                continue
            if name[0] == "/":
                self._check_file(kind, name, suffixes)
            else:
                yield from (f"{name}_{suffix}" for suffix in suffixes.split())

    def _check_file(self, kind: str, path: str, suffixes: str) -> None:
        if (kind, path) in self._files:
            return
        self._files.add((kind, path))
        try:
            with open(path, "rb") as file:
                text = file.read().decode("utf-8", "surrogateescape")
        except OSError as error:
            warn(f'open "{kind}" configuration "{path}": {error.strerror}')
            return
        known = suffixes.split()
        for name, value in main_cf.parse_assignments(text, path, warn).items():
            if name not in known and not self._quiet:
                warn(f"{kind}:{path}: unused parameter: {name}={value}")
