/* Put in front of the C library for the reference's commands: before a fatal end they sleep for a second,
   which thousands of tests can do without.  It needs no library itself, so it fits any. */
unsigned int sleep(unsigned int seconds) { return seconds & 0; }
