"""The people who sign in. Knows nothing of the archive."""

from django.contrib.auth.models import AbstractUser


class User(AbstractUser):
    """Someone with an account. What they may do is decided by their groups; see ``accounts.roles``."""
