"""pyfix: a drop-in Postfix in Python."""

CONFIG_DIRECTORY = "/etc/postfix"
"""Where main.cf is unless MAIL_CONFIG or ``-c`` says otherwise; the launchers of an installation set their own."""

SITE_DEFAULTS: dict[str, str] = {}
"""Defaults of parameters that are not Postfix's own here but those of the distribution whose Postfix pyfix replaced;
the launchers of such an installation set them, before any parameter is declared."""
