"""qmqpd(8): mail from qmail's clients, by QMQP."""
