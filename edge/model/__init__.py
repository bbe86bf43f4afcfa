"""Model files, native runtimes, and models on an audio stream."""
