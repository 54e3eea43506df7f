"""`python -m infra` is `daybook`."""

from infra.cli import main

if __name__ == "__main__":
    main()
