// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/chain/probe.h"

#include <algorithm>
#include <cstring>

namespace zoneio {

namespace {

using Head = std::span<const uint8_t>;

bool has_text(Head head, size_t offset, std::string_view text) {
    return head.size() >= offset + text.size() && memcmp(head.data() + offset, text.data(), text.size()) == 0;
}

uint32_t big_endian(Head head, size_t offset, size_t bytes) {
    uint32_t value = 0;
    for (size_t i = 0; i < bytes; i++) {
        value = value << 8 | (offset + i < head.size() ? head[offset + i] : 0U);
    }
    return value;
}

uint32_t little_endian(Head head, size_t offset) {
    return __builtin_bswap32(big_endian(head, offset, 4));
}

/// True for the descriptor file of VMDK: blank lines and comments, then a line `version=1`, 2 or 3.
///
/// The text must start with the title of such files.
bool is_vmdk_descriptor(Head head) {
    const std::string_view text(reinterpret_cast<const char*>(head.data()), head.size());
    size_t pos = 0;
    while (pos < text.size()) {
        const size_t end = std::min(text.find('\n', pos), text.size());
        std::string_view line = text.substr(pos, end - pos);
        if (line.ends_with('\r')) {
            line.remove_suffix(1);
        }
        const bool is_comment = line.starts_with('#');
        const bool is_blank = std::all_of(line.begin(), line.end(), [](char c) { return c == ' '; });
        if (!is_comment && !is_blank) {
            const bool complete = end < text.size();
            return complete && (line == "version=1" || line == "version=2" || line == "version=3");
        }
        pos = end + 1;
    }
    return false;
}

bool is_vmdk(Head head) {
    return has_text(head, 0, "COWD") || has_text(head, 0, "KDMV") || is_vmdk_descriptor(head);
}

/// True for a growing Bochs image, the only kind that its content identifies.
bool is_bochs(Head head) {
    const uint32_t version = little_endian(head, 64);
    return has_text(head, 0, std::string_view("Bochs Virtual HD Image\0", 23)) &&
           has_text(head, 32, std::string_view("Redolog\0", 8)) && has_text(head, 48, std::string_view("Growing\0", 8)) &&
           (version == 0x10000 || version == 0x20000);
}

} // namespace

std::string_view format_of(Head head) {
    if (has_text(head, 0, "QFI\xfb")) {
        const uint32_t version = big_endian(head, 4, 4);
        if (version >= 2) {
            return "qcow2";
        }
        if (version == 1) {
            return "qcow";
        }
    }
    if (has_text(head, 0, std::string_view("QED\0", 4))) {
        return "qed";
    }
    if (has_text(head, 0, "vhdxfile")) {
        return "vhdx";
    }
    if (has_text(head, 0, "conectix")) {
        return "vpc";
    }
    if (head.size() >= 0x44 && little_endian(head, 0x40) == 0xbeda107f) {
        return "vdi";
    }
    if (has_text(head, 0, "LUKS\xba\xbe") && big_endian(head, 6, 2) == 1) {
        return "luks";
    }
    if ((has_text(head, 0, "WithoutFreeSpace") || has_text(head, 0, "WithouFreSpacExt")) && little_endian(head, 16) == 2) {
        return "parallels";
    }
    if (is_bochs(head)) {
        return "bochs";
    }
    if (has_text(head, 0, "#!/bin/sh\n#V2.0 Format\nmodprobe cloop file=$0 && mount -r -t iso9660 /dev/cloop $1\n")) {
        return "cloop";
    }
    for (const DriverInfo& info : driver_table()) {
        if (info.recognises != nullptr && info.recognises(head)) {
            return info.name;
        }
    }
    return is_vmdk(head) ? "vmdk" : "raw";
}

Result<std::string> probe_format(BlockNode& node) {
    const uint64_t length = TRY(node.length());
    if (length == 0) {
        return std::string("raw");
    }
    AlignedBuffer head;
    TRY(head.allocate(probe_bytes));
    const uint64_t bytes = std::min<uint64_t>(length, probe_bytes);
    TRY(node.preadv(0, IoVec(head.data(), bytes)).prefixed("Could not read image for determining its format: "));
    return std::string(format_of({head.data(), bytes}));
}

} // namespace zoneio
