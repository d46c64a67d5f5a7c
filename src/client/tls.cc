#include "client/tls.h"

#include <algorithm>
#include <array>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/check.h"
#include "io/socket_address.h"

namespace holdfast::client {
namespace {

/// The oldest of OpenSSL's reasons, which is the cause of the others; the rest is dropped.
std::string reason() {
  std::array<char, 256> text{};
  const unsigned long code = ::ERR_get_error();
  ::ERR_clear_error();
  if (code == 0) return "no reason given";
  ::ERR_error_string_n(code, text.data(), text.size());
  return text.data();
}

std::unexpected<Error> unusable(const std::string& file) {
  return fail(Code::invalid, Side::local, file + ": " + reason());
}

}  // namespace

TlsSettings::~TlsSettings() { ::SSL_CTX_free(context_); }

Result<std::shared_ptr<TlsSettings>> TlsSettings::load(const TlsFiles& files) {
  ::ERR_clear_error();
  auto settings = std::make_shared<TlsSettings>(::SSL_CTX_new(::TLS_client_method()));
  SSL_CTX* const context = settings->context();
  check(context != nullptr, "OpenSSL has memory");
  ::SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  ::SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  if (files.authority.empty()) {
    if (::SSL_CTX_set_default_verify_paths(context) != 1) return unusable("the authorities of this machine");
  } else if (::SSL_CTX_load_verify_locations(context, files.authority.c_str(), nullptr) != 1) {
    return unusable(files.authority);
  }
  if (files.certificate.empty() != files.key.empty()) {
    return fail(Code::invalid, Side::local, "a certificate needs its key, and a key its certificate");
  }
  if (files.certificate.empty()) return settings;
  if (::SSL_CTX_use_certificate_chain_file(context, files.certificate.c_str()) != 1) return unusable(files.certificate);
  if (::SSL_CTX_use_PrivateKey_file(context, files.key.c_str(), SSL_FILETYPE_PEM) != 1) return unusable(files.key);
  if (::SSL_CTX_check_private_key(context) != 1) return unusable(files.key);
  return settings;
}

Tls::Tls(const TlsSettings& settings, const std::string& host) : ssl_(::SSL_new(settings.context())) {
  check(ssl_ != nullptr, "OpenSSL has memory");
  ::SSL_set_bio(ssl_, ::BIO_new(::BIO_s_mem()), ::BIO_new(::BIO_s_mem()));
  ::SSL_set_connect_state(ssl_);
  if (io::SocketAddress::from_ip(host, 0)) {
    check(::X509_VERIFY_PARAM_set1_ip_asc(::SSL_get0_param(ssl_), host.c_str()) == 1, "an address can be checked");
  } else {
    ::SSL_set_hostflags(ssl_, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    check(::SSL_set1_host(ssl_, host.c_str()) == 1, "a name can be checked");
    SSL_set_tlsext_host_name(ssl_, host.c_str());
  }
}

Tls::~Tls() { ::SSL_free(ssl_); }

std::unexpected<Error> Tls::failed(std::string_view doing) {
  const long verdict = ::SSL_get_verify_result(ssl_);
  if (verdict != X509_V_OK) {
    ::ERR_clear_error();
    return fail(Code::denied, Side::upstream,
                std::string("the server's certificate: ") + ::X509_verify_cert_error_string(verdict));
  }
  return fail(Code::protocol, Side::upstream, reason() + ": " + std::string(doing));
}

Result<bool> Tls::handshake() {
  ::ERR_clear_error();
  const int done = ::SSL_do_handshake(ssl_);
  if (done == 1) return true;
  if (::SSL_get_error(ssl_, done) == SSL_ERROR_WANT_READ) return false;
  return failed("TLS handshake");
}

void Tls::input(std::string_view encrypted) {
  if (encrypted.empty()) return;
  const int taken = ::BIO_write(::SSL_get_rbio(ssl_), encrypted.data(), static_cast<int>(encrypted.size()));
  check(taken == static_cast<int>(encrypted.size()), "a memory BIO takes everything");
}

std::string Tls::output() {
  BIO* const from = ::SSL_get_wbio(ssl_);
  std::string encrypted(::BIO_ctrl_pending(from), '\0');
  if (!encrypted.empty()) ::BIO_read(from, encrypted.data(), static_cast<int>(encrypted.size()));
  return encrypted;
}

Result<> Tls::write(std::string_view bytes) {
  ::ERR_clear_error();
  std::size_t written = 0;
  if (bytes.empty()) return {};
  // A memory BIO is never full, so this writes everything at once.
  if (::SSL_write_ex(ssl_, bytes.data(), bytes.size(), &written) != 1) return failed("TLS write");
  return {};
}

Result<bool> Tls::read(std::string& bytes) {
  constexpr std::size_t kRecordBytes = std::size_t{16} * 1024;
  while (true) {
    ::ERR_clear_error();
    const std::size_t had = bytes.size();
    bytes.resize(had + kRecordBytes);
    std::size_t got = 0;
    const int done = ::SSL_read_ex(ssl_, bytes.data() + had, kRecordBytes, &got);
    bytes.resize(had + got);
    if (done == 1) continue;
    const int error = ::SSL_get_error(ssl_, done);
    if (error == SSL_ERROR_WANT_READ) return true;
    if (error == SSL_ERROR_ZERO_RETURN) return false;
    return failed("TLS read");
  }
}

}  // namespace holdfast::client
