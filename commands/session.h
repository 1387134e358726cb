// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/backend.h"
#include "block/base/file_descriptor.h"
#include "commands/aio.h"
#include "commands/exports.h"
#include "commands/report/failure.h"
#include "commands/report/report.h"

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace zoneio {

/// What to do before opening for writing a file or device that is in use or holds known data, see path_uses().
enum class Guard : uint8_t {
    off,  ///< nothing, as in qemu-io
    warn, ///< a warning
    ask,  ///< ask, see Session::ask; any answer other than yes or read-only leaves it closed (ECANCELED)
    refuse, ///< do not open it for writing (EBUSY)
};

/// A script that is running.
struct RunningScript {
    std::string name; ///< as given
    dev_t device = 0; ///< with the inode: identifies the file
    ino_t inode = 0;
    uint64_t line = 0; ///< of the command being run, from 1
};

/// The state that commands work on: the open image, requests in flight, and the reporter.
class Session {
public:
    explicit Session(std::string program);
    ~Session();
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    Reporter& out() { return reporter_; }
    AioQueue& aio() { return aio_; }
    /// The failures, for `why`.
    FailureLog& failures() { return failures_; }

    bool is_open() const { return backend_ != nullptr; }
    BlockBackend& backend() { return *backend_; }
    /// Number of the open image, counting all images of this session from 1.
    uint64_t image() const { return images_; }
    /// Takes ownership of an open image.
    void attach(std::unique_ptr<BlockBackend> backend);
    /// Ends all exports, waits for requests in flight, reports them, and closes the image. Does nothing if none is open.
    void close();
    /// Prints notices about the image.
    void show(const std::vector<Notice>& notices);

    /// Lock on the image, held by commands and by everything else that uses the image.
    Turn& turn() { return turn_; }
    /// Exports of the image.
    Exports& exports() { return exports_; }
    /// Waits until nobody uses what an export serves so that its end would harm, after a notice that says who does.
    void wait_until_unused(const Export& served);
    /// Descriptor that is readable when something happened outside of commands, see tell_news().
    int news_fd();
    void tell_news();
    /// Keeps a warning for tell_news(). May be called on any thread, after news_fd(). Of one `subject`, the first few are kept.
    void add_news(const std::string& subject, const std::string& warning);

    /// Submits the pending batch of asynchronous requests. Call it before waiting.
    void kick() {
        if (backend_ && !aio_.empty()) {
            backend_->kick();
        }
    }

    /// Names of images are option strings (--image-opts).
    bool image_opts = false;
    /// Options of a reopen that failed at a later -c, -r or -w. qemu-io applies them with the next reopen.
    Options reopen_leftovers;
    /// Buffers begin 16 bytes after an aligned address (-m).
    bool misalign = false;
    /// Zone of the last offset on a zoned device: the zone of `wp` alone.
    std::optional<uint64_t> current_zone;

    Guard guard = Guard::off;
    /// Asks a question at the terminal; set if the guard asks. `choices` is printed after the question. Returns one of
    /// `letters`, or 0 for any other answer.
    char (*ask)(std::string_view question, std::string_view choices, std::string_view letters) = nullptr;
    /// Asks a yes-or-no question. False if there is no terminal.
    bool confirm(std::string_view question) const { return ask != nullptr && ask(question, "[y/N]", "y") == 'y'; }
    /// The user has answered the guard that the image should be opened read-only.
    bool wants_read_only = false;

    /// Stop after the first command that fails (--errexit).
    bool errexit = false;
    /// Number of failed commands; determines the exit status.
    uint64_t failed_commands = 0;
    /// The running scripts; each was started by the one before it.
    std::vector<RunningScript>& scripts() { return scripts_; }

    /// Memory for the data of one synchronous command, kept from one to the next.
    AlignedBuffer& scratch() { return scratch_; }
    /// Memory for the words of one command, reused likewise.
    std::vector<char*>& words() { return words_; }
    /// Starts a command whose words point into this line.
    void begin_line(const char* line);
    /// The text of the running command from this word to its end, as typed, with quotes.
    std::string text_from(const char* word) const;

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
    std::vector<std::string> news_; ///< guarded by turn_
    std::mutex warnings_lock_;
    std::vector<std::string> warnings_;         ///< of other threads
    std::map<std::string, unsigned> warned_of_; ///< number of warnings of each subject
    uint64_t images_ = 0;
    AlignedBuffer scratch_;
    std::vector<char*> words_;
    const char* line_ = nullptr; ///< the line into which words_ point
    std::vector<RunningScript> scripts_;
};

} // namespace zoneio
