/*
 * node.c - the servers of the run: made, started, stopped, killed, stopped still.
 *
 * A server is a child of the director, so that its end is noticed and that it
 * ends with the director.  Where root may mount, all lives on tmpfs in a mount
 * namespace of the run's own, which leaves nothing behind and can be filled up;
 * the log of writes is elsewhere, for a server that can't write it must stop.
 */
#include "attack.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define BASE_PORT 5001
#define CHILDREN_MAX 200

static struct
{
    const char *bindir;
    struct passwd *owner; /* NULL: ourselves */
    char place[200];      /* of data, sockets and what fills the disk */
    char wal[200];
    char settings[1500];
    int room;
    pid_t pids[NODES];
    pid_t director;
    long log_read[NODES];
} nodes;

int node_port(int node)
{
    return BASE_PORT + node;
}

void node_set_room(int size)
{
    nodes.room = size;
}

/* ---- programs of PostgreSQL, as the user who may run them ---- */

static void become_owner(void)
{
    if (nodes.owner == NULL)
        return;
    if (setgid(nodes.owner->pw_gid) != 0 || setuid(nodes.owner->pw_uid) != 0)
        _exit(126);
}

static void log_to(int node)
{
    char path[700];
    int fd;

    snprintf(path, sizeof(path), "%s/server-%d.log", the->directory, node);
    fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0644);
    dup2(fd, 1);
    dup2(fd, 2);
}

static pid_t spawn(int node, char *const argv[])
{
    char program[500];
    pid_t pid = fork();

    if (pid != 0)
        return pid;
    log_to(node);
    become_owner();
    /* After the change of user, which would undo it. */
    prctl(PR_SET_PDEATHSIG, SIGQUIT);
    snprintf(program, sizeof(program), "%s/%s", nodes.bindir, argv[0]);
    if (chdir("/") == 0)
        execv(program, argv);
    _exit(127);
}

static void run_program(int node, char *const argv[])
{
    int status;
    pid_t pid = spawn(node, argv);

    if (waitpid(pid, &status, 0) != pid || status != 0)
        die("%s failed: see %s/server-%d.log", argv[0], the->directory, node);
}

static const char *data_of(int node)
{
    static char paths[NODES][300];

    snprintf(paths[node], sizeof(paths[node]), "%s/data-%d", nodes.place, node);
    return paths[node];
}

static const char *wal_of(int node)
{
    static char paths[NODES][300];

    snprintf(paths[node], sizeof(paths[node]), "%s/wal-%d", nodes.wal, node);
    return paths[node];
}

static void remove_tree(const char *path)
{
    char command[400];

    snprintf(command, sizeof(command), "rm -rf '%s'", path);
    if (system(command) != 0)
        die("%s cannot be removed", path);
}

/* ---- where they live ---- */

static void make_directory(const char *path)
{
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        die("%s: %s", path, strerror(errno));
    if (nodes.owner != NULL && chown(path, nodes.owner->pw_uid, nodes.owner->pw_gid) != 0)
        die("%s: %s", path, strerror(errno));
}

/* Our own mounts on two directories; false when that is not allowed. */
static bool mount_small(const char *wal)
{
    return unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("tmpfs", nodes.place, "tmpfs", 0, "size=256m") == 0 &&
           (mkdir(wal, 0700) == 0 || errno == EEXIST) &&
           mount("tmpfs", wal, "tmpfs", 0, "size=2g") == 0;
}

static void remove_place(void)
{
    char command[900];

    if (strncmp(nodes.place, "/var/tmp/paos-attack-", 21) != 0)
        return;
    snprintf(command, sizeof(command), "umount -q -l '%s' '%s' 2>/dev/null; rm -rf '%s'", nodes.wal,
             nodes.place, nodes.place);
    if (system(command) != 0)
        fprintf(stderr, "attack: %s remains\n", nodes.place);
}

/* However the director ends, short of being killed; servers end with it. */
static void remove_at_exit(void)
{
    if (getpid() != nodes.director)
        return;
    for (int node = 0; node < NODES; node++)
        if (nodes.pids[node] != 0)
            node_kill(node);
    remove_place();
}

static void make_place(bool *small_disk)
{
    snprintf(nodes.place, sizeof(nodes.place), "/var/tmp/paos-attack-XXXXXX");
    if (mkdtemp(nodes.place) == NULL)
        die("no directory: %s", strerror(errno));
    nodes.director = getpid();
    atexit(remove_at_exit);
    snprintf(nodes.wal, sizeof(nodes.wal), "%.180s/wal", nodes.place);
    *small_disk = geteuid() == 0 && mount_small(nodes.wal);
    make_directory(nodes.place);
    make_directory(nodes.wal);
    snprintf(the->sockets, sizeof(the->sockets), "%.100s", nodes.place);
}

void nodes_init(const char *user, bool preload, const char *destdir, const char *libdir,
                bool *small_disk)
{
    static char bindir[400];
    FILE *config = popen("${PG_CONFIG:-pg_config} --bindir", "r");

    if (config == NULL || fscanf(config, "%399s", bindir) != 1)
        die("no pg_config");
    pclose(config);
    nodes.bindir = bindir;
    nodes.owner = geteuid() == 0 ? getpwnam(user) : NULL;
    make_place(small_disk);
    snprintf(nodes.settings, sizeof(nodes.settings),
             "listen_addresses = ''\nunix_socket_directories = '%s'\nmax_connections = 80\n"
             "shared_buffers = 32MB\nfsync = off\nmax_prepared_transactions = 20\n"
             "synchronous_standby_names = '*'\nsynchronous_commit = local\nwal_keep_size = 64MB\n"
             "max_wal_size = 256MB\ndeadlock_timeout = 100ms\nlog_line_prefix = '%%m [%%p] %%a '\n"
             "shared_preload_libraries = '%s'\n%s%s%s%s%s%s",
             the->sockets, preload ? "paos" : "", destdir ? "extension_destdir = '" : "",
             destdir ? destdir : "", destdir ? "'\n" : "", libdir ? "dynamic_library_path = '" : "",
             libdir ? libdir : "", libdir ? "'\n" : "");
}

/* ---- starting ---- */

static void write_settings(int node)
{
    char path[400];
    FILE *file;

    snprintf(path, sizeof(path), "%s/postgresql.conf", data_of(node));
    file = fopen(path, "a");
    if (file == NULL || fputs(nodes.settings, file) < 0 || fclose(file) != 0)
        die("%s cannot be written", path);
}

void node_create(int node)
{
    char waldir[350];
    char *argv[] = {"initdb", "-D",   (char *) data_of(node), "-U",        "boss", "-A", "trust",
                    "-E",     "UTF8", "--locale=C",           "--no-sync", waldir, NULL};

    snprintf(waldir, sizeof(waldir), "--waldir=%s", wal_of(node));
    run_program(node, argv);
    write_settings(node);
}

static bool accepts(void *arg)
{
    char conninfo[300];
    int node = *(int *) arg;

    if (waitpid(nodes.pids[node], NULL, WNOHANG) == nodes.pids[node])
        nodes.pids[node] = 0;
    if (nodes.pids[node] == 0)
        return true;
    snprintf(conninfo, sizeof(conninfo), "host=%s port=%d user=boss dbname=postgres", the->sockets,
             node_port(node));
    return PQping(conninfo) == PQPING_OK;
}

void node_start(int node)
{
    char port[20], ring[50], mailbox[50];
    char *argv[] = {"postgres", "-D", (char *) data_of(node), "-p", port, "-c", ring, "-c",
                    mailbox,    NULL};

    snprintf(port, sizeof(port), "%d", node_port(node));
    snprintf(ring, sizeof(ring), "paos.ring_size=%d", nodes.room ? nodes.room : 8192);
    snprintf(mailbox, sizeof(mailbox), "paos.mailbox_size=%d", nodes.room ? nodes.room : 100000);
    the->cramped = nodes.room != 0;
    the->was_cramped |= the->cramped;
    nodes.pids[node] = spawn(node, argv);
    if (!wait_for(accepts, &node, 60000) || nodes.pids[node] == 0)
        die("server %d does not start: see %s/server-%d.log", node, the->directory, node);
}

/* ---- ending ---- */

static int children_of(pid_t parent, pid_t *children)
{
    DIR *proc = opendir("/proc");
    struct dirent *entry;
    int n = 0;

    while (proc != NULL && (entry = readdir(proc)) != NULL)
    {
        char path[300];
        int of = 0;
        FILE *file;

        snprintf(path, sizeof(path), "/proc/%.20s/stat", entry->d_name);
        if (atoi(entry->d_name) == 0 || (file = fopen(path, "r")) == NULL)
            continue;
        if (fscanf(file, "%*d (%*[^)]) %*c %d", &of) == 1 && of == parent && n < CHILDREN_MAX)
            children[n++] = atoi(entry->d_name);
        fclose(file);
    }
    if (proc != NULL)
        closedir(proc);
    return n;
}

static void await_end(pid_t pid, int limit_ms)
{
    int fd = (int) syscall(SYS_pidfd_open, pid, 0);
    struct pollfd end = {fd, POLLIN, 0};

    if (fd < 0)
        return;
    if (poll(&end, 1, limit_ms) == 0)
        kill(pid, SIGKILL);
    close(fd);
}

/* kill -9; what it leaves behind is gone when this returns, for a new server would not start
 * before. */
void node_kill(int node)
{
    pid_t children[CHILDREN_MAX];
    int n = children_of(nodes.pids[node], children);

    kill(nodes.pids[node], SIGKILL);
    waitpid(nodes.pids[node], NULL, 0);
    nodes.pids[node] = 0;
    for (int i = 0; i < n; i++)
        await_end(children[i], 10000);
}

static bool has_ended(void *arg)
{
    int node = *(int *) arg;

    if (waitpid(nodes.pids[node], NULL, WNOHANG) == nodes.pids[node])
        nodes.pids[node] = 0;
    return nodes.pids[node] == 0;
}

void node_stop(int node, int signal)
{
    kill(nodes.pids[node], signal);
    if (wait_for(has_ended, &node, 30000))
        return;
    violation("server %d did not stop within 30 s of signal %d", node, signal);
    node_kill(node);
}

void node_stall(int node, bool stall)
{
    pid_t children[CHILDREN_MAX];
    int n = children_of(nodes.pids[node], children);

    kill(nodes.pids[node], stall ? SIGSTOP : SIGCONT);
    for (int i = 0; i < n; i++)
        kill(children[i], stall ? SIGSTOP : SIGCONT);
}

void node_end_all(void)
{
    for (int node = 0; node < NODES; node++)
        if (nodes.pids[node] != 0)
            node_stop(node, SIGQUIT);
}

/* ---- the second server ---- */

static bool replicates(void *arg)
{
    return sql_number(arg, "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming' AND "
                           "sync_state = 'sync'") == 1;
}

/* Makes and starts a synchronous standby. */
void node_standby(int node, int primary)
{
    char from[300], waldir[350];
    char *argv[] = {
        "pg_basebackup", "-D", (char *) data_of(node), "-d", from, "-R", "-c", "fast", "--no-sync",
        waldir,          NULL};
    PGconn *pg;

    remove_tree(data_of(node));
    remove_tree(wal_of(node));
    snprintf(from, sizeof(from), "host=%s port=%d user=boss", the->sockets, node_port(primary));
    snprintf(waldir, sizeof(waldir), "--waldir=%s", wal_of(node));
    run_program(node, argv);
    node_start(node);
    pg = node_connect(primary);
    if (!wait_for(replicates, pg, 60000))
        die("the standby does not replicate");
    PQfinish(pg);
}

/* ---- a full disk, and the log ---- */

void node_fill_disk(bool fill)
{
    static const char zeroes[65536];
    char path[300];
    int fd;

    snprintf(path, sizeof(path), "%s/filler", nodes.place);
    if (!fill)
    {
        unlink(path);
        return;
    }
    fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    for (size_t size = sizeof(zeroes); size >= 512; size /= 2)
        while (write(fd, zeroes, size) == (ssize_t) size)
            ;
    close(fd);
}

static bool says_crash(const char *line)
{
    static const char *const words[] = {
        "PANIC",        "TRAP",         "by signal 4:", "by signal 6:",
        "by signal 7:", "by signal 8:", "by signal 11:"};

    for (size_t i = 0; i < COUNT(words); i++)
        if (strstr(line, words[i]) != NULL)
            return true;
    return false;
}

/* Looks through what the servers have logged since it was last asked. */
bool node_crashed(char *line, size_t size)
{
    bool found = false;

    for (int node = 0; node < NODES; node++)
    {
        char path[700];
        FILE *file;

        snprintf(path, sizeof(path), "%s/server-%d.log", the->directory, node);
        if ((file = fopen(path, "r")) == NULL)
            continue;
        fseek(file, nodes.log_read[node], SEEK_SET);
        while (!found && fgets(line, (int) size, file) != NULL)
            found = says_crash(line);
        nodes.log_read[node] = ftell(file);
        fclose(file);
    }
    return found;
}

/* ---- the director's own sessions ---- */

static bool connects(void *arg)
{
    PGconn **pg = arg;

    if (*pg != NULL && PQstatus(*pg) == CONNECTION_OK)
        return true;
    if (*pg != NULL)
        PQreset(*pg);
    return *pg != NULL && PQstatus(*pg) == CONNECTION_OK;
}

PGconn *node_connect(int node)
{
    char conninfo[300];
    PGconn *pg;

    snprintf(conninfo, sizeof(conninfo),
             "host=%s port=%d user=boss dbname=paos application_name=director connect_timeout=10 "
             "options='-c statement_timeout=60s'",
             the->sockets, node_port(node));
    pg = PQconnectdb(conninfo);
    if (!wait_for(connects, &pg, 60000))
        die("server %d cannot be reached: %s", node, PQerrorMessage(pg));
    return pg;
}
