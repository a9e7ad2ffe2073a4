"""The C declarations of the functions of libssl and libcrypto that pyfix calls; ``bound.py`` is made of them.

``python -m pyfix.runtime.libssl.declarations`` writes it again, which needs the cffi package with its parser; a test
holds the two together.  Source: the manual pages of OpenSSL 3.0, section 3ssl.  What its headers make of macros is
called by the function below, with the numbers in ``names.py``.
"""

from __future__ import annotations

import os
from typing import Final

__all__ = ["DECLARATIONS", "MODULE", "write"]

MODULE: Final = "pyfix.runtime.libssl.bound"

DECLARATIONS: Final = """
typedef struct ssl_st SSL;
typedef struct ssl_ctx_st SSL_CTX;
typedef struct ssl_method_st SSL_METHOD;
typedef struct ssl_session_st SSL_SESSION;
typedef struct ssl_cipher_st SSL_CIPHER;
typedef struct bio_st BIO;
typedef struct bio_method_st BIO_METHOD;
typedef struct x509_st X509;
typedef struct x509_store_st X509_STORE;
typedef struct x509_store_ctx_st X509_STORE_CTX;
typedef struct stack_st OPENSSL_STACK;
typedef struct evp_pkey_st EVP_PKEY;
typedef struct evp_cipher_ctx_st EVP_CIPHER_CTX;
typedef struct evp_cipher_st EVP_CIPHER;
typedef struct evp_md_st EVP_MD;
typedef struct evp_mac_ctx_st EVP_MAC_CTX;
typedef struct ossl_decoder_ctx_st OSSL_DECODER_CTX;
typedef struct conf_st CONF;
typedef struct ossl_init_settings_st OPENSSL_INIT_SETTINGS;
typedef struct {
    const char *key; unsigned int data_type; void *data; size_t data_size; size_t return_size;
} OSSL_PARAM;

const char *OpenSSL_version(int);
unsigned long OpenSSL_version_num(void);
int OPENSSL_init_ssl(uint64_t, const OPENSSL_INIT_SETTINGS *);
int CONF_modules_load_file(const char *, const char *, unsigned long);
void CONF_modules_finish(void);

unsigned long ERR_get_error(void);
void ERR_clear_error(void);
const char *ERR_lib_error_string(unsigned long);
const char *ERR_reason_error_string(unsigned long);

const SSL_METHOD *TLS_method(void);
const SSL_METHOD *TLS_client_method(void);
const SSL_METHOD *TLS_server_method(void);
SSL_CTX *SSL_CTX_new(const SSL_METHOD *);
void SSL_CTX_free(SSL_CTX *);
long SSL_CTX_ctrl(SSL_CTX *, int, long, void *);
long SSL_CTX_callback_ctrl(SSL_CTX *, int, void (*)(void));
uint64_t SSL_CTX_set_options(SSL_CTX *, uint64_t);
uint64_t SSL_CTX_get_options(const SSL_CTX *);
int SSL_CTX_set_cipher_list(SSL_CTX *, const char *);
int SSL_CTX_set_ciphersuites(SSL_CTX *, const char *);
int SSL_CTX_load_verify_locations(SSL_CTX *, const char *, const char *);
int SSL_CTX_set_default_verify_paths(SSL_CTX *);
X509_STORE *SSL_CTX_get_cert_store(const SSL_CTX *);
void SSL_CTX_set_cert_store(SSL_CTX *, X509_STORE *);
void SSL_CTX_set_verify(SSL_CTX *, int, int (*)(int, X509_STORE_CTX *));
void SSL_CTX_set_verify_depth(SSL_CTX *, int);
void SSL_CTX_set_info_callback(SSL_CTX *, void (*)(const SSL *, int, int));
void SSL_CTX_set_msg_callback(SSL_CTX *, void (*)(int, int, int, const void *, size_t, SSL *, void *));
int SSL_CTX_set_session_id_context(SSL_CTX *, const unsigned char *, unsigned int);
long SSL_CTX_set_timeout(SSL_CTX *, long);
void SSL_CTX_sess_set_new_cb(SSL_CTX *, int (*)(SSL *, SSL_SESSION *));
void SSL_CTX_sess_set_get_cb(SSL_CTX *, SSL_SESSION *(*)(SSL *, const unsigned char *, int, int *));
int SSL_CTX_set_num_tickets(SSL_CTX *, size_t);
int SSL_set_num_tickets(SSL *, size_t);
int SSL_CTX_set_tlsext_ticket_key_evp_cb(
    SSL_CTX *, int (*)(SSL *, unsigned char *, unsigned char *, EVP_CIPHER_CTX *, EVP_MAC_CTX *, int));
int SSL_CTX_set0_tmp_dh_pkey(SSL_CTX *, EVP_PKEY *);
int SSL_CTX_use_certificate(SSL_CTX *, X509 *);
int SSL_CTX_use_certificate_chain_file(SSL_CTX *, const char *);
int SSL_CTX_use_PrivateKey(SSL_CTX *, EVP_PKEY *);
int SSL_CTX_use_PrivateKey_file(SSL_CTX *, const char *, int);
int SSL_CTX_check_private_key(const SSL_CTX *);
OPENSSL_STACK *SSL_load_client_CA_file(const char *);
void SSL_CTX_set_client_CA_list(SSL_CTX *, OPENSSL_STACK *);

SSL *SSL_new(SSL_CTX *);
void SSL_free(SSL *);
SSL_CTX *SSL_set_SSL_CTX(SSL *, SSL_CTX *);
void SSL_set_bio(SSL *, BIO *, BIO *);
void SSL_set_accept_state(SSL *);
void SSL_set_connect_state(SSL *);
int SSL_do_handshake(SSL *);
int SSL_read(SSL *, void *, int);
int SSL_write(SSL *, const void *, int);
int SSL_shutdown(SSL *);
int SSL_renegotiate(SSL *);
int SSL_get_error(const SSL *, int);
long SSL_ctrl(SSL *, int, long, void *);
uint64_t SSL_set_options(SSL *, uint64_t);
const char *SSL_state_string_long(const SSL *);
const char *SSL_get_version(const SSL *);
int SSL_version(const SSL *);
const SSL_CIPHER *SSL_get_current_cipher(const SSL *);
const char *SSL_CIPHER_get_name(const SSL_CIPHER *);
int SSL_CIPHER_get_bits(const SSL_CIPHER *, int *);
const char *SSL_group_to_name(SSL *, int);
const char *SSL_get_servername(const SSL *, int);
X509 *SSL_get1_peer_certificate(const SSL *);
X509 *SSL_get_certificate(const SSL *);
long SSL_get_verify_result(const SSL *);
int SSL_CTX_dane_enable(SSL_CTX *);
int SSL_CTX_dane_mtype_set(SSL_CTX *, const EVP_MD *, uint8_t, uint8_t);
unsigned long SSL_CTX_dane_set_flags(SSL_CTX *, unsigned long);
int SSL_dane_enable(SSL *, const char *);
int SSL_dane_tlsa_add(SSL *, uint8_t, uint8_t, uint8_t, const unsigned char *, size_t);
int SSL_get0_dane_authority(SSL *, X509 **, EVP_PKEY **);
int SSL_get0_dane_tlsa(SSL *, uint8_t *, uint8_t *, uint8_t *, const unsigned char **, size_t *);
void SSL_set_hostflags(SSL *, unsigned int);
int SSL_add1_host(SSL *, const char *);
const char *SSL_get0_peername(SSL *);
int SSL_session_reused(const SSL *);
int SSL_set_session(SSL *, SSL_SESSION *);
SSL_SESSION *SSL_get1_session(SSL *);
int SSL_set_session_id_context(SSL *, const unsigned char *, unsigned int);
int SSL_get_ex_data_X509_STORE_CTX_idx(void);

SSL_SESSION *d2i_SSL_SESSION(SSL_SESSION **, const unsigned char **, long);
int i2d_SSL_SESSION(const SSL_SESSION *, unsigned char **);
void SSL_SESSION_free(SSL_SESSION *);
const unsigned char *SSL_SESSION_get_id(const SSL_SESSION *, unsigned int *);
long SSL_SESSION_get_time(const SSL_SESSION *);
long SSL_SESSION_get_timeout(const SSL_SESSION *);
int SSL_SESSION_is_resumable(const SSL_SESSION *);
int SSL_SESSION_has_ticket(const SSL_SESSION *);
int SSL_SESSION_get_protocol_version(const SSL_SESSION *);

BIO *BIO_new(const BIO_METHOD *);
BIO *BIO_new_mem_buf(const void *, int);
const BIO_METHOD *BIO_s_mem(void);
int BIO_read(BIO *, void *, int);
int BIO_write(BIO *, const void *, int);
int BIO_free(BIO *);
int BIO_test_flags(const BIO *, int);
long BIO_ctrl(BIO *, int, long, void *);

X509 *PEM_read_bio_X509(BIO *, X509 **, void *, void *);
EVP_PKEY *PEM_read_bio_PrivateKey(BIO *, EVP_PKEY **, void *, void *);
OSSL_DECODER_CTX *OSSL_DECODER_CTX_new_for_pkey(
    EVP_PKEY **, const char *, const char *, const char *, int, void *, const char *);
int OSSL_DECODER_from_bio(OSSL_DECODER_CTX *, BIO *);
void OSSL_DECODER_CTX_free(OSSL_DECODER_CTX *);
int EVP_PKEY_up_ref(EVP_PKEY *);
void EVP_PKEY_free(EVP_PKEY *);
int X509_up_ref(X509 *);
void X509_free(X509 *);
int i2d_X509(const X509 *, unsigned char **);
int X509_STORE_up_ref(X509_STORE *);
int X509_STORE_CTX_get_error(const X509_STORE_CTX *);
int X509_STORE_CTX_get_error_depth(const X509_STORE_CTX *);
X509 *X509_STORE_CTX_get_current_cert(const X509_STORE_CTX *);
void *X509_STORE_CTX_get_ex_data(const X509_STORE_CTX *, int);
const char *X509_verify_cert_error_string(long);

const EVP_CIPHER *EVP_get_cipherbyname(const char *);
const EVP_MD *EVP_get_digestbyname(const char *);
int EVP_CipherInit_ex(EVP_CIPHER_CTX *, const EVP_CIPHER *, void *, const unsigned char *, const unsigned char *, int);
int EVP_MAC_CTX_set_params(EVP_MAC_CTX *, const OSSL_PARAM *);
int RAND_bytes(unsigned char *, int);
"""


def write(path: str) -> None:
    """Write the module to the file *path*."""
    from cffi import FFI

    builder = FFI()
    builder.cdef(DECLARATIONS)
    builder.set_source(MODULE, None)
    builder.emit_python_code(path)


if __name__ == "__main__":
    write(os.path.join(os.path.dirname(__file__), "bound.py"))
