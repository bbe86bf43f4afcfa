"""Audio sources and the conversion of their sample rates."""
