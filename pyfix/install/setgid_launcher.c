/*
 * Runs one pyfix command with the rights of setgid_group.
 *
 * A script can't be set-gid, so postdrop(1) and postqueue(1) are this program, mode 2755, group setgid_group.
 * Everything that decides what runs is fixed when it is compiled:
 *
 *   PYTHON  absolute path of the interpreter
 *   SCRIPT  absolute path of the command's launcher
 *
 * From the caller come the arguments, the open descriptors 0, 1 and 2 and a few named variables; nothing else.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#if !defined(PYTHON) || !defined(SCRIPT)
#error "compile with -DPYTHON=\"...\" -DSCRIPT=\"...\""
#endif

/* What the command itself looks at; it checks MAIL_CONFIG against the authorised directories. */
static const char *const kept[] = { "MAIL_CONFIG", "MAIL_LOGTAG", "TZ", "POSTLOG_SERVICE", "POSTLOG_HOSTNAME" };

#define KEPT (sizeof(kept) / sizeof(kept[0]))
#define LONGEST_VALUE 1024

static void die(const char *what)
{
    fprintf(stderr, "pyfix: fatal: %s: %s\n", what, strerror(errno));
    exit(75);                                   /* EX_TEMPFAIL: whoever queues mail tries again */
}

/* Closes what the caller left open beside 0, 1 and 2. */
static void close_others(void)
{
    struct rlimit limit;
    rlim_t descriptor;

#ifdef SYS_close_range
    if (syscall(SYS_close_range, 3U, ~0U, 0U) == 0)
        return;
#endif
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        die("getrlimit");
    for (descriptor = 3; descriptor < limit.rlim_cur && descriptor < 65536; descriptor++)
        close((int) descriptor);
}

/* A zone may be a name below the system's zone folder, never a file of the caller's choice. */
static int is_safe(const char *name, const char *value)
{
    if (strlen(value) > LONGEST_VALUE)
        return 0;
    return strcmp(name, "TZ") != 0 || (value[0] != '/' && value[0] != ':' && strstr(value, "..") == NULL);
}

int main(int argc, char **argv)
{
    static char path[] = "PATH=/usr/bin:/bin", language[] = "LC_ALL=C.UTF-8", interpreter[] = PYTHON;
    static char options[] = "-ISBXutf8", script[] = SCRIPT;
    char *environment[KEPT + 3];
    char **arguments;
    struct rlimit core = { 0, 0 };
    struct stat status;
    sigset_t none;
    size_t entries = 0, i;
    int descriptor, number, argument;

    if (argc < 1)
        return 75;

    /* A closed 0, 1 or 2 would become the first file that the command opens. */
    for (descriptor = 0; descriptor <= 2; descriptor++)
        if (fstat(descriptor, &status) < 0 && open("/dev/null", O_RDWR) != descriptor)
            die("open /dev/null");

    close_others();

    /* The caller's signal settings and a core file are no business of a privileged process. */
    for (number = 1; number < NSIG; number++)
        if (number != SIGHUP)                   /* nohup(1) is */
            signal(number, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setrlimit(RLIMIT_CORE, &core);
    umask(022);

    for (i = 0; i < KEPT; i++) {
        const char *value = getenv(kept[i]);
        size_t size;

        if (value == NULL || !is_safe(kept[i], value))
            continue;
        size = strlen(kept[i]) + strlen(value) + 2;
        if ((environment[entries] = malloc(size)) == NULL)
            die("malloc");
        snprintf(environment[entries++], size, "%s=%s", kept[i], value);
    }
    environment[entries++] = path;
    environment[entries++] = language;
    environment[entries] = NULL;

    if ((arguments = malloc(((size_t) argc + 4) * sizeof(*arguments))) == NULL)
        die("malloc");
    arguments[0] = interpreter;
    arguments[1] = options;
    arguments[2] = script;
    for (argument = 1; argument < argc; argument++)
        arguments[argument + 2] = argv[argument];
    arguments[argc + 2] = NULL;

    execve(interpreter, arguments, environment);
    die(interpreter);
    return 75;
}
