"""Audio files in, a dataset by sides of a split out."""
