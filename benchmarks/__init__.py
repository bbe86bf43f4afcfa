"""Costs and accuracy of the package, measured on the machine that this runs on."""
