"""What ``postfix tls`` says, returns and makes of main.cf and files.  Source: postfix-tls(1)."""

from __future__ import annotations

import re
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from .scripting import Script, compare

pytestmark = [pytest.mark.reference, pytest.mark.root]

_STAMP = re.compile(r"\d{8}-\d{6}")
_OWN_OPENSSL = re.compile(r"^[0-9A-F]{8,16}:error:|^postfix/postlog: warning: ")
"""What openssl(1) tells of its reasons, and pyfix of the library's."""


class Keys(Script):
    """Runs ``postfix tls`` in a site that has some keys of others already, and shows what came of it."""

    def setup(self, *names: str) -> None:
        """Write keys, each with a certificate: ``rsa`` and ``ec``."""
        for name in names:
            for path, content in MADE[name].items():
                (self.folder / path).write_bytes(content)

    @property
    def folder(self) -> Path:
        return self.site.config_directory

    def tls(self, *words: str, stdout: bool = True) -> None:
        """Run a sub-command; *stdout*: compare what it printed, too."""
        done = self.site.run("postfix", "tls", *words)
        printed = done.stdout if stdout else b""
        lines = [line for line in self.stable(printed + done.stderr) if not _OWN_OPENSSL.search(line)]
        self.said.append((words, done.returncode, [_STAMP.sub("<TIME>", line) for line in lines]))

    def begin(self, text: str = "") -> None:
        """Begin anew, with *text* behind the settings of main.cf that tests need."""
        for path in self.new_files():
            path.unlink()
        self.site.write_main()
        with (self.folder / "main.cf").open("a") as main:
            main.write(text)

    def new_files(self) -> list[Path]:
        """Return the keys and certificates that the command has made."""
        return sorted(path for path in self.folder.iterdir() if _STAMP.search(path.name))

    def main(self) -> None:
        """Remember what main.cf says about TLS."""
        lines = self.stable((self.folder / "main.cf").read_bytes())
        self.said.append(sorted(_STAMP.sub("<TIME>", line) for line in lines if "tls_" in line))

    def files(self) -> None:
        """Remember names, modes and first lines of the new files."""
        for path in self.new_files():
            status = path.stat()
            blocks = re.findall(r"-----BEGIN .*", path.read_text())
            self.said.append(
                (_STAMP.sub("<TIME>", path.name), oct(status.st_mode), status.st_uid, status.st_gid, blocks)
            )

    def certificate(self) -> None:
        """Remember what openssl(1) says about the new certificate and key, and let it check them."""
        certificate = next(path for path in self.new_files() if "cert-" in path.name)
        key = next(path for path in self.new_files() if "key-" in path.name)
        self.said += [described("x509", "-in", str(certificate)), described("pkey", "-in", str(key), "-check")]
        assert openssl("verify", "-CAfile", str(certificate), str(certificate)).endswith(": OK\n")
        of_key, of_certificate = (
            openssl("pkey", "-in", str(key), "-pubout"),
            openssl("x509", "-in", str(certificate), "-noout", "-pubkey"),
        )
        assert of_key == of_certificate


def openssl(*arguments: str, data: bytes = b"") -> str:
    done = subprocess.run(["openssl", *arguments], input=data, capture_output=True, timeout=20, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.decode()


def described(kind: str, *arguments: str, data: bytes = b"") -> list[str]:
    """Return how openssl(1) describes something, without what is new each time, but with the days of validity."""
    text = openssl(kind, "-text", "-noout", *arguments, data=data)
    lines = []
    dates = re.findall(r"Not (?:Before|After ?): ?(.*) GMT", text)
    if dates:
        begin, end = (datetime.strptime(date.strip(), "%b %d %H:%M:%S %Y").replace(tzinfo=UTC) for date in dates)
        assert abs(begin - datetime.now(UTC)) < timedelta(hours=1)
        lines.append(str(end - begin))
    without = re.sub(r"(?m)^\s*(?:[0-9a-fA-F]{2}:)*[0-9a-fA-F]{2}:?$", "", text)  # keys, signatures
    without = re.sub(r"(?:[0-9A-F]{2}:){19}[0-9A-F]{2}|Not (?:Before|After ?):.*|Serial Number:.*", "", without)
    return lines + [line.strip() for line in without.splitlines() if line.strip()]


def make_all() -> dict[str, dict[str, bytes]]:
    made = {}
    for name, *options in (
        ("rsa", "rsa:2048"),
        ("ec", "ec", "-pkeyopt", "ec_paramgen_curve:secp384r1"),
        ("ed", "ed25519"),
    ):
        text = openssl(
            "req", "-x509", "-newkey", *options, "-nodes", "-subj", "/CN=a.example", "-keyout", "-", "-out", "-"
        )
        key, end, certificate = text.partition("-----END PRIVATE KEY-----\n")
        made[name] = {
            f"{name}.key": (key + end).encode(),
            f"{name}.crt": certificate.encode(),
            f"{name}.all": text.encode(),
            f"{name}.reversed": (certificate + key + end).encode(),
        }
    key = made["rsa"]["rsa.key"]
    for name, options in (
        ("encrypted.key", ("-aes128", "-passout", "pass:secret")),
        ("traditional.key", ("-traditional",)),
    ):
        made["rsa"][name] = openssl("rsa", *options, data=key).encode()
    der = subprocess.run(["openssl", "rsa", "-outform", "DER"], input=key, capture_output=True, check=True, timeout=20)
    made["rsa"]["der.key"] = der.stdout
    return made


MADE: dict[str, dict[str, bytes]] = {}


@pytest.fixture(scope="module", autouse=True)
def _made() -> None:
    if not MADE:
        MADE.update(make_all())


USAGE = (
    (), ("nonsense",), ("enable-client", "-z"), ("enable-client", "-r"), ("enable-client", "x"),
    ("all-default-client", "x"), ("all-default-server", "-x"), ("enable-server", "-h"), ("enable-server", "-r"),
    ("enable-server", "-a", "dsa"), ("enable-server", "-a", ""), ("new-server-key", "-r", "x"), ("new-server-key", "-b"),
    ("new-server-key", "-a", "RSA"), ("new-server-cert", "-z"), ("new-server-cert", "-a", "dsa"), ("output-server-csr", "-z"),
    ("output-server-csr", "-k"), ("output-server-tlsa", "-k", "x"), ("deploy-server-cert",), ("deploy-server-cert", "a"),
    ("deploy-server-cert", "--", "a", "b"), ("-v",), ("--", "all-default-client"), ("new-server-key", "-b", "x"),
    ("enable-server", "-a", "ecdsa", "-b", "x"), ("new-server-key", "-b", "100"),
)  # fmt: skip


def test_command_lines_that_make_no_sense() -> None:
    """Each is refused with the reference's text, and nothing is left behind."""

    def case(keys: Keys) -> None:
        for words in USAGE:
            keys.tls(*words)
        keys.main()
        keys.files()

    compare(case, Keys)


def test_client() -> None:
    """TLS of the client is enabled where nobody has decided about it, else there is advice."""

    def case(keys: Keys) -> None:
        keys.tls("all-default-client")
        keys.tls("enable-client", "-r", "dev:/dev/random")
        keys.main()
        keys.tls("all-default-client")
        keys.tls("enable-client")
        keys.main()
        for text in (
            "smtp_tls_security_level =", "smtp_tls_cert_file = none", "smtp_tls_eccert_file = x", "smtp_tls_loglevel = 3",
            "smtp_tls_session_cache_database = btree:/x", "tls_random_source =", "smtp_tls_CAfile = /x",
            "smtp_tls_security_level = $smtp_tls_loglevel", "smtpd_tls_security_level = may",
        ):  # fmt: skip
            keys.begin(f"{text}\n")
            keys.tls("enable-client")
            keys.main()

    compare(case, Keys)


def test_server() -> None:
    """TLS of the server is enabled with a new key and certificate, which serve for what comes after, too."""

    def case(keys: Keys) -> None:
        keys.tls("all-default-server")
        keys.tls("enable-server", "-r", "/dev/random", "a.example", "b.example")
        for show in (keys.main, keys.files, keys.certificate):
            show()
        keys.tls("all-default-server")
        keys.tls("enable-server")
        done = keys.site.run("postfix", "tls", "output-server-csr", "c.example")
        keys.said.append(described("req", "-verify", data=done.stdout))
        keys.tls("output-server-tlsa", stdout=False)
        keys.tls("output-server-tlsa", "ecdsa")
        for text in (
            "smtpd_tls_security_level =", "smtpd_tls_cert_file = x", "smtpd_tls_dcert_file = x", "smtpd_tls_eccert_file = x",
            "smtpd_tls_key_file = x", "smtpd_tls_chain_files = x", "smtpd_tls_CAfile = x",
        ):  # fmt: skip
            keys.begin(f"{text}\n")
            keys.tls("enable-server", "-a", "ecdsa")
            keys.main()
            keys.files()

    compare(case, Keys)


def test_new_keys() -> None:
    """Keys and certificates of each kind, with odd names; openssl(1) can use them."""

    def case(keys: Keys) -> None:
        for words in (
            ("-a", "rsa"), ("-b", "1024", "x.example"), ("-a", "ecdsa", "x.example", "*.example"), ("-a", "ecdsa", "", "y", ""),
            ("-aecdsa", "-b", "secp384r1", "--", "-x"), ("-a", "ecdsa", "-b", "P-521", "a b", "a,b", "DNS:x"),
            ("-a", "ecdsa", "-b", "", "CN=x"),
        ):  # fmt: skip
            keys.begin()
            keys.tls("new-server-key", *words)
            keys.files()
            keys.certificate()
        for host in ("y" * 65, "a/b"):
            keys.begin()
            done = keys.site.run("postfix", "tls", "new-server-key", "-a", "ecdsa", host)
            keys.said.append((done.returncode, done.stderr.splitlines()[-1]))
            keys.files()
        keys.main()

    compare(case, Keys)


def test_files_that_are_there_stay() -> None:
    """A file whose name a new key or certificate would get is not overwritten."""

    def case(keys: Keys) -> None:
        for kind in ("eckey", "eccert"):
            now = time.time()
            for seconds in range(60):
                moment = time.strftime("%Y%m%d-%H%M%S", time.gmtime(now + seconds))
                (keys.folder / f"{kind}-{moment}.pem").touch()
            keys.tls("new-server-key", "-a", "ecdsa")
            keys.tls("enable-server", "-a", "ecdsa")
            keys.said.append(len(keys.new_files()))
            keys.begin()

    compare(case, Keys)


def test_new_certificates() -> None:
    """The key in use is copied, in whatever form; a wrong one is told of, a missing one made."""

    def case(keys: Keys) -> None:
        keys.setup("rsa", "ec", "ed")
        for algorithm, name, value in (
            ("rsa", "key", "/etc/postfix/rsa.key"), ("rsa", "key", "/etc/postfix/der.key"), ("rsa", "key", "/etc/postfix/rsa.reversed"),
            ("ecdsa", "eckey", "/etc/postfix/ec.all"), ("rsa", "key", "/etc/postfix/ec.key"), ("ecdsa", "eckey", "/etc/postfix/rsa.key"),
            ("rsa", "key", "/etc/postfix/encrypted.key"), ("rsa", "key", "/etc/postfix/main.cf"), ("rsa", "key", "rsa.key"),
            ("ecdsa", "eckey", "/nowhere"), ("ecdsa", "eckey", "none"), ("ecdsa", "eccert", "/etc/postfix/ec.all"),
        ):  # fmt: skip
            keys.begin(f"smtpd_tls_{name}_file = {value}\n")
            keys.tls("new-server-cert", "-a", algorithm, "x.example")
            keys.files()
            copied = [path.read_text() for path in keys.new_files() if "key-" in path.name]
            public = [openssl("pkey", "-pubout", data=text.encode()) for text in copied]
            wanted = [openssl("pkey", "-pubout", data=MADE[one][f"{one}.key"]) for one in ("rsa", "ec")]
            keys.said.append([wanted.index(one) if one in wanted else None for one in public])

    compare(case, Keys)


def test_output() -> None:
    """Requests and TLSA records of the same keys are the same, to the last bit where the signature is."""

    def case(keys: Keys) -> None:
        keys.setup("rsa", "ec", "ed")
        names = (
            "rsa.key",
            "rsa.all",
            "rsa.reversed",
            "traditional.key",
            "der.key",
            "ec.key",
            "ed.key",
            "rsa.crt",
            "/nowhere",
        )
        for name in names:
            keys.tls("output-server-tlsa", "-h", "h.example", name, "ec.key")
            keys.tls("output-server-csr", "-k", name, "a.example", "b.example", stdout=not name.startswith("ec"))
        keys.tls("output-server-tlsa", "encrypted.key")
        keys.tls("output-server-tlsa", "-h", "", "/etc/postfix/rsa.key", "rsa")
        keys.tls("output-server-csr", "-k", "", "x.example")
        for text in (
            "smtpd_tls_cert_file = /etc/postfix/rsa.all", "smtpd_tls_key_file = rsa.key", "smtpd_tls_key_file = /etc/postfix/rsa.key",
            "smtpd_tls_eckey_file = /etc/postfix/ec.key\nsmtpd_tls_key_file = $smtpd_tls_eckey_file", "smtpd_tls_key_file = none",
        ):  # fmt: skip
            keys.begin(f"{text}\n")
            keys.tls("output-server-tlsa")
            keys.tls("output-server-tlsa", "ecdsa", "rsa")
            keys.tls("output-server-csr", stdout="rsa.key" in text)

    compare(case, Keys)


def test_deploying() -> None:
    """A certificate and its key go into main.cf if they fit, relative names with the folder."""

    def case(keys: Keys) -> None:
        keys.setup("rsa", "ec", "ed")
        for words in (
            ("rsa.crt", "rsa.key"), ("/etc/postfix/ec.crt", "ec.key"), ("rsa.all", "rsa.all"), ("rsa.crt", "./rsa.reversed"),
            ("rsa.crt", "ec.key"), ("ed.crt", "ed.key"), ("rsa.crt", "encrypted.key"), ("/nowhere", "rsa.key"),
            ("rsa.crt", "/nowhere"), ("main.cf", "rsa.key"), ("rsa.key", "rsa.key"),
        ):  # fmt: skip
            keys.begin()
            keys.tls("deploy-server-cert", *words)
            keys.main()

    compare(case, Keys)


def test_log() -> None:
    """What is shown is logged, too, as the script's."""

    def case(keys: Keys) -> None:
        keys.site.start()
        keys.tls("new-server-key", "-a", "ecdsa")
        keys.tls("nonsense")
        keys.site.wait_for_log(r"fatal: usage: postfix tls")
        found = [re.search(r"(postfix/postfix-tls-script)\[\d+\]: (.*)", line) for line in keys.site.log_lines()]
        keys.said.append([_STAMP.sub("<TIME>", match[2]) for match in found if match])

    assert len(compare(case, Keys)[-1]) == 10
