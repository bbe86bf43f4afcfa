"""The microphone, which may go away and come back, captured in a process of its own."""
