"""What-if: an overlay on the books of a snapshot, played forward by the rules that run live."""
