#include "coord/storage/snapshot_file.h"

#include "base/check.h"
#include "bytes/writer.h"
#include "coord/storage/snapshot_stream.h"
#include "jute/codec.h"

namespace tandem::coord::storage {

using base::Result;
using base::Status;

namespace {

void encode_string(bytes::Writer& writer, std::string_view text) {
  writer.i32(static_cast<std::int32_t>(text.size()));
  writer.bytes(text);
}

}  // namespace

void encode_session_count(std::string& out, std::size_t count) {
  bytes::Writer(out).i32(static_cast<std::int32_t>(count));
}

void encode_session(std::string& out, jute::SessionId id, std::int32_t timeout_ms) {
  bytes::Writer writer(out);
  writer.i64(id.value);
  writer.i32(timeout_ms);
}

void encode_acl_count(std::string& out, std::size_t count) {
  bytes::Writer(out).i32(static_cast<std::int32_t>(count));
}

void encode_acl(std::string& out, std::int64_t id, const std::vector<jute::ACL>& acl) {
  bytes::Writer writer(out);
  writer.i64(id);
  writer.i32(static_cast<std::int32_t>(acl.size()));
  for (const jute::ACL& each : acl) jute::encode(out, each);
}

void encode_encoded_acl(std::string& out, std::int64_t id, std::string_view acl) {
  bytes::Writer writer(out);
  writer.i64(id);
  writer.bytes(acl);
}

void encode_node(std::string& out, const SnapshotNode& node) {
  bytes::Writer writer(out);
  encode_string(writer, node.path);
  if (node.data) {
    encode_string(writer, *node.data);
  } else {
    writer.i32(-1);
  }
  writer.i64(node.acl_id);
  const jute::StatPersisted& stat = node.stat;  // by hand: this runs a million times on the request thread
  writer.i64(stat.czxid.value);
  writer.i64(stat.mzxid.value);
  writer.i64(stat.ctime);
  writer.i64(stat.mtime);
  writer.i32(stat.version);
  writer.i32(stat.cversion);
  writer.i32(stat.aversion);
  writer.i64(stat.ephemeral_owner);
  writer.i64(stat.pzxid.value);
}

SnapshotWriter::SnapshotWriter(fs::Disk& disk, SnapshotOptions options, std::string path)
    : disk_(disk), options_(std::move(options)), path_(std::move(path)), temporary_(path_ + ".tmp") {}

Result<std::unique_ptr<SnapshotWriter>> SnapshotWriter::create(fs::Disk& disk, const SnapshotOptions& options,
                                                               Zxid zxid) {
  std::string path = fs::join(options.directory, snapshot_name(zxid, options.compression));
  std::unique_ptr<SnapshotWriter> writer(new SnapshotWriter(disk, options, std::move(path)));
  auto file = disk.open(writer->temporary_, fs::OpenMode::create);
  if (!file) return file.error();
  if (auto status = (*file)->truncate(0); !status) return status.error();
  writer->file_ = std::move(*file);
  writer->output_ = std::make_unique<SnapshotOutput>(*writer->file_, options.compression, options.past_cache);
  if (auto status = writer->write(encode_file_header(kSnapshotMagic, kSnapshotDbId)); !status)
    return status.error();
  return writer;
}

SnapshotWriter::~SnapshotWriter() {
  if (!finished_ && file_ != nullptr) static_cast<void>(disk_.unlink(temporary_));  // purge finds what stays
}

Status SnapshotWriter::write(std::string_view raw) { return output_->write(raw); }

std::uint64_t SnapshotWriter::file_bytes() const { return output_->file_bytes(); }

Status SnapshotWriter::seal() {
  std::string out;
  bytes::Writer writer(out);
  writer.i64(output_->checksum());
  encode_string(writer, "/");
  return write(out);
}

Status SnapshotWriter::finish(const SnapshotTrailer& trailer) {
  ENSURE(!finished_);
  std::string out;
  bytes::Writer writer(out);
  encode_string(writer, "/");
  if (auto status = write(out); !status) return status;
  if (auto status = seal(); !status) return status;
  if (trailer.digest) {
    out.clear();
    writer.i64(trailer.digest->zxid.value);
    writer.i32(trailer.digest->version);
    writer.i64(trailer.digest->digest);
    if (auto status = write(out); !status) return status;
    if (auto status = seal(); !status) return status;
  }
  if (trailer.last_processed) {
    out.clear();
    writer.i64(trailer.last_processed->value);
    if (auto status = write(out); !status) return status;
    if (auto status = seal(); !status) return status;
  }
  if (auto status = output_->finish(); !status) return status;
  if (auto status = file_->sync(); !status) return status;
  if (auto status = disk_.rename(temporary_, path_); !status) return status;
  finished_ = true;
  return disk_.sync_dir(options_.directory);
}

}  // namespace tandem::coord::storage
