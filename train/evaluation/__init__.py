"""Predictions of a trained network, and measurements of them."""
