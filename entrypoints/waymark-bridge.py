"""`waymark-bridge`."""

from waymark.cli.bridge import main

if __name__ == "__main__":
    main()
