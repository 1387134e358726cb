// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/nbd/connection.h"

#include <chrono>
#include <memory>
#include <mutex>
#include <thread>

namespace zoneio {

/// Makes a connection in a thread of its own: attempts with growing pauses until one succeeds. Not thread-safe: the owner's
/// mutex guards it.
class NbdConnector {
public:
    /// `waited`: requests wait for the connection. Pauses grow from 50 ms to 1 s, otherwise from 1 s to 16 s.
    enum class Haste : uint8_t { background, waited };

    NbdConnector(const NbdLibrary& library, const NbdSettings& settings) : library_(library), settings_(settings) {}
    ~NbdConnector() { abandon(); }
    NbdConnector(const NbdConnector&) = delete;
    NbdConnector& operator=(const NbdConnector&) = delete;

    /// Starts attempts if none are in progress and take() would return nothing; otherwise changes the haste.
    void start(Haste haste);
    /// The connection that was made, once; null if there is none.
    std::unique_ptr<NbdConnection> take();
    /// The caller cannot use what take() returned. The next attempt comes after a pause.
    void reject() { failures_before_++; }
    /// The caller uses what take() returned. The next attempt needs no pause.
    void accept() { failures_before_ = 0; }
    /// Number of attempts that have ended.
    unsigned attempts() const;
    /// Releases the owner's mutex until attempts() differs from `seen`, at most for `longest`.
    void wait(std::unique_lock<std::mutex>& owner, unsigned seen, std::chrono::milliseconds longest);
    /// Ends the attempts. Returns soon even if one hangs in a library.
    void abandon();

private:
    struct Work;
    static void run(Work& work);

    const NbdLibrary& library_;
    const NbdSettings& settings_;
    unsigned failures_before_ = 0;
    unsigned attempts_before_ = 0;
    std::shared_ptr<Work> work_; ///< shared with the thread, which may outlive the connector
    std::thread thread_;
};

} // namespace zoneio
