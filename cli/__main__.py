"""`python -m cli` is `guanjia`."""

from cli.app import main

main()
