// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/host/sysfs.h"

#include "block/base/file_descriptor.h"
#include "block/base/size.h"

#include <charconv>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <limits>
#include <optional>
#include <sys/sysmacros.h>
#include <unistd.h>

namespace zoneio {

namespace {

/// Reads the attributes in a `queue` directory. After the first error, which is kept, results are undefined.
class AttributeReader {
public:
    explicit AttributeReader(std::string directory) : directory_(std::move(directory)) {}

    Status take_status() { return std::move(status_); }

    /// The text without its newline; empty if the attribute does not exist.
    std::optional<std::string> text(std::string_view name) {
        const FileDescriptor file(::open(path(name).c_str(), O_RDONLY | O_CLOEXEC));
        // The attributes read here are a few digits or one word; longer ones are invalid.
        char buffer[64];
        const ssize_t length = file.valid() ? ::read(file.get(), buffer, sizeof(buffer)) : -1;
        if (length < 0) {
            const bool is_missing = !file.valid() && (errno == ENOENT || errno == ENOTDIR);
            if (!is_missing) {
                fail(errno, fmt::format("Cannot read '{}': {}", path(name), strerror(errno)));
            }
            return std::nullopt;
        }
        std::string_view text(buffer, static_cast<size_t>(length));
        if (text.ends_with('\n')) {
            text.remove_suffix(1);
        }
        return std::string(text);
    }

    /// A number; 0 if the attribute does not exist.
    template <typename T>
    void optional(std::string_view name, T& value) {
        (void)number(name, value);
    }

    /// A number other than 0, times `unit`.
    template <typename T>
    void required(std::string_view name, T& value, T unit = 1) {
        if (!number(name, value)) {
            fail(ENOENT, fmt::format("A zoned device needs '{}', which is missing", path(name)));
        } else if (value == 0 || value > std::numeric_limits<T>::max() / unit) {
            fail(EINVAL, fmt::format("'{}' of a zoned device cannot be {}", path(name), value));
        }
        value *= unit;
    }

    void malformed(std::string_view name, std::string_view text) {
        fail(EINVAL, fmt::format("'{}' makes no sense: '{}'", path(name), text));
    }

private:
    std::string path(std::string_view name) const { return fmt::format("{}/{}", directory_, name); }

    void fail(int error, std::string text) {
        if (status_.ok()) {
            status_ = Status::error(error, std::move(text));
        }
    }

    /// False if the attribute does not exist.
    template <typename T>
    bool number(std::string_view name, T& value) {
        const std::optional<std::string> shown = text(name);
        if (!shown) {
            return !status_.ok();
        }
        const char* const end = shown->data() + shown->size();
        const auto [stop, error] = std::from_chars(shown->data(), end, value);
        if (error != std::errc() || stop != end) {
            malformed(name, *shown);
        }
        return true;
    }

    std::string directory_;
    Status status_;
};

std::optional<ZonedModel> model_of(std::string_view word) {
    if (word == "none") {
        return ZonedModel::none;
    }
    if (word == "host-managed") {
        return ZonedModel::host_managed;
    }
    if (word == "host-aware") {
        return ZonedModel::host_aware;
    }
    return std::nullopt;
}

} // namespace

Result<QueueAttributes> queue_attributes(dev_t device, const std::string& root) {
    const std::string directory = fmt::format("{}/dev/block/{}:{}", root, major(device), minor(device));
    QueueAttributes attributes;
    attributes.is_partition = access((directory + "/partition").c_str(), F_OK) == 0;
    // The directory of a partition is inside that of its device.
    AttributeReader queue(directory + (attributes.is_partition ? "/../queue" : "/queue"));

    const std::optional<std::string> model = queue.text("zoned");
    if (model) {
        const std::optional<ZonedModel> known = model_of(*model);
        if (!known) {
            queue.malformed("zoned", *model);
        }
        attributes.zoned = known.value_or(ZonedModel::none);
    }
    queue.optional("discard_granularity", attributes.discard_granularity);
    if (attributes.zoned != ZonedModel::none) {
        queue.required("chunk_sectors", attributes.zone_size, sector_size);
        queue.required("nr_zones", attributes.nr_zones);
        queue.optional("zone_write_granularity", attributes.write_granularity);
        if (attributes.write_granularity == 0) {
            queue.required("physical_block_size", attributes.write_granularity);
        }
        queue.optional("zone_append_max_bytes", attributes.max_append_bytes);
        queue.optional("max_open_zones", attributes.max_open_zones);
        queue.optional("max_active_zones", attributes.max_active_zones);
    }
    TRY(queue.take_status());
    return attributes;
}

} // namespace zoneio
