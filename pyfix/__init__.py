"""pyfix: a drop-in Postfix in Python."""

CONFIG_DIRECTORY = "/etc/postfix"
"""Where main.cf is unless MAIL_CONFIG or ``-c`` says otherwise; the launchers of an installation set their own."""
