// SPDX-License-Identifier: GPL-3.0-or-later
//
// Targets that parse text: numbers, option strings, JSON, first bytes of images, sysfs, process arguments.
#include "fuzz_target.h"

#include "block/base/size.h"
#include "block/chain/probe.h"
#include "block/host/sysfs.h"
#include "block/objects/user_object.h"
#include "block/options/options.h"
#include "block/zoned/file.h"
#include "shell/options/options.h"

#include <fmt/format.h>
#include <fstream>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

namespace zoneio::fuzz {

void run_numbers(Input input) {
    const std::string text(text_of(input));
    uint64_t size = 0;
    int64_t offset = 0;
    const ParseError as_size = parse_size(text, size);
    const ParseError as_offset = parse_size_int64(text, offset);
    check(as_size == ParseError::none || as_offset != ParseError::none, "an offset is a size");
    check(as_offset != ParseError::none || (offset >= 0 && static_cast<uint64_t>(offset) == size), "both read the same");
    if (as_size == ParseError::none) {
        uint64_t again = 0;
        check(parse_size(std::to_string(size), again) == ParseError::none && again == size, "digits give the size again");
        check(!format_size(static_cast<double>(size)).empty(), "a size has a text");
    }
    uint64_t number = 0;
    long signed_number = 0;
    (void)parse_number(text, number);
    (void)parse_long(text.c_str(), signed_number);
}

void run_options(Input input) {
    const OptionString parsed = parse_option_string(text_of(input), input.size() % 2 == 0 ? "file" : std::string_view());
    Options options;
    for (const KeyValue& pair : parsed.pairs) {
        options.set(pair.key, pair.value);
    }
    (void)options.to_json();
    (void)options.first_unknown();
    NodeFlags flags;
    (void)take_access_options(options, flags);
    (void)take_data_options(options, flags);
    const Result<ZonedOptions> zoned = ZonedOptions::take(options);
    if (zoned.ok()) {
        const Result<ZoneGeometry> geometry = zoned->geometry();
        check(!geometry.ok() || geometry->check().ok(), "a geometry that is taken is sound");
    }
    std::string help;
    (void)add_user_object(text_of(input), help);
}

void run_json(Input input) {
    const Result<Options> options = parse_json_options(text_of(input));
    if (options.ok()) {
        (void)options->to_json();
        Options rest = *options;
        (void)rest.take_subtree("file");
        (void)rest.first_unknown();
    }
}

void run_probe(Input input) {
    check(!format_of(input).empty(), "every head is of some format");
}

/// The lines of the input are the attributes in this order.
void run_sysfs(Input input) {
    static constexpr std::string_view names[] = {
        "zoned",          "chunk_sectors",    "nr_zones",          "logical_block_size",    "physical_block_size",
        "max_open_zones", "max_active_zones", "zone_append_max_bytes", "zone_write_granularity",
    };
    const std::string queue = scratch_folder() + "/dev/block/8:0/queue";
    static const bool made = [&] {
        for (size_t slash = scratch_folder().size(); slash != std::string::npos; slash = queue.find('/', slash + 1)) {
            mkdir(queue.substr(0, slash).c_str(), 0700);
        }
        return mkdir(queue.c_str(), 0700) == 0;
    }();
    check(made, "the tree is made");
    std::string_view text = text_of(input);
    for (const std::string_view name : names) {
        const std::string path = fmt::format("{}/{}", queue, name);
        const size_t end = std::min(text.find('\n'), text.size());
        if (end == 0) {
            std::remove(path.c_str());
        } else {
            std::ofstream(path, std::ios::binary) << text.substr(0, end) << '\n';
        }
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    const Result<QueueAttributes> attributes = queue_attributes(makedev(8, 0), scratch_folder());
    if (attributes.ok() && attributes->zoned != ZonedModel::none) {
        check(attributes->zone_size != 0 && attributes->nr_zones != 0, "a zoned device has zones");
    }
}

/// Words end with zero bytes. Words with a slash are left out, because they could name files of the machine.
void run_arguments(Input input) {
    std::vector<std::string> words{"zoneio"};
    (void)scratch_folder();
    for (std::string_view text = text_of(input); !text.empty();) {
        const size_t end = std::min(text.find('\0'), text.size());
        if (text.substr(0, end).find('/') == std::string_view::npos) {
            words.emplace_back(text.substr(0, end));
        }
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    std::vector<char*> argv;
    for (std::string& word : words) {
        argv.push_back(word.data());
    }
    argv.push_back(nullptr);
    ProcessOptions options;
    optind = 0;
    (void)parse_process_options(static_cast<int>(words.size()), argv.data(), "zoneio", options);
}

} // namespace zoneio::fuzz
