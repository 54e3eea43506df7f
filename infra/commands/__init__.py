"""The commands of `daybook`, one module per group; heavy imports happen inside the commands."""
