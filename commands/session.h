// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/backend.h"
#include "block/base/file_descriptor.h"
#include "commands/aio.h"
#include "commands/exports.h"
#include "commands/report/failure.h"
#include "commands/report/report.h"

#include <memory>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace zoneio {

/// What happens before a file or device is opened for writing that is in use or holds data of others, see path_uses().
enum class Guard : uint8_t {
    off,  ///< nothing, as in qemu-io
    warn, ///< a warning
    ask,  ///< a question, see Session::confirm; any other answer than yes keeps it closed (ECANCELED)
};

/// A file whose commands are being run.
struct RunningScript {
    std::string name; ///< as given
    dev_t device = 0; ///< with the inode: which file it is
    ino_t inode = 0;
    uint64_t line = 0; ///< of the command being run, from 1
};

/// What a command may touch: the open image, requests in flight, and where results go.
class Session {
public:
    explicit Session(std::string program);
    ~Session();
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    Reporter& out() { return reporter_; }
    AioQueue& aio() { return aio_; }
    /// What went wrong last, for `why`.
    FailureLog& failures() { return failures_; }

    bool is_open() const { return backend_ != nullptr; }
    BlockBackend& backend() { return *backend_; }
    /// Which of the images that this session had open is, counted from 1.
    uint64_t image() const { return images_; }
    /// Takes over an image that was opened.
    void attach(std::unique_ptr<BlockBackend> backend);
    /// Ends what is served, waits for requests in flight, reports them, and closes the image; nothing happens when none is open.
    void close();
    /// Tells what there is to tell of the image.
    void show(const std::vector<Notice>& notices);

    /// Held by commands; whatever else uses the image holds it too.
    Turn& turn() { return turn_; }
    /// What is served of the image.
    Exports& exports() { return exports_; }
    /// Readable when there is something to tell that happened outside of commands: see tell_news().
    int news_fd();
    void tell_news();

    /// Lets asynchronous commands go on that were kept back for others to join them; to be called before waiting.
    void kick() {
        if (backend_ && !aio_.empty()) {
            backend_->kick();
        }
    }

    /// Names of images are option strings (--image-opts).
    bool image_opts = false;
    /// Buffers begin 16 bytes after an aligned address (-m).
    bool misalign = false;
    /// The zone that the last offset on a zoned device was in: what `wp` alone is about.
    std::optional<uint64_t> current_zone;

    Guard guard = Guard::off;
    /// Asks whoever sits at the terminal; there where the guard is to ask.
    bool (*confirm)(std::string_view question) = nullptr;

    /// Nothing is run after a command that failed (--errexit).
    bool errexit = false;
    /// How many commands failed; the program's exit status depends on it.
    uint64_t failed_commands = 0;
    /// The scripts that are being run, each by the one before.
    std::vector<RunningScript>& scripts() { return scripts_; }

    /// Memory for the data of one synchronous command, kept from one to the next.
    AlignedBuffer& scratch() { return scratch_; }
    /// Where a command's words are collected, kept likewise.
    std::vector<char*>& words() { return words_; }

private:
    void listen(std::string_view text);
    void note_news();

    Turn turn_;
    FailureLog failures_;
    Reporter reporter_;
    AioQueue aio_;
    std::unique_ptr<BlockBackend> backend_;
    Exports exports_{turn_}; ///< of the backend
    FileDescriptor news_event_; ///< made with the first export
    std::vector<std::string> news_; ///< used by whoever has the turn
    uint64_t images_ = 0;
    AlignedBuffer scratch_;
    std::vector<char*> words_;
    std::vector<RunningScript> scripts_;
};

} // namespace zoneio
