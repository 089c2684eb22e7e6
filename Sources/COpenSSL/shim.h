#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdbool.h>

// Swift imports no macro that takes arguments, nor what is made with one; these stand for the ones in use.
static const uint64_t openssl_no_compression = SSL_OP_NO_COMPRESSION;
static const uint64_t openssl_no_renegotiation = SSL_OP_NO_RENEGOTIATION;
static inline int openssl_set_minimum_version(SSL_CTX *context, int version) {
    return SSL_CTX_set_min_proto_version(context, version);
}
static inline void openssl_release_idle_buffers(SSL_CTX *context) {
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
}
static inline void openssl_keep_no_sessions(SSL_CTX *context) {
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
}
static inline int openssl_add_to_chain(SSL_CTX *context, X509 *certificate) {
    return (int)SSL_CTX_add1_chain_cert(context, certificate);
}
static inline bool openssl_is_end_of_pem(unsigned long error) {
    return ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
}
// The bytes of a memory BIO, which keeps them.
static inline size_t openssl_bytes(BIO *bio, char **bytes) { return (size_t)BIO_get_mem_data(bio, bytes); }
static inline void openssl_clear(BIO *bio) { (void)BIO_reset(bio); }
static inline int openssl_name_count(const GENERAL_NAMES *names) { return sk_GENERAL_NAME_num(names); }
static inline GENERAL_NAME *openssl_name(const GENERAL_NAMES *names, int index) {
    return sk_GENERAL_NAME_value(names, index);
}
// Tells the server which of its names is asked for.
static inline void openssl_ask_for_name(SSL *ssl, const char *name) { (void)SSL_set_tlsext_host_name(ssl, name); }
