// SPDX-License-Identifier: GPL-3.0-or-later
//
// Crafted files of zoned devices: looked at, opened, written to, repaired.
//
// The input is: flags (1 byte), length of the file (2 bytes, in pages), then header, its copy and the session page as
// far as there is input, in turns of 80, 80 and 48 bytes, then the table. Flags: make the check sums of the headers
// right (1), of the words (2), use the header as the copy (4), the boot id of this kernel (8), open with raw on top (16).
#include "fuzz_target.h"

#include "block/chain/open.h"
#include "block/zoned/check.h"
#include "block/zoned/header.h"

#include <algorithm>
#include <cstring>
#include <endian.h>
#include <fcntl.h>
#include <unistd.h>
#include <vector>

namespace zoneio::fuzz {

namespace {

constexpr char filename[] = "crafted";
constexpr uint64_t largest_file = 64U << 20;
constexpr size_t header_fields = 80;
constexpr size_t check_sum_at = 508;

uint32_t crc32c(const uint8_t* data, size_t length) {
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < length; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ ((crc & 1U) != 0 ? 0x82f63b78U : 0U);
        }
    }
    return ~crc;
}

Input take(Input& input, size_t bytes) {
    const Input taken = input.first(std::min(bytes, input.size()));
    input = input.subspan(taken.size());
    return taken;
}

ZonedHeaderBytes craft_header(Input fields, bool right_sum) {
    ZonedHeaderBytes header{};
    std::copy(fields.begin(), fields.end(), header.begin());
    if (right_sum) {
        memcpy(header.data(), zoned_magic.data(), zoned_magic.size());
        const uint32_t sum = htole32(crc32c(header.data(), check_sum_at));
        memcpy(header.data() + check_sum_at, &sum, sizeof(sum));
    }
    return header;
}

void write_at(int fd, const void* data, size_t bytes, uint64_t offset) {
    check(pwrite(fd, data, bytes, static_cast<off_t>(offset)) == static_cast<ssize_t>(bytes), "the file can be written");
}

void craft(Input input) {
    const uint8_t flags = input[0];
    const uint64_t length = std::min<uint64_t>((uint64_t{input[1]} | uint64_t{input[2]} << 8U) * ZonedLayout::page, largest_file);
    input = input.subspan(3);
    const int fd = open(filename, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    check(fd >= 0, "the file can be made");
    const ZonedHeaderBytes header = craft_header(take(input, header_fields), (flags & 1U) != 0);
    const ZonedHeaderBytes copy = (flags & 4U) != 0 ? header : craft_header(take(input, header_fields), (flags & 1U) != 0);
    ZonedSession session;
    const Input page = take(input, sizeof(session));
    std::copy(page.begin(), page.end(), reinterpret_cast<uint8_t*>(&session));
    if ((flags & 8U) != 0) {
        set_identity(session, MediumIdentity::of(fd));
    }
    write_at(fd, header.data(), header.size(), ZonedLayout::header);
    write_at(fd, &session, sizeof(session), ZonedLayout::session);
    write_at(fd, copy.data(), copy.size(), ZonedLayout::header_copy);
    std::vector<uint64_t> words(input.size() / sizeof(uint64_t));
    const Input table = input.first(words.size() * sizeof(uint64_t));
    std::copy(table.begin(), table.end(), reinterpret_cast<uint8_t*>(words.data()));
    if ((flags & 2U) != 0) {
        for (uint64_t& word : words) {
            constexpr uint64_t content = (uint64_t{1} << 48) - 1;
            word = htole64(ZoneWord::decode(le64toh(word) & content).encode());
        }
    }
    if (!words.empty()) {
        write_at(fd, words.data(), words.size() * sizeof(uint64_t), ZonedLayout::table);
    }
    check(ftruncate(fd, static_cast<off_t>(length)) == 0, "the file can be cut to its length");
    close(fd);
}

Result<std::unique_ptr<BlockNode>> open_crafted(bool read_only, bool with_raw) {
    ImageSpec spec;
    spec.flags.read_only = read_only;
    spec.flags.unmap = true;
    const std::string prefix = with_raw ? "file." : "";
    spec.options.set("driver", with_raw ? "raw" : "zoned");
    if (with_raw) {
        spec.options.set("file.driver", "zoned");
    }
    spec.options.set(prefix + "filename", filename);
    std::vector<Notice> notices;
    return open_image(std::move(spec), notices);
}

/// Reports the zones, and makes some requests to the first ones.
void use(BlockNode& node, bool may_write) {
    constexpr uint64_t most_zones = 4096;
    constexpr uint64_t most_used = 8;
    std::vector<ZoneDescriptor> zones;
    const auto keep = [&](const ZoneDescriptor& zone) { zones.push_back(zone); };
    check(node.zone_report(0, most_zones, keep).ok(), "zones of an open device are reported");
    std::vector<uint8_t> data(node.limits().request_alignment);
    for (size_t i = 0; i < std::min<size_t>(zones.size(), most_used); i++) {
        const ZoneDescriptor& zone = zones[i];
        const uint64_t bytes = std::min<uint64_t>(data.size(), zone.length);
        (void)node.preadv(zone.start, IoVec(data.data(), bytes));
        (void)node.preadv(zone.start + zone.length - bytes, IoVec(data.data(), bytes));
        if (may_write) {
            (void)node.zone_append(zone.start, IoVec(data.data(), bytes), {});
            (void)node.zone_mgmt(static_cast<ZoneOp>(i % 4), zone.start, zone.length);
        }
    }
    if (may_write) {
        (void)node.flush();
    }
}

} // namespace

void run_zoned_file(Input input) {
    constexpr size_t shortest = 3;
    if (input.size() < shortest) {
        return;
    }
    (void)scratch_folder();
    craft(input);
    const bool with_raw = (input[0] & 16U) != 0;
    if (const Result<std::unique_ptr<BlockNode>> node = open_crafted(true, with_raw); node.ok()) {
        use(**node, false);
    }
    const Result<ZonedCheck> before = check_zoned_file(NamedFile(filename), false, false);
    bool opens = false;
    if (Result<std::unique_ptr<BlockNode>> node = open_crafted(false, with_raw); node.ok()) {
        opens = true;
        use(**node, true);
    }
    // An empty file has been formatted.
    const Result<ZonedCheck> after_use = check_zoned_file(NamedFile(filename), false, false);
    check(!opens || (after_use.ok() && (before.ok() ? after_use->found <= before->found : after_use->found == 0)),
          "using a device breaks nothing");
    const Result<ZonedCheck> repaired = check_zoned_file(NamedFile(filename), true, false);
    if (repaired.ok() && repaired->left() == 0) {
        const Result<ZonedCheck> again = check_zoned_file(NamedFile(filename), false, false);
        check(again.ok() && again->found == 0, "a repaired file has no errors");
        check(open_crafted(false, with_raw).ok(), "a repaired file can be opened");
    }
}

} // namespace zoneio::fuzz
