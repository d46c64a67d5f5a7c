// A view of the store in a file of this node: what a process last knew, for a start while the store cannot be reached.
// It replaces the file of before in one step, and a damaged one is told from a good one. Format: docs/formats/store.md.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "base/result.h"
#include "store/record.h"

namespace holdfast::store {

/// Blocks until the bytes are on the disk.
/// Errors: the directory is missing, full or not ours; the file of before stays.
Result<> save_snapshot(const std::filesystem::path& file, const View& view);

/// None if there is no such file.
/// Errors: Code::corrupt: it is damaged, or no snapshot; Code::denied, Code::internal: it cannot be read.
Result<std::optional<View>> load_snapshot(const std::filesystem::path& file);

/// A larger file is not ours.
inline constexpr std::size_t kSnapshotBytesMax = 64 * 1024 * 1024;

// The two halves without a disk.
std::string write_snapshot(const View& view);
Result<View> parse_snapshot(std::string_view text);

}  // namespace holdfast::store
