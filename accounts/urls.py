"""Signing in and out."""

from django.conf import settings
from django.contrib.auth import views
from django.urls import path

# Django puts the host's name under "site_name", where every public page has the archive's.
PAGE = {"site_name": settings.SITE_NAME}

app_name = "accounts"
urlpatterns = [
    path("sign-in/", views.LoginView.as_view(template_name="sign_in.html", extra_context=PAGE), name="sign-in"),
    path("sign-out/", views.LogoutView.as_view(), name="sign-out"),
]
