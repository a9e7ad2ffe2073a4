"""qmgr(8): the active queue, from incoming and deferred mail to delivery agents."""
