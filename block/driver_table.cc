// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/node/driver_rows.h"

#include <array>

namespace zoneio {

std::span<const DriverInfo> driver_table() {
    static const std::array table{blkdebug_driver, blklogwrites_driver, copy_on_read_driver, file_driver,
                                  host_cdrom_driver, host_device_driver, nbd_driver, null_aio_driver, null_co_driver,
                                  raw_driver, throttle_driver, zoned_driver};
    return table;
}

const DriverInfo* find_driver(std::string_view name) {
    for (const DriverInfo& info : driver_table()) {
        if (info.name == name) {
            return &info;
        }
    }
    return nullptr;
}

} // namespace zoneio
