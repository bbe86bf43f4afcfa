"""What the package costs and how right it is, measured on the machine that this runs on."""
