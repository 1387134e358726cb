// SPDX-License-Identifier: GPL-3.0-or-later
//
// SIGTERM and SIGHUP during an export are treated as the end of the input, so that requests in flight finish, and no
// socket and no device without a server is left behind.
#pragma once

namespace zoneio {

/// From now on, SIGTERM and SIGHUP only make termination_fd() readable and interrupt the running command.
void delay_termination();
/// SIGTERM and SIGHUP end the program again.
void stop_delaying_termination();

/// Readable after SIGTERM or SIGHUP; -1 if they are not delayed.
int termination_fd();
bool is_termination_wanted();
/// Ends the program by the signal received, if any.
void terminate_if_wanted();

/// Waits until `fd` is readable. False if the program is to end.
bool wait_for_input(int fd);

} // namespace zoneio
