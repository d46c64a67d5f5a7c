#include "cli/store_output.h"

#include <nlohmann/json.hpp>

namespace holdfast::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string print(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

Json to_json(const store::Record& record) {
  Json json{{"key", record.key}, {"value", record.value}, {"created", record.created}, {"modified", record.modified}};
  if (record.lease != 0) json["lease"] = record.lease;
  return json;
}

}  // namespace

std::string record_json(const store::Record& record) { return print(to_json(record)); }

std::string event_json(const store::Event& event) {
  if (event.kind == store::Event::Kind::put) {
    Json json{{"what", "put"}};
    json.update(to_json(event.record));
    return print(json);
  }
  return print(Json{{"what", "erased"}, {"key", event.record.key}, {"modified", event.record.modified}});
}

std::string event_line(const store::Event& event) {
  const std::string revision = std::to_string(event.record.modified);
  if (event.kind == store::Event::Kind::erased) return revision + " erased " + event.record.key;
  return revision + " put " + event.record.key + ' ' + event.record.value;
}

std::string status_json(const store::StoreStatus& status, std::size_t records) {
  return print(Json{{"engine", status.engine},
                    {"world", status.world},
                    {"revision", status.revision},
                    {"compacted", status.compacted},
                    {"bytes", status.bytes},
                    {"records", records},
                    {"members", status.members}});
}

std::string status_table(const store::StoreStatus& status, std::size_t records) {
  std::string text = "engine     " + status.engine + "\nworld      " + std::to_string(status.world) + "\nrevision   " +
                     std::to_string(status.revision) + "\ncompacted  " + std::to_string(status.compacted) +
                     "\nbytes      " + std::to_string(status.bytes) + "\nrecords    " + std::to_string(records) + '\n';
  for (const std::string& member : status.members) text += "member     " + member + '\n';
  return text;
}

}  // namespace holdfast::cli
