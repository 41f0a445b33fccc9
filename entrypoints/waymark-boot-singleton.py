"""`waymark-boot-singleton`."""

from waymark.cli.boot_singleton import main

if __name__ == "__main__":
    main()
