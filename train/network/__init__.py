"""Networks, their batches and the training loop."""
