"""64-bit Arm instructions of listening, counted in an emulator."""
