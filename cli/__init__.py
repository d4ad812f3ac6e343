"""The one command, `guanjia`: it opens the rooms and runs them."""
