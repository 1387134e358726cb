// SPDX-License-Identifier: GPL-3.0-or-later
//
// A small store of keys on a zoned device, for tests of `crash`: it is right, or forgets one thing.
//
//   zone_store run FAULT SEED OPERATIONS DRIVER.KEY=VALUE...   works on a logged device; FAULT: none, commit, copy or reset
//   zone_store check SEED OPERATIONS                           looks at the state in $ZONEIO_IMAGE; status 1: it is bad
//
// Each block is a record: the value of a key, or that it was deleted. The newest record of a key counts. When zones run out, the
// oldest is emptied: what still counts in it is copied to the newest zone, then it is reset. A deletion need not be copied
// once no zone holds an older record of its key. Operations are flushed in batches, and marks
// `done N` in the log tell which ones were reported as done.
#include "block/backend.h"

#include <array>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <fmt/format.h>
#include <random>

using namespace zoneio;

namespace {

constexpr uint64_t keys = 60;
constexpr uint64_t batch = 4; ///< operations that are flushed together
constexpr uint64_t no_value = 0; ///< of a key that was deleted, or never set

enum class Fault : uint8_t {
    none,
    commit, ///< a batch whose last record fills a zone is reported as done before it is flushed
    copy,   ///< a zone is reset before the copies of its records are flushed
    reset,  ///< a zone is reset before the reset of another one is flushed, on which it depends
};

struct Operation {
    uint64_t key;
    uint64_t value;
};

/// The operations that a seed gives: what is known to both programs. Some keys change all the time, some seldom, and some are set
/// once and deleted soon after.
std::vector<Operation> operations_of(uint64_t seed, uint64_t count) {
    constexpr uint64_t busy = 4;
    constexpr uint64_t seldom = 8;
    constexpr uint64_t passing = keys - busy - seldom;
    std::mt19937_64 random(seed);
    std::vector<Operation> operations;
    for (uint64_t i = 0; i < count; i++) {
        const uint64_t value = 1 + random() % 1000;
        const uint64_t round = i / 4;
        switch (i % 4) {
        case 0: operations.push_back({busy + seldom + round % passing, value}); break;
        case 2: operations.push_back({busy + seldom + (round + passing - 1 - random() % 2) % passing, no_value}); break;
        default: operations.push_back({random() % 8 == 0 ? busy + random() % seldom : random() % busy, value}); break;
        }
    }
    return operations;
}

/// One block.
struct Record {
    static constexpr uint64_t bytes = 512;
    static constexpr uint64_t magic = 0x65726f7473;

    uint64_t number; ///< of the operation, from 1
    uint64_t key;
    uint64_t value;

    std::array<uint64_t, bytes / 8> encode() const {
        std::array<uint64_t, bytes / 8> block{magic, number, key, value};
        block.back() = magic ^ number ^ key ^ value;
        return block;
    }
    static std::optional<Record> decode(const std::array<uint64_t, bytes / 8>& block) {
        const Record record{block[1], block[2], block[3]};
        return record.encode() == block && record.key < keys ? std::optional(record) : std::nullopt;
    }
};

[[noreturn]] void fail(std::string_view what, const Status& status = {}) {
    fmt::print(stderr, "{}{}{}\n", what, status.ok() ? "" : ": ", status.ok() ? "" : status.message());
    exit(1);
}

class Store {
public:
    Store(std::unique_ptr<BlockBackend> device, Fault fault) : device_(std::move(device)), fault_(fault) {}

    /// Reads all records. Their zones' order is that of their numbers.
    void recover();
    void put(const Record& record);
    uint64_t value(uint64_t key) const { return newest_[key].value; }
    BlockBackend& device() { return *device_; }

private:
    struct Zone {
        std::vector<Record> records;
        uint64_t age = 0; ///< when it was begun
    };

    void must(Status status, std::string_view what) const {
        if (!status.ok()) {
            fail(what, status);
        }
    }
    uint64_t capacity() const { return capacity_ / Record::bytes; }
    void append(const Record& record);
    void make_room();
    void empty_oldest();
    uint64_t empty_zones() const;
    bool counts(const Record& record, uint64_t zone) const;

    std::unique_ptr<BlockBackend> device_;
    Fault fault_;
    std::vector<Zone> zones_;
    std::array<Record, keys> newest_{};
    uint64_t capacity_ = 0; ///< bytes of a zone
    uint64_t current_ = 0;
    uint64_t age_ = 0;
};

void Store::recover() {
    std::vector<ZoneDescriptor> zones;
    must(device_->zone_report(0, device_->limits().nr_zones, [&](const ZoneDescriptor& zone) { zones.push_back(zone); }).status(), "report");
    zones_.resize(zones.size());
    capacity_ = zones[0].capacity;
    for (size_t i = 0; i < zones.size(); i++) {
        const uint64_t end = std::min(zones[i].write_pointer, zones[i].start + zones[i].capacity);
        for (uint64_t at = zones[i].start; at < end; at += Record::bytes) {
            std::array<uint64_t, Record::bytes / 8> block{};
            must(device_->execute(Request::read(at, IoVec(reinterpret_cast<uint8_t*>(block.data()), Record::bytes))), "read");
            const std::optional<Record> record = Record::decode(block);
            if (!record) {
                fail(fmt::format("no record at {}", at));
            }
            zones_[i].records.push_back(*record);
            if (record->number > newest_[record->key].number) {
                newest_[record->key] = *record;
            }
        }
    }
}

uint64_t Store::empty_zones() const {
    return static_cast<uint64_t>(std::count_if(zones_.begin(), zones_.end(), [](const Zone& zone) { return zone.records.empty(); }));
}

void Store::append(const Record& record) {
    if (zones_[current_].records.size() == capacity()) {
        current_ = 0;
        while (!zones_[current_].records.empty()) {
            current_++;
        }
    }
    Zone& zone = zones_[current_];
    zone.age = zone.records.empty() ? ++age_ : zone.age;
    auto block = record.encode();
    const uint64_t start = current_ * device_->limits().zone_size;
    must(device_->execute(Request::zone_append(start, IoVec(reinterpret_cast<uint8_t*>(block.data()), Record::bytes), {})), "append");
    zone.records.push_back(record);
    if (record.number >= newest_[record.key].number) {
        newest_[record.key] = record;
    }
}

/// Whether a record has to be kept when its zone is emptied.
bool Store::counts(const Record& record, uint64_t zone) const {
    if (record.number != newest_[record.key].number) {
        return false;
    }
    if (record.value != no_value) {
        return true;
    }
    for (uint64_t other = 0; other < zones_.size(); other++) {
        for (const Record& found : zones_[other].records) {
            if (other != zone && found.key == record.key) {
                return true;
            }
        }
    }
    return false;
}

void Store::empty_oldest() {
    uint64_t oldest = current_;
    for (uint64_t zone = 0; zone < zones_.size(); zone++) {
        if (!zones_[zone].records.empty() && zones_[zone].age < zones_[oldest].age) {
            oldest = zone;
        }
    }
    bool has_copied = false;
    for (const Record& record : std::vector<Record>(zones_[oldest].records)) {
        if (counts(record, oldest)) {
            append(record);
            has_copied = true;
        }
    }
    // The flush also settles the reset of another zone, without which a deletion that was not copied would be missed.
    if (fault_ == Fault::none || fault_ == Fault::commit || (fault_ == Fault::reset && has_copied)) {
        must(device_->execute(Request::flush()), "flush");
    }
    const uint64_t zone_size = device_->limits().zone_size;
    must(device_->execute(Request::zone_manage(ZoneOp::reset, oldest * zone_size, zone_size)), "reset");
    zones_[oldest].records.clear();
}

void Store::make_room() {
    if (empty_zones() > 1 || zones_[current_].records.size() < capacity()) {
        return;
    }
    // Several at a time, but each once at most.
    for (size_t tries = 0; tries < 4 && empty_zones() < 5; tries++) {
        empty_oldest();
    }
    if (empty_zones() == 0) {
        fail("the store is full");
    }
}

void Store::put(const Record& record) {
    make_room();
    append(record);
    if (record.number % batch != 0) {
        return;
    }
    const bool forgets = fault_ == Fault::commit && zones_[current_].records.size() == capacity();
    if (!forgets) {
        must(device_->execute(Request::flush()), "flush");
    }
}

std::unique_ptr<BlockBackend> open_device(Options options, bool read_only) {
    ImageSpec spec;
    spec.options = std::move(options);
    spec.flags.read_only = read_only;
    std::vector<Notice> notices;
    Result<std::unique_ptr<BlockBackend>> device = BlockBackend::open(std::move(spec), false, notices);
    if (!device.ok()) {
        fail("open", device.status());
    }
    if (!read_only) {
        if (Status status = (*device)->require(Permissions::write); !status.ok()) {
            fail("open", status);
        }
    }
    return std::move(*device);
}

uint64_t number_of(std::string_view word) {
    uint64_t number = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
    if (error != std::errc() || end != word.data() + word.size()) {
        fail(fmt::format("'{}' is not a number", word));
    }
    return number;
}

int run(Fault fault, const std::vector<Operation>& operations, std::span<char*> words) {
    Options options;
    for (const std::string_view word : words) {
        const size_t equals = word.find('=');
        options.set(std::string(word.substr(0, equals)), std::string(word.substr(equals + 1)));
    }
    Store store(open_device(std::move(options), false), fault);
    store.recover();
    for (uint64_t i = 0; i < operations.size(); i++) {
        store.put({i + 1, operations[i].key, operations[i].value});
        if (Status status = (i + 1) % batch == 0 ? store.device().mark_logs(fmt::format("done {}", i + 1)) : Status(); !status.ok()) {
            fail("mark", status);
        }
    }
    return 0;
}

/// The state is good when each key has the value that it had after N operations, where N is what was reported as done, or one that an
/// operation of the next batch gave it: a batch is in several zones, and may be there in part.
int check(const std::vector<Operation>& operations) {
    const char* const image = getenv("ZONEIO_IMAGE");
    const char* const mark = getenv("ZONEIO_MARK");
    const uint64_t done = mark == nullptr || *mark == '\0' ? 0 : number_of(std::string_view(mark).substr(strlen("done ")));
    Options options;
    options.set("driver", "zoned");
    options.set("filename", image != nullptr ? image : "");
    Store store(open_device(std::move(options), true), Fault::none);
    store.recover();
    std::array<uint64_t, keys> expected{};
    for (uint64_t i = 0; i < done; i++) {
        expected[operations[i].key] = operations[i].value;
    }
    const uint64_t end = std::min<uint64_t>(done + batch, operations.size());
    for (uint64_t key = 0; key < keys; key++) {
        bool is_good = store.value(key) == expected[key];
        for (uint64_t i = done; i < end; i++) {
            is_good = is_good || (operations[i].key == key && operations[i].value == store.value(key));
        }
        if (!is_good) {
            fmt::print("{} operations were done, and key {} is {} instead of {}\n", done, key, store.value(key), expected[key]);
            return 1;
        }
    }
    return 0;
}

} // namespace

int main(int argc, char** argv) {
    const std::span<char*> words(argv, static_cast<size_t>(argc));
    const std::string_view mode = argc > 1 ? argv[1] : "";
    if (mode == "run" && argc > 5) {
        constexpr std::string_view names[] = {"none", "commit", "copy", "reset"};
        const auto* const fault = std::find(std::begin(names), std::end(names), std::string_view(argv[2]));
        return run(static_cast<Fault>(fault - std::begin(names)), operations_of(number_of(argv[3]), number_of(argv[4])), words.subspan(5));
    }
    if (mode == "check" && argc == 4) {
        return check(operations_of(number_of(argv[2]), number_of(argv[3])));
    }
    fail("usage: zone_store run FAULT SEED OPERATIONS KEY=VALUE... | zone_store check SEED OPERATIONS");
}
