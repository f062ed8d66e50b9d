/* The control of the benchmark: what C does with the same system calls, and senders that are bounded.

   control receive PORT FILE           datagrams: recvmmsg(256), ns timestamp and peer, writev; poll, no sleep
   control link INTERFACE FILE MIB     AF_PACKET: a TPACKET_V3 ring of so many MiB, whole blocks to the file
   control take tcp|unix ADDRESS FILE  one stream: recv of 256 KiB, write
   control move tcp|unix ADDRESS FILE  one stream: splice of 1 MiB, by way of a pipe
   control send udp|link ADDRESS LENGTH  on stdin "COUNT RATE BURST SECONDS": sends, then says how many, in how many ns
   control push tcp|unix ADDRESS BYTES   one stream of so many bytes, then its end

   RATE 0 is as fast as it goes. A receiver writes until SIGTERM; then it says on stdout what it kept and dropped. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { SLOTS = 256, SLOT = 2048, CONTROL = 128, BLOCK = 1 << 18, CHUNK = 1 << 18, PUSH = 1 << 20 };

struct row {
    uint64_t time;
    uint32_t length;
    uint16_t port;
    uint16_t unused;
    uint32_t address;
    uint32_t more;
};

static volatile sig_atomic_t over;

static void end(int number)
{
    (void)number;
    over = 1;
}

static void fail(const char *what)
{
    fprintf(stderr, "control: %s: %s\n", what, strerror(errno));
    exit(1);
}

static uint64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void rest(uint64_t until)
{
    struct timespec t = {(time_t)(until / 1000000000u), (long)(until % 1000000000u)};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

static int created(const char *path)
{
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (file < 0)
        fail(path);
    return file;
}

static void write_all(int file, const char *data, size_t length)
{
    while (length) {
        ssize_t done = write(file, data, length);
        if (done < 0)
            fail("write");
        data += done;
        length -= (size_t)done;
    }
}

static struct sockaddr_in loopback(const char *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

static int receive(const char *port, const char *path)
{
    static char data[SLOTS][SLOT], control[SLOTS][CONTROL];
    static struct sockaddr_in names[SLOTS];
    static struct row rows[SLOTS];
    static struct iovec in[SLOTS], out[2 * SLOTS];
    static struct mmsghdr heads[SLOTS];
    uint64_t kept = 0;
    int on = 1, file = created(path), sock = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in address = loopback(port);

    setsockopt(sock, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
    if (bind(sock, (struct sockaddr *)&address, sizeof address))
        fail("bind");
    for (int i = 0; i < SLOTS; i++) {
        in[i] = (struct iovec){data[i], SLOT};
        heads[i].msg_hdr.msg_name = &names[i];
        heads[i].msg_hdr.msg_iov = &in[i];
        heads[i].msg_hdr.msg_iovlen = 1;
        heads[i].msg_hdr.msg_control = control[i];
        out[2 * i] = (struct iovec){&rows[i], sizeof rows[i]};
        out[2 * i + 1].iov_base = data[i];
    }
    while (!over) {
        struct pollfd ready = {sock, POLLIN, 0};
        if (poll(&ready, 1, -1) < 0)
            continue;
        for (int i = 0; i < SLOTS; i++) {
            heads[i].msg_hdr.msg_namelen = sizeof names[i];
            heads[i].msg_hdr.msg_controllen = CONTROL;
        }
        int count = recvmmsg(sock, heads, SLOTS, MSG_DONTWAIT, NULL);
        ssize_t total = 0;
        for (int i = 0; i < count; i++) {
            struct cmsghdr *said = CMSG_FIRSTHDR(&heads[i].msg_hdr);
            struct timespec stamp = {0, 0};
            if (said && said->cmsg_type == SCM_TIMESTAMPNS)
                memcpy(&stamp, CMSG_DATA(said), sizeof stamp);
            rows[i].time = (uint64_t)stamp.tv_sec * 1000000000u + (uint64_t)stamp.tv_nsec;
            rows[i].length = heads[i].msg_len;
            rows[i].port = names[i].sin_port;
            rows[i].address = names[i].sin_addr.s_addr;
            out[2 * i + 1].iov_len = heads[i].msg_len;
            total += (ssize_t)(sizeof rows[i] + heads[i].msg_len);
        }
        if (count > 0 && writev(file, out, 2 * count) != total)
            fail("writev");
        kept += count > 0 ? (uint64_t)count : 0;
    }
    printf("%llu 0\n", (unsigned long long)kept);
    return 0;
}

static int capture(const char *interface, const char *path, const char *mebibytes)
{
    uint64_t kept = 0;
    int version = TPACKET_V3, file = created(path), sock = socket(AF_PACKET, SOCK_RAW, 0);
    unsigned int blocks = (unsigned int)(atoi(mebibytes) * (1 << 20) / BLOCK);
    struct tpacket_req3 request = {
        .tp_block_size = BLOCK, .tp_block_nr = blocks, .tp_frame_size = 2048, .tp_frame_nr = BLOCK / 2048 * blocks,
        .tp_retire_blk_tov = 20};
    struct sockaddr_ll address = {
        .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = (int)if_nametoindex(interface)};
    struct tpacket_stats_v3 counters;
    socklen_t length = sizeof counters;

    if (sock < 0)
        fail("socket");
    setsockopt(sock, SOL_PACKET, PACKET_VERSION, &version, sizeof version);
    if (setsockopt(sock, SOL_PACKET, PACKET_RX_RING, &request, sizeof request))
        fail("PACKET_RX_RING");
    char *ring = mmap(NULL, (size_t)BLOCK * blocks, PROT_READ | PROT_WRITE, MAP_SHARED, sock, 0);
    if (ring == MAP_FAILED)
        fail("mmap");
    if (bind(sock, (struct sockaddr *)&address, sizeof address))
        fail("bind");
    for (unsigned int at = 0; !over;) {
        struct tpacket_block_desc *block = (void *)(ring + (size_t)at * BLOCK);
        if (!(__atomic_load_n(&block->hdr.bh1.block_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER)) {
            struct pollfd ready = {sock, POLLIN, 0};
            poll(&ready, 1, -1);
            continue;
        }
        write_all(file, (char *)block, block->hdr.bh1.blk_len);
        kept += block->hdr.bh1.num_pkts;
        __atomic_store_n(&block->hdr.bh1.block_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
        at = (at + 1) % blocks;
    }
    getsockopt(sock, SOL_PACKET, PACKET_STATISTICS, &counters, &length);
    printf("%llu %u\n", (unsigned long long)kept, counters.tp_drops);
    return 0;
}

static int endpoint(const char *kind, const char *where, int serve)
{
    int tcp = !strcmp(kind, "tcp"), on = 1;
    int sock = socket(tcp ? AF_INET : AF_UNIX, SOCK_STREAM, 0);
    struct sockaddr_in inet = loopback(where);
    struct sockaddr_un local = {.sun_family = AF_UNIX};
    struct sockaddr *address = tcp ? (struct sockaddr *)&inet : (struct sockaddr *)&local;
    socklen_t length = tcp ? sizeof inet : sizeof local;

    strncpy(local.sun_path, where, sizeof local.sun_path - 1);
    if (!serve) {
        if (connect(sock, address, length))
            fail("connect");
        return sock;
    }
    setsockopt(sock, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(sock, address, length) || listen(sock, 1))
        fail("bind");
    return accept(sock, NULL, NULL);
}

static int take(const char *kind, const char *where, const char *path)
{
    static char data[CHUNK];
    int file = created(path), sock = endpoint(kind, where, 1);
    ssize_t got;

    while ((got = recv(sock, data, sizeof data, 0)) > 0)
        write_all(file, data, (size_t)got);
    return got < 0;
}

static int move(const char *kind, const char *where, const char *path)
{
    int file = created(path), sock = endpoint(kind, where, 1), ends[2];
    ssize_t got;

    if (pipe(ends))
        fail("pipe");
    fcntl(ends[1], F_SETPIPE_SZ, PUSH);
    while ((got = splice(sock, NULL, ends[1], NULL, PUSH, 0)) > 0)
        while (got > 0) {
            ssize_t moved = splice(ends[0], NULL, file, NULL, (size_t)got, 0);
            if (moved <= 0)
                fail("splice");
            got -= moved;
        }
    return got < 0;
}

static int push(const char *kind, const char *where, const char *bytes)
{
    static char data[PUSH];
    long long left = atoll(bytes);
    int sock = endpoint(kind, where, 0);

    memset(data, 'x', sizeof data);
    alarm(120);
    while (left > 0) {
        ssize_t sent = send(sock, data, left < PUSH ? (size_t)left : PUSH, MSG_NOSIGNAL);
        if (sent < 0)
            fail("send");
        left -= sent;
    }
    return 0;
}

static int open_sender(const char *kind, const char *where)
{
    if (!strcmp(kind, "udp")) {
        int sock = socket(AF_INET, SOCK_DGRAM, 0);
        struct sockaddr_in address = loopback(where);
        if (connect(sock, (struct sockaddr *)&address, sizeof address))
            fail("connect");
        return sock;
    }
    int on = 1, sock = socket(AF_PACKET, SOCK_RAW, 0);
    struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(where)};
    if (sock < 0 || bind(sock, (struct sockaddr *)&address, sizeof address))
        fail("bind");
    setsockopt(sock, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof on);
    return sock;
}

static int sender(const char *kind, const char *where, const char *bytes)
{
    static char data[65536], line[128];
    static struct iovec one;
    static struct mmsghdr heads[SLOTS];
    unsigned long long count, rate, burst, seconds;
    int sock = open_sender(kind, where);

    memset(data, 'x', sizeof data);
    if (!strcmp(kind, "link"))
        memcpy(data, "\377\377\377\377\377\377\2\0\0\0\0\1\210\265", 14); /* to all, of a local experiment's type */
    one = (struct iovec){data, (size_t)atoi(bytes)};
    for (int i = 0; i < SLOTS; i++) {
        heads[i].msg_hdr.msg_iov = &one;
        heads[i].msg_hdr.msg_iovlen = 1;
    }
    while (fgets(line, sizeof line, stdin) && sscanf(line, "%llu %llu %llu %llu", &count, &rate, &burst, &seconds) == 4) {
        uint64_t began = now(), sent = 0, passed = 0;
        while (sent < count && passed < seconds * 1000000000u) {
            uint64_t due = rate ? passed * rate / 1000000000u : count;
            due = due > count ? count : due;
            if (rate && due < sent + burst && due < count) {
                if (burst > 1) /* nobody wakes in time for a single one: it is waited for without sleep */
                    rest(began + (sent + burst) * 1000000000u / rate);
            } else {
                uint64_t most = due - sent < SLOTS ? due - sent : SLOTS;
                int done = sendmmsg(sock, heads, (unsigned int)most, 0);
                if (done < 0 && errno != ENOBUFS && errno != EAGAIN && errno != ECONNREFUSED)
                    fail("sendmmsg");
                sent += done > 0 ? (uint64_t)done : 0;
            }
            passed = now() - began;
        }
        printf("%llu %llu\n", (unsigned long long)sent, (unsigned long long)passed);
        fflush(stdout);
    }
    return 0;
}

int main(int count, char **words)
{
    struct sigaction action = {.sa_handler = end};

    sigaction(SIGTERM, &action, NULL);
    if (count == 4 && !strcmp(words[1], "receive"))
        return receive(words[2], words[3]);
    if (count == 5 && !strcmp(words[1], "link"))
        return capture(words[2], words[3], words[4]);
    if (count == 5 && !strcmp(words[1], "take"))
        return take(words[2], words[3], words[4]);
    if (count == 5 && !strcmp(words[1], "send"))
        return sender(words[2], words[3], words[4]);
    if (count == 5 && !strcmp(words[1], "move"))
        return move(words[2], words[3], words[4]);
    if (count == 5 && !strcmp(words[1], "push"))
        return push(words[2], words[3], words[4]);
    fprintf(stderr, "control: receive, link, take, move, send or push; see control.c\n");
    return 2;
}
