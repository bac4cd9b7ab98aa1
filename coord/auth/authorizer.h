// Who a client is and what its ids may do: schemes world, auth, digest, ip and super. Pure rules over ACL
// lists and ids; the link keeps the ids. Source: Apache's DigestAuthenticationProvider,
// IPAuthenticationProvider, ZooKeeperServer.checkACL and PrepRequestProcessor.fixupACL.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "jute/data.h"

namespace tandem::coord::auth {

inline constexpr std::size_t kIdsPerLinkMax = 16;

struct AuthOptions {
  bool skip_acl = false;            // skipACL=yes
  bool digest_enabled = true;       // zookeeper.DigestAuthenticationProvider.enabled
  std::string digest_alg = "SHA1";  // zookeeper.DigestAuthenticationProvider.digestAlg
  std::string super_digest;         // zookeeper.DigestAuthenticationProvider.superDigest
};

class Authorizer {
 public:
  explicit Authorizer(AuthOptions options) : options_(std::move(options)) {}
  // For the configuration: an algorithm that is not there stops the start.
  base::Status check_options() const;

  // The ids that an auth packet brings; nullopt: refused. `address` is the client's, as text.
  std::optional<std::vector<jute::Id>> authenticate(std::string_view scheme,
                                                    const std::optional<std::string_view>& data,
                                                    std::string_view address) const;

  // Whether any of `ids` has any of the permissions.
  bool permits(const std::vector<jute::ACL>& acl, std::int32_t perms, const std::vector<jute::Id>& ids) const;

  // The list to store for a create or setACL: doubles gone, `auth` replaced by the client's ids; nullopt when
  // it is empty or an entry is not valid (INVALIDACL).
  std::optional<std::vector<jute::ACL>> fixed_up(const std::vector<jute::ACL>& acl,
                                                 const std::vector<jute::Id>& ids) const;

  // What whoAmI shows of an id: without the digest.
  std::string user_of(const jute::Id& id) const;

  // user:base64(hash("user:password")).
  std::optional<std::string> digest_of(std::string_view user_password) const;

 private:
  bool is_valid(const jute::Id& id) const;

  AuthOptions options_;
};

// `addr[/bits]`, IPv4 or IPv6.
bool valid_ip_pattern(std::string_view pattern);
bool ip_matches(std::string_view address, std::string_view pattern);

}  // namespace tandem::coord::auth
