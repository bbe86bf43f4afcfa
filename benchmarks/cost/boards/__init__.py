"""Reports of edge-benchmark from boards, and one table of them all."""
