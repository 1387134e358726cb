// SPDX-License-Identifier: GPL-3.0-or-later
//
// A file that records every content that its medium may have since the last flush, so that tests can cut the power at
// any time.
#pragma once

#include "block/base/file_descriptor.h"
#include "block/node/driver.h"

#include <cstring>
#include <functional>
#include <map>
#include <random>
#include <sys/mman.h>
#include <unistd.h>
#include <vector>

namespace zoneio::testing {

/// A file as its readers see it, and the possible contents of its medium.
struct RecordedFile {
    std::vector<uint8_t> cached;
    std::vector<uint8_t> durable; ///< content at the last successful sync
    std::map<uint64_t, std::vector<std::vector<uint8_t>>> pending; ///< by offset: contents of a unit since that sync

    RecordedFile() = default;
    /// A file that is completely on the medium.
    explicit RecordedFile(std::vector<uint8_t> image) : cached(std::move(image)), durable(cached) {}

    /// A possible content of the medium after a power cut: of each unit, any content since the last sync.
    std::vector<uint8_t> cut(std::mt19937& random) const {
        std::vector<uint8_t> image = durable;
        // Loses sometimes nearly everything, sometimes nearly nothing, mostly a part.
        const unsigned keep_percent = static_cast<unsigned>(random() % 101);
        for (const auto& [offset, versions] : pending) {
            if (random() % 100 < keep_percent) {
                const std::vector<uint8_t>& content = versions[random() % versions.size()];
                memcpy(image.data() + offset, content.data(), content.size());
            }
        }
        return image;
    }
};

/// Units are lost independently. They are smaller than pages: sectors of data, words of the mapped part. So every
/// result of losing whole pages is covered.
class RecordingDriver final : public BlockDriver, private NativeFile {
public:
    static constexpr uint64_t sector = 512;
    static constexpr uint64_t word = 8;

    /// Continues with `file`, whose first `mapped` bytes are also changed through mapped memory.
    RecordingDriver(RecordedFile file, uint64_t mapped)
        : fd_(memfd_create("recording", MFD_CLOEXEC)), size_(file.cached.size()), mapped_(mapped), file_(std::move(file)) {
        extras_.native_file = this;
        (void)!pwrite(fd_.get(), file_.cached.data(), size_, 0);
        memory_ = static_cast<uint8_t*>(mmap(nullptr, size_, PROT_READ, MAP_SHARED, fd_.get(), 0));
        seen_.assign(memory_, memory_ + mapped_);
    }
    ~RecordingDriver() override {
        if (keep_in != nullptr) {
            *keep_in = file();
        }
        munmap(memory_, size_);
    }

    /// Where to store the file when the driver above is closed; may be null.
    RecordedFile* keep_in = nullptr;

    /// Called whenever the content of the medium may have changed: before and after each write and flush.
    std::function<void()> on_event = [] {};
    /// Called before each flush; true makes it fail.
    std::function<bool()> flush_fails = [] { return false; };

    Status preadv(uint64_t offset, const IoVec& iov) override {
        iov.copy_from(memory_ + offset);
        return {};
    }

    Status pwritev(uint64_t offset, const IoVec& iov, WriteFlags /*flags*/) override {
        std::vector<uint8_t> data(iov.bytes());
        iov.copy_to(data.data());
        record(offset, data);
        return {};
    }

    Status pwrite_zeroes(uint64_t offset, uint64_t bytes, WriteFlags /*flags*/) override {
        record(offset, std::vector<uint8_t>(bytes));
        return {};
    }

    Status pdiscard(uint64_t offset, uint64_t bytes) override { return pwrite_zeroes(offset, bytes, {}); }

    Status flush() override {
        event();
        flushes++;
        if (flush_fails()) {
            return Status::from_errno(EIO);
        }
        file_.durable.assign(memory_, memory_ + size_);
        file_.pending.clear();
        event();
        return {};
    }

    unsigned flushes = 0; ///< number of flushes
    unsigned writes = 0;

    Result<uint64_t> length() override { return size_; }

    int descriptor() const override { return fd_.get(); }
    std::optional<FdIo> native_io(Request& /*request*/, uint64_t /*offset*/) override { return std::nullopt; }

    /// Must be called when mapped memory may have changed.
    void event() {
        capture_mapped();
        on_event();
    }

    /// The file in its present state.
    RecordedFile file() {
        capture_mapped();
        RecordedFile now = file_;
        now.cached.assign(memory_, memory_ + size_);
        return now;
    }

    std::vector<uint8_t> cut(std::mt19937& random) const { return file_.cut(random); }

private:
    void record(uint64_t offset, const std::vector<uint8_t>& data) {
        event();
        writes++;
        (void)!pwrite(fd_.get(), data.data(), data.size(), static_cast<off_t>(offset));
        for (uint64_t done = 0; done < data.size(); done += sector) {
            add_version(offset + done, sector);
        }
        event();
    }

    void add_version(uint64_t offset, uint64_t bytes) {
        file_.pending[offset].emplace_back(memory_ + offset, memory_ + offset + bytes);
    }

    void capture_mapped() {
        if (memcmp(seen_.data(), memory_, mapped_) == 0) {
            return;
        }
        for (uint64_t offset = 0; offset < mapped_; offset += word) {
            if (memcmp(seen_.data() + offset, memory_ + offset, word) != 0) {
                add_version(offset, word);
                memcpy(seen_.data() + offset, memory_ + offset, word);
            }
        }
    }

    FileDescriptor fd_;
    uint64_t size_;
    uint64_t mapped_;
    uint8_t* memory_ = nullptr;
    RecordedFile file_;
    std::vector<uint8_t> seen_; ///< content of the mapped part at the last check
};

/// Reads the file of a recording driver like another process.
class SharedDriver final : public BlockDriver, private NativeFile {
public:
    explicit SharedDriver(RecordingDriver& file) : file_(file) { extras_.native_file = this; }

    Status preadv(uint64_t offset, const IoVec& iov) override { return file_.preadv(offset, iov); }
    Status pwritev(uint64_t /*offset*/, const IoVec& /*iov*/, WriteFlags /*flags*/) override { return Status::from_errno(EBADF); }
    Status flush() override { return {}; }
    Result<uint64_t> length() override { return file_.length(); }
    int descriptor() const override { return file_.descriptor(); }
    std::optional<FdIo> native_io(Request& /*request*/, uint64_t /*offset*/) override { return std::nullopt; }

private:
    RecordingDriver& file_;
};

} // namespace zoneio::testing
