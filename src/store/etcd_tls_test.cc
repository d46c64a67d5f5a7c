// The store over TLS to a real etcd that wants to know its clients: who is who they say, and who is not.
#include <cstdio>
#include <filesystem>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "store/etcd_for_tests.h"
#include "store/etcd_run_for_tests.h"

namespace holdfast::store {
namespace {

struct KeyFree {
  void operator()(EVP_PKEY* key) const { ::EVP_PKEY_free(key); }
};
struct CertificateFree {
  void operator()(X509* certificate) const { ::X509_free(certificate); }
};
using Key = std::unique_ptr<EVP_PKEY, KeyFree>;
using Certificate = std::unique_ptr<X509, CertificateFree>;

struct Identity {
  Key key;
  Certificate certificate;
};

void extend(X509* certificate, int what, const char* value) {
  X509_EXTENSION* extension = ::X509V3_EXT_conf_nid(nullptr, nullptr, what, value);
  check(extension != nullptr, "an extension");
  ::X509_add_ext(certificate, extension, -1);
  ::X509_EXTENSION_free(extension);
}

/// Signed by `issuer`, or by itself: an authority.
Identity make_identity(const char* name, const char* addresses, const Identity* issuer) {
  static long serial = 0;
  Identity made{Key(EVP_EC_gen("P-256")), Certificate(::X509_new())};
  X509* const certificate = made.certificate.get();
  ::X509_set_version(certificate, X509_VERSION_3);
  ::ASN1_INTEGER_set(::X509_get_serialNumber(certificate), ++serial);
  ::X509_gmtime_adj(::X509_getm_notBefore(certificate), -3600);
  ::X509_gmtime_adj(::X509_getm_notAfter(certificate), 3600);
  ::X509_set_pubkey(certificate, made.key.get());
  X509_NAME* const subject = ::X509_get_subject_name(certificate);
  ::X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
  ::X509_set_issuer_name(certificate, issuer ? ::X509_get_subject_name(issuer->certificate.get()) : subject);
  extend(certificate, NID_basic_constraints, issuer ? "critical,CA:FALSE" : "critical,CA:TRUE");
  if (issuer != nullptr) {
    extend(certificate, NID_subject_alt_name, addresses);
    // etcd's gateway shows its own certificate to etcd as a client.
    extend(certificate, NID_ext_key_usage, "serverAuth,clientAuth");
  }
  ::X509_sign(certificate, issuer ? issuer->key.get() : made.key.get(), ::EVP_sha256());
  return made;
}

class EtcdTls : public testing::Test {
 protected:
  void SetUp() override {
    if (!EtcdForTests::installed()) GTEST_SKIP() << EtcdForTests::kNotInstalled;
    folder_ = std::filesystem::temp_directory_path() / "holdfast-tls-XXXXXX";
    ASSERT_NE(::mkdtemp(folder_.data()), nullptr);
    const Identity authority = make_identity("authority", "", nullptr);
    const Identity stranger = make_identity("stranger", "", nullptr);
    save("authority", authority);
    save("stranger", stranger);
    save("client", make_identity("client", "DNS:client", &authority));
    save("foreign", make_identity("foreign", "DNS:client", &stranger));
    save("server", make_identity("server", "IP:127.0.0.1,DNS:localhost", &authority));
    save("elsewhere", make_identity("elsewhere", "IP:10.1.2.3,DNS:elsewhere.example", &authority));
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string file(const std::string& name) const { return folder_ + "/" + name; }
  void save(const std::string& name, const Identity& identity) {
    std::FILE* const certificate = std::fopen(file(name + ".pem").c_str(), "w");
    ::PEM_write_X509(certificate, identity.certificate.get());
    std::fclose(certificate);
    std::FILE* const key = std::fopen(file(name + ".key").c_str(), "w");
    ::PEM_write_PrivateKey(key, identity.key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(key);
  }
  std::vector<std::string> flags(const std::string& server) const {
    return {"--cert-file=" + file(server + ".pem"), "--key-file=" + file(server + ".key"),
            "--trusted-ca-file=" + file("authority.pem"), "--client-cert-auth"};
  }
  EtcdOptions options(const std::string& url, const std::string& authority, const std::string& client) const {
    EtcdOptions options;
    options.endpoints = {url};
    options.tls.authority = file(authority + ".pem");
    if (!client.empty()) {
      options.tls.certificate = file(client + ".pem");
      options.tls.key = file(client + ".key");
    }
    return options;
  }

  std::string folder_;
};

TEST_F(EtcdTls, works_when_both_sides_prove_who_they_are) {
  EtcdForTests etcd(1, flags("server"));
  ASSERT_TRUE(etcd.wait_until_healthy());
  std::string by_name = etcd.tls_url(0);
  by_name.replace(by_name.find("127.0.0.1"), 9, "localhost");
  for (const std::string& url : {etcd.tls_url(0), by_name}) {
    StoreRun run(options(url, "authority", "client"));
    std::unique_ptr<Watch> watch = run.store().watch("", 1);
    const std::string large(kValueBytesMax, 'x');
    const Result<Outcome> outcome = run.commit({{}, {Write::put("a", large)}});
    ASSERT_TRUE(outcome.has_value()) << outcome.error().what;
    EXPECT_EQ(outcome->kind, Outcome::Kind::committed);
    EXPECT_EQ(run.read("")->records.at(0).value, large);
    const Result<Batch> batch = run.next_events(*watch);
    ASSERT_TRUE(batch.has_value()) << batch.error().what;
    EXPECT_EQ(batch->events.at(0).record.value, large);
  }
}

TEST_F(EtcdTls, does_not_talk_to_a_server_that_nobody_it_trusts_vouches_for) {
  EtcdForTests etcd(1, flags("server"));
  ASSERT_TRUE(etcd.wait_until_healthy());
  StoreRun stranger(options(etcd.tls_url(0), "stranger", "client"));
  const Result<View> view = stranger.read("");
  ASSERT_FALSE(view.has_value());
  EXPECT_EQ(view.error().code, Code::denied) << view.error().what;
  const Result<Outcome> outcome = stranger.commit({{}, {Write::put("a", "")}});
  ASSERT_FALSE(outcome.has_value()) << "nothing was sent";
  for (const char* client : {"", "foreign"}) {
    StoreRun unknown(options(etcd.tls_url(0), "authority", client));
    EXPECT_FALSE(unknown.read("", 0, 2s).has_value()) << client;
  }
}

TEST_F(EtcdTls, does_not_talk_to_a_server_that_is_another) {
  EtcdForTests etcd(1, flags("elsewhere"));
  ASSERT_TRUE(etcd.wait_until_healthy());
  StoreRun run(options(etcd.tls_url(0), "authority", "client"));
  const Result<View> view = run.read("");
  ASSERT_FALSE(view.has_value());
  EXPECT_EQ(view.error().code, Code::denied) << view.error().what;
}

TEST_F(EtcdTls, names_the_file_that_cannot_be_used) {
  io::Loop loop;
  const auto words = [&loop](EtcdOptions options) {
    Result<std::unique_ptr<Store>> store = open_etcd(loop, std::move(options));
    return store ? std::string("fine") : store.error().what;
  };
  EtcdOptions good = options("https://127.0.0.1:1", "authority", "client");
  EXPECT_EQ(words(good), "fine");
  EtcdOptions absent = good;
  absent.tls.authority = file("absent");
  EXPECT_NE(words(absent).find(file("absent")), std::string::npos);
  EtcdOptions other_key = good;
  other_key.tls.key = file("server.key");
  EXPECT_NE(words(other_key).find("server.key"), std::string::npos);
  EtcdOptions no_key = good;
  no_key.tls.key.clear();
  EXPECT_NE(words(no_key), "fine");
}

}  // namespace
}  // namespace holdfast::store
