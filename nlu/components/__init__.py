"""Rasa graph components of Guanjia, and the plain modules they are thin coats over."""
