"""Mass re-promising: which waiting line gets which supply, under one rule with bounds per strategy."""
