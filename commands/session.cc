// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/session.h"

#include "commands/text/safe_text.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace zoneio {

Session::Session(std::string program) : reporter_(std::move(program), &failures_), aio_(reporter_, failures_) {}

Session::~Session() {
    close();
}

void Session::attach(std::unique_ptr<BlockBackend> backend) {
    backend_ = std::move(backend);
    current_zone.reset();
    failures_.set_image(++images_);
    backend_->set_listeners([this](std::string_view text) { listen(text); },
                            [this] { turn_.is_held() ? aio_.report_done(*backend_) : note_news(); });
}

void Session::begin_line(const char* line) {
    failures_.begin(line);
    line_ = line;
}

std::string Session::text_from(const char* word) const {
    const std::string& line = failures_.line();
    const auto at = static_cast<size_t>(word - line_);
    const bool is_quoted = at > 0 && (line[at - 1] == '\'' || line[at - 1] == '"');
    return line.substr(is_quoted ? at - 1 : at);
}

/// Prints a message about the image. While another thread has the turn, keeps it for the session to print.
void Session::listen(std::string_view text) {
    if (turn_.is_held()) {
        reporter_.print("{}\n", for_terminal(STDOUT_FILENO, text));
    } else {
        news_.emplace_back(text);
        note_news();
    }
}

int Session::news_fd() {
    if (!news_event_.valid()) {
        news_event_ = FileDescriptor(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    }
    return news_event_.get();
}

void Session::note_news() {
    const uint64_t one = 1;
    (void)!write(news_event_.get(), &one, sizeof(one));
}

void Session::add_news(const std::string& subject, const std::string& warning) {
    // Others may go on for ever.
    constexpr unsigned most_warnings = 5;
    const std::lock_guard lock(warnings_lock_);
    const unsigned number = ++warned_of_[subject];
    if (number > most_warnings) {
        return;
    }
    warnings_.push_back(fmt::format("{}: {}{}", subject, warning, number == most_warnings ? " (the last one that is told)" : ""));
    note_news();
}

void Session::tell_news() {
    const Turn::Hold hold(turn_);
    uint64_t ignored = 0;
    (void)!read(news_event_.get(), &ignored, sizeof(ignored));
    for (const std::string& text : std::exchange(news_, {})) {
        reporter_.print("{}\n", for_terminal(STDOUT_FILENO, text));
    }
    const std::lock_guard lock(warnings_lock_);
    for (const std::string& text : std::exchange(warnings_, {})) {
        reporter_.warning(for_terminal(STDERR_FILENO, text));
    }
    if (backend_) {
        aio_.report_finished(*backend_);
    }
}

void Session::close() {
    if (backend_) {
        for (const std::unique_ptr<Export>& served : exports_.all()) {
            wait_until_unused(*served);
        }
        exports_.stop_all();
        const Turn::Hold hold(turn_);
        aio_.finish(*backend_);
        show(BlockBackend::close(std::move(backend_)));
    }
}

void Session::wait_until_unused(const Export& served) {
    constexpr int between_looks_ms = 100;
    std::string told;
    for (Status status = exports_.check_unused(served); !status.ok(); status = exports_.check_unused(served)) {
        if (std::string text = status.message(); text != told) {
            reporter_.notice(fmt::format("{}; waiting until it is not", text));
            reporter_.flush();
            told = std::move(text);
        }
        const Turn::Pause pause(turn_);
        (void)poll(nullptr, 0, between_looks_ms);
    }
}

void Session::show(const std::vector<Notice>& notices) {
    for (const Notice& notice : notices) {
        notice.is_warning ? reporter_.warning(notice.text) : reporter_.notice(notice.text);
    }
}

} // namespace zoneio
