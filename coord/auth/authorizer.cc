#include "coord/auth/authorizer.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>

namespace tandem::coord::auth {

namespace {

// Java's names carry dashes that OpenSSL's lack: SHA-1, SHA-256.
const EVP_MD* algorithm(const std::string& name) {
  if (const EVP_MD* found = EVP_get_digestbyname(name.c_str())) return found;
  std::string plain = name;
  std::erase(plain, '-');
  return EVP_get_digestbyname(plain.c_str());
}

std::string base64(std::string_view bytes) {
  std::string out((bytes.size() + 2) / 3 * 4 + 1, '\0');
  std::array<unsigned char, EVP_MAX_MD_SIZE> raw{};
  std::copy(bytes.begin(), bytes.end(), raw.begin());
  std::vector<unsigned char> text(out.size());
  const int size = EVP_EncodeBlock(text.data(), raw.data(), static_cast<int>(bytes.size()));
  return {text.begin(), text.begin() + size};
}

bool is_world(const jute::Id& id) { return id.scheme == "world" && id.id == "anyone"; }

}  // namespace

base::Status Authorizer::check_options() const {
  if (algorithm(options_.digest_alg) != nullptr) return {};
  return base::make_error(base::Errc::invalid_argument, "digest algorithm '{}' is not known",
                          options_.digest_alg);
}

std::optional<std::string> Authorizer::digest_of(std::string_view user_password) const {
  const EVP_MD* md = algorithm(options_.digest_alg);
  if (md == nullptr) return std::nullopt;
  std::array<unsigned char, EVP_MAX_MD_SIZE> hash{};
  unsigned int size = 0;
  if (EVP_Digest(user_password.data(), user_password.size(), hash.data(), &size, md, nullptr) != 1)
    return std::nullopt;
  const std::string bytes(hash.begin(), hash.begin() + size);
  return std::string(user_password.substr(0, user_password.find(':'))) + ":" + base64(bytes);
}

std::optional<std::vector<jute::Id>> Authorizer::authenticate(std::string_view scheme,
                                                              const std::optional<std::string_view>& data,
                                                              std::string_view address) const {
  std::vector<jute::Id> ids;
  if (scheme == "ip") {
    ids.push_back({"ip", std::string(address)});
    return ids;
  }
  if (scheme != "digest" || !options_.digest_enabled || !data) return std::nullopt;
  auto digest = digest_of(*data);
  if (!digest) return std::nullopt;
  if (!options_.super_digest.empty() && *digest == options_.super_digest) ids.push_back({"super", ""});
  ids.push_back({"digest", std::move(*digest)});
  return ids;
}

bool Authorizer::permits(const std::vector<jute::ACL>& acl, std::int32_t perms,
                         const std::vector<jute::Id>& ids) const {
  if (options_.skip_acl || acl.empty()) return true;
  for (const jute::Id& id : ids) {
    if (id.scheme == "super") return true;
  }
  for (const jute::ACL& entry : acl) {
    if ((entry.perms & perms) == 0) continue;
    if (is_world(entry.id)) return true;
    for (const jute::Id& id : ids) {
      if (id.scheme != entry.id.scheme) continue;
      if (id.scheme == "ip" && ip_matches(id.id, entry.id.id)) return true;
      if (id.scheme == "digest" && options_.digest_enabled && id.id == entry.id.id) return true;
    }
  }
  return false;
}

// Java's split drops empty strings at the end: "user:" is one part, ":x" two.
bool Authorizer::is_valid(const jute::Id& id) const {
  if (id.scheme == "ip") return valid_ip_pattern(id.id);
  if (id.scheme != "digest" || !options_.digest_enabled) return false;
  std::string_view text = id.id;
  while (text.ends_with(':')) text.remove_suffix(1);
  return std::count(text.begin(), text.end(), ':') == 1;
}

std::optional<std::vector<jute::ACL>> Authorizer::fixed_up(const std::vector<jute::ACL>& acl,
                                                           const std::vector<jute::Id>& ids) const {
  std::vector<jute::ACL> out;
  for (auto entry = acl.begin(); entry != acl.end(); ++entry) {
    if (std::find(acl.begin(), entry, *entry) != entry) continue;
    if (entry->id.scheme == "auth") {
      const std::size_t before = out.size();
      for (const jute::Id& id : ids) {  // of the schemes here only digest proves an identity
        if (id.scheme == "digest" && options_.digest_enabled) out.push_back({entry->perms, id});
      }
      if (out.size() == before) return std::nullopt;
    } else if (is_world(entry->id) || is_valid(entry->id)) {
      out.push_back(*entry);
    } else {
      return std::nullopt;
    }
  }
  if (out.empty()) return std::nullopt;
  return out;
}

std::string Authorizer::user_of(const jute::Id& id) const {
  if (id.scheme == "digest" && options_.digest_enabled) return id.id.substr(0, id.id.find(':'));
  return id.scheme == "ip" ? id.id : std::string();
}

}  // namespace tandem::coord::auth
