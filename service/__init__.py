"""What the resident service knows and decides: synchronous, no framework, no clock, never commits."""
