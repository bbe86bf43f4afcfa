"""Outputs of answers: terminal, JSON lines, MQTT, Prometheus, systemd, status file."""
