"""`waymark-start-workers`."""

from waymark.cli.start_workers import main

if __name__ == "__main__":
    main()
