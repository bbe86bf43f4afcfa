"""MFCCs of clips and streams."""
