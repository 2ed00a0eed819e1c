"""No cookies: what one account was told by a network is not repeated for another."""

from http.cookiejar import CookieJar, DefaultCookiePolicy


def no_cookies() -> CookieJar:
    """Return a jar that takes nothing in and gives nothing out."""
    return CookieJar(policy=DefaultCookiePolicy(allowed_domains=[]))
