// SPDX-License-Identifier: GPL-3.0-or-later
//
// SIGTERM and SIGHUP while a device of this kernel is served: the program would leave it behind with nobody to serve it. So
// they are taken for the end of the input.
#pragma once

namespace zoneio {

/// From here on SIGTERM and SIGHUP only make termination_fd() readable.
void delay_termination();
/// They end the program again where they find it.
void stop_delaying_termination();

/// Readable once SIGTERM or SIGHUP has come; -1 when they are not delayed.
int termination_fd();
bool is_termination_wanted();
/// Ends the program by the signal that came, if one did.
void terminate_if_wanted();

/// Waits until `fd` is readable. False when the program is to end.
bool wait_for_input(int fd);

} // namespace zoneio
