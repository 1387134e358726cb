"""The parts of scripts/zoned-vm: kernel (where the kernel comes from), image (the guest's files), machine (QEMU)."""
