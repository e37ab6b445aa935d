#include "host/record_reader.h"

#include <utility>

#include "host/stored.h"

namespace hansard::host {

Result<void> for_each_record(Store& store, const std::string& aggregate, const std::vector<std::string>& kinds,
                             const std::function<void(const LiveRecord&)>& f, std::uint64_t after_seq) {
  RecordQuery query;
  query.aggregate = aggregate;
  query.kinds = kinds;
  query.after_seq = after_seq;
  while (true) {
    const auto rows = store.records(query);
    if (!rows) return std::unexpected<Error>(rows.error());
    for (const StoredRecord& row : *rows) {
      auto record = decode_record(row);
      if (!record) return pass(record);
      f({row.seq, row.aggregate, row.at, std::move(*record)});
      query.after_seq = row.seq;
    }
    if (rows->size() < query.limit) return {};
  }
}

}  // namespace hansard::host
