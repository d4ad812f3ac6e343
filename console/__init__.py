"""The staff's web door: a row a page, and what all pages need in one place. How to add a topic: docs/rooms.md."""
