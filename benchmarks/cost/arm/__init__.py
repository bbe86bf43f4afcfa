"""How many 64-bit Arm instructions listening takes, counted in QEMU's user mode on any machine."""
