"""`waymark-worker`."""

from waymark.cli.worker import main

if __name__ == "__main__":
    main()
