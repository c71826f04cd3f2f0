"""What one caller may ask for: the static cost of a document, and how much of it per minute."""

from api.limits.cost import LIMITS, Figures, Limits, beyond, check_limits, sizes_in
from api.limits.rates import RateLimiter, Throttled

__all__ = ["LIMITS", "Figures", "Limits", "RateLimiter", "Throttled", "beyond", "check_limits", "sizes_in"]
