/* A source of accounts that asks a server about names that begin with "slow", and has none: "passwd: files hesiod".
   It is laid over the C library's module of that name; PORT is the server's, on 127.0.0.1. */

struct address {
    unsigned short family, port;
    unsigned char host[4], rest[8];
};

int socket(int, int, int);
int connect(int, const struct address *, unsigned);
long read(int, void *, unsigned long);
long write(int, const void *, unsigned long);
int close(int);

int _nss_hesiod_getpwnam_r(const char *name, void *entry, char *buffer, unsigned long size, int *error)
{
    struct address server = {2, (unsigned short) ((PORT & 255) << 8 | PORT >> 8), {127, 0, 0, 1}, {0}};
    const char *slow = "slow";
    unsigned long length = 0;
    int client;
    char answer;

    for (int place = 0; place < 4; place++)
        if (name[place] != slow[place])
            return 0; /* not found */
    while (name[length])
        length++;
    client = socket(2, 1, 0);
    if (client < 0 || connect(client, &server, sizeof server) != 0)
        return -1; /* not available */
    write(client, name, length);
    read(client, &answer, 1);
    close(client);
    return 0;
}
