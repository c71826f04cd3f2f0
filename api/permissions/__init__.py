"""Who may call what: credentials become a principal, and a principal's role opens root fields."""

from api.permissions.authentication import AuthenticationFailed, Authenticator
from api.permissions.roles import RolePermission, granted_roles, roles

__all__ = ["AuthenticationFailed", "Authenticator", "RolePermission", "granted_roles", "roles"]
