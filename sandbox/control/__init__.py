"""The control API under ``/sim``: play resident and staff, turn the clock, break things, look behind the scenes."""
