// SPDX-License-Identifier: GPL-3.0-or-later
//
// The rows of the driver table, each defined in its driver's own file.
#pragma once

#include "block/node/open_context.h"

namespace zoneio {

extern const DriverInfo blkdebug_driver;
extern const DriverInfo blklogwrites_driver;
extern const DriverInfo copy_on_read_driver;
extern const DriverInfo file_driver;
extern const DriverInfo host_cdrom_driver;
extern const DriverInfo host_device_driver;
extern const DriverInfo nbd_driver;
extern const DriverInfo null_aio_driver;
extern const DriverInfo null_co_driver;
extern const DriverInfo raw_driver;
extern const DriverInfo throttle_driver;
extern const DriverInfo zoned_driver;

} // namespace zoneio
