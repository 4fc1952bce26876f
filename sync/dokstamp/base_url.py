"""Where DokStamp is, as a person wrote it into a setting."""

import yarl

from sync.errors import ConfigurationError


def checked_base_url(base_url: str) -> str:
    """Return the address without a slash at its end; raises ConfigurationError for none."""
    try:
        url = yarl.URL(base_url.strip())
    except ValueError:
        url = yarl.URL()
    has_extras = url.query_string or url.fragment or url.user or url.password
    if url.scheme not in {"http", "https"} or not url.host or has_extras:
        message = (
            "DOKSTAMP_BASE_URL is not an address such as https://api.dokstamp.com, "
            "without user, query or fragment"
        )
        raise ConfigurationError(message)
    return str(url).rstrip("/")
