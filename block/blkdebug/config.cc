// SPDX-License-Identifier: GPL-3.0-or-later
//
// Reads QEMU's file format, including QEMU's handling of malformed lines.
#include "block/blkdebug/config.h"

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <cstring>
#include <fmt/format.h>
#include <memory>

namespace zoneio {

namespace {

constexpr size_t line_size = 1024; ///< longer lines are split
constexpr size_t longest_word = 63;
constexpr size_t longest_value = 1023;

/// Scans a line from left to right. Skips white space before each item.
class LineScanner {
public:
    explicit LineScanner(std::string_view line) : rest_(line) {}

    void skip_space() {
        while (!rest_.empty() && isspace(static_cast<unsigned char>(rest_.front())) != 0) {
            rest_.remove_prefix(1);
        }
    }

    /// The characters up to white space; empty at the end of the line.
    std::string word() {
        skip_space();
        size_t length = 0;
        while (length < std::min(rest_.size(), longest_word) && isspace(static_cast<unsigned char>(rest_[length])) == 0) {
            length++;
        }
        return cut(length);
    }

    /// The characters up to `stop`, up to `longest` of them, or up to the end of the line.
    std::string until(char stop, size_t longest) { return cut(std::min(rest_.find(stop), longest)); }

    bool take(char c) {
        if (rest_.empty() || rest_.front() != c) {
            return false;
        }
        rest_.remove_prefix(1);
        return true;
    }

private:
    std::string cut(size_t length) {
        std::string text(rest_.substr(0, length));
        rest_.remove_prefix(text.size());
        return text;
    }

    std::string_view rest_;
};

struct Header {
    std::string group;
    std::optional<std::string> id;
};

/// `[GROUP "ID"]` or `[GROUP]`. The rest of the line, and missing closing marks, are ignored.
std::optional<Header> scan_header(std::string_view line) {
    LineScanner with_id(line);
    if (!with_id.take('[')) {
        return std::nullopt;
    }
    std::string group = with_id.word();
    with_id.skip_space();
    if (!group.empty() && with_id.take('"')) {
        std::string id = with_id.until('"', longest_word);
        if (!id.empty()) {
            return Header{std::move(group), std::move(id)};
        }
    }
    LineScanner plain(line.substr(1));
    group = plain.until(']', longest_word);
    return group.empty() ? std::nullopt : std::optional(Header{std::move(group), std::nullopt});
}

/// `KEY = "VALUE"`; everything after the key is optional. Empty for an empty line.
std::optional<KeyValue> scan_value(std::string_view line) {
    LineScanner scanner(line);
    KeyValue pair{scanner.word(), {}, false, {}};
    if (pair.key.empty()) {
        return std::nullopt;
    }
    scanner.skip_space();
    if (scanner.take('=')) {
        scanner.skip_space();
        pair.value = scanner.take('"') ? scanner.until('"', longest_value) : std::string();
    }
    return pair;
}

std::optional<BlkdebugGroup> find_group(std::string_view name) {
    for (const BlkdebugGroup group : {BlkdebugGroup::inject_error, BlkdebugGroup::set_state}) {
        if (name == blkdebug_group_name(group)) {
            return group;
        }
    }
    return std::nullopt;
}

/// Reads lines into sections. A section is checked when it is complete.
class ConfigReader {
public:
    explicit ConfigReader(std::vector<BlkdebugSection>& sections) : sections_(sections) {}

    Status read_line(std::string_view line) {
        if (line.starts_with('\n') || line.starts_with('#')) {
            return {};
        }
        if (std::optional<Header> header = scan_header(line)) {
            Status status = end_section();
            current_ = std::move(*header);
            in_section_ = true;
            name_at_end_ = current_.group;
            return status;
        }
        const std::optional<KeyValue> pair = scan_value(line);
        if (!pair) {
            return Status::invalid("parse error");
        }
        if (!in_section_) {
            return Status::invalid("no group defined");
        }
        if (line.starts_with('[') && pair->key.size() > 1) {
            // QEMU tries the line as a header, then as a value. As a side effect, the section loses its name at the end
            // of the file.
            name_at_end_ = pair->key.substr(1);
        }
        values_.set(pair->key, pair->value);
        return {};
    }

    Status end() {
        if (in_section_) {
            current_.group = name_at_end_;
        }
        return end_section();
    }

private:
    Status end_section() {
        if (!in_section_) {
            return {};
        }
        const std::optional<BlkdebugGroup> group = find_group(current_.group);
        if (!group) {
            return Status::invalid(fmt::format("There is no option group '{}'", current_.group));
        }
        BlkdebugSection section;
        section.group = *group;
        section.id = std::move(current_.id);
        if (std::optional<std::string> id = values_.take("id")) {
            section.id = std::move(id);
        }
        TRY(add_blkdebug_section(std::move(section), sections_));
        while (!values_.empty()) {
            Options next;
            const std::string key = *values_.first_unknown();
            next.set(key, *values_.take(key));
            TRY(take_blkdebug_section(next, sections_.back()));
            if (!next.empty()) {
                return Status::invalid(fmt::format("Invalid parameter '{}'", key));
            }
        }
        return {};
    }

    std::vector<BlkdebugSection>& sections_;
    bool in_section_ = false;
    Header current_; ///< header of the current section
    std::string name_at_end_;
    Options values_;
};

} // namespace

std::string_view blkdebug_group_name(BlkdebugGroup group) {
    return group == BlkdebugGroup::inject_error ? "inject-error" : "set-state";
}

Status take_blkdebug_section(Options& options, BlkdebugSection& section) {
    if (section.group == BlkdebugGroup::set_state) {
        return options.take_all({{"event", section.event},
                                 OptionTarget::number("state", section.state),
                                 OptionTarget::number("new_state", section.new_state)});
    }
    return options.take_all({{"event", section.event},
                             OptionTarget::number("state", section.state),
                             OptionTarget::number("errno", section.error),
                             OptionTarget::number("sector", section.sector),
                             OptionTarget::number("delay-ns", section.delay_ns),
                             {"once", section.once},
                             {"immediately", section.immediately},
                             {"iotype", section.iotype},
                             OptionTarget::size("torn", section.torn)});
}

Status add_blkdebug_section(BlkdebugSection section, std::vector<BlkdebugSection>& sections) {
    if (section.id) {
        TRY(check_identifier("id", *section.id));
        const bool known = std::any_of(sections.begin(), sections.end(), [&](const BlkdebugSection& other) {
            return other.group == section.group && other.id == section.id;
        });
        if (known) {
            return Status::invalid(fmt::format("Duplicate ID '{}' for {}", *section.id, blkdebug_group_name(section.group)));
        }
    }
    sections.push_back(std::move(section));
    return {};
}

Status read_blkdebug_config(const std::string& name, std::vector<BlkdebugSection>& sections) {
    const auto close = [](FILE* file) { (void)fclose(file); };
    const std::unique_ptr<FILE, decltype(close)> file(fopen(name.c_str(), "re"), close);
    if (!file) {
        return Status::error(errno, fmt::format("Could not open '{}': {}", name, strerror(errno)));
    }
    char line[line_size];
    ConfigReader reader(sections);
    while (fgets(line, sizeof(line), file.get()) != nullptr) {
        TRY(reader.read_line(line));
    }
    if (ferror(file.get()) != 0) {
        return Status::error(errno, fmt::format("Cannot read config file: {}", strerror(errno)));
    }
    return reader.end();
}

} // namespace zoneio
