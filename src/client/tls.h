// TLS for a client: bytes to encrypted bytes and back, without any socket. The server must prove by the given authority
// that it is who we meant to reach, by name or by IP address. TLS 1.2 at least (RFC 9325).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/pinned.h"
#include "base/result.h"

struct ssl_ctx_st;
struct ssl_st;

namespace holdfast::client {

struct TlsFiles {
  std::string authority;    ///< PEM: who vouches for servers; empty: those that the machine trusts
  std::string certificate;  ///< PEM: who we are, with its chain; empty: we do not say
  std::string key;          ///< PEM: of `certificate`
};

/// What connections have in common; files are read once.
class TlsSettings : Pinned {
 public:
  /// Errors: Code::invalid, with the file and what is wrong with it.
  static Result<std::shared_ptr<TlsSettings>> load(const TlsFiles& files);
  explicit TlsSettings(ssl_ctx_st* context) : context_(context) {}
  ~TlsSettings();

  ssl_ctx_st* context() const { return context_; }

 private:
  ssl_ctx_st* context_;
};

/// One connection. Whatever is called, output() may have something to send afterwards.
class Tls : Pinned {
 public:
  /// `host` is a name or an IP address, and what the server's certificate must speak of.
  Tls(const TlsSettings& settings, const std::string& host);
  ~Tls();

  /// Goes on with the handshake; true when it has ended. Begin with it, and call it again after input().
  /// Errors: Code::denied: the server could not prove who it is, or refuses us; Code::protocol.
  Result<bool> handshake();
  /// What came from the server.
  void input(std::string_view encrypted);
  /// What must go to the server.
  std::string output();
  /// Requires: the handshake has ended.
  Result<> write(std::string_view bytes);
  /// Adds to `bytes` what can be read; false when the server has ended its direction.
  Result<bool> read(std::string& bytes);

 private:
  std::unexpected<Error> failed(std::string_view doing);

  ssl_st* ssl_;
};

}  // namespace holdfast::client
