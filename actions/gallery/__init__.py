"""The edits that were made: found, shown, made again, copied, and taken away as a plan."""
