/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * flood - SYNs from strangers, so many a second for so long, into a namespace of perf/linux.
 *
 *   flood INTERFACE MAC ADDRESS PORT RATE SECONDS
 *
 * Frames are a Linux client's SYNs of 74 bytes with random ports and numbers, from addresses
 * of 198.18.0.0/15, which are for benchmarks and nobody's. Rate and time are bounded, and it
 * refuses to run where anything could leave: on no other interface than a veth, and in no
 * namespace with another interface up or a default route.
 * Prints how many were sent, as JSON.
 */
#include <arpa/inet.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <linux/ethtool.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>

#define FRAME_BYTES 74
#define BATCH       32
#define RATE_MAX    1000000ul
#define SECONDS_MAX 60ul

struct target {
	uint8_t mac[6], own_mac[6];
	uint32_t addr; /* network order */
	uint16_t port;
	unsigned long rate, seconds;
};

static _Noreturn void
fail(const char *why)
{
	fprintf(stderr, "flood: %s\n", why);
	exit(EXIT_FAILURE);
}

static bool
is_veth(int fd, const char *interface)
{
	struct ethtool_drvinfo info = { .cmd = ETHTOOL_GDRVINFO };
	struct ifreq r = { .ifr_data = (void *)&info };

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", interface);
	return ioctl(fd, SIOCETHTOOL, &r) == 0 && strcmp(info.driver, "veth") == 0;
}

static bool
is_up(int fd, const char *interface)
{
	struct ifreq r = { 0 };

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", interface);
	return ioctl(fd, SIOCGIFFLAGS, &r) != 0 || (r.ifr_flags & IFF_UP);
}

static bool
has_default_route(void)
{
	char line[256], to[16];
	FILE *f = fopen("/proc/net/route", "r");
	bool has = f == NULL;

	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		has |= sscanf(line, "%*s %15s", to) == 1 && strcmp(to, "00000000") == 0;
	if (f != NULL)
		fclose(f);
	return has;
}

/* Whether nothing is up here but the loopback and this veth, and no route leads away. */
static bool
is_closed_in(int fd, const char *interface)
{
	struct if_nameindex *all = if_nameindex();
	bool alone = all != NULL && is_veth(fd, interface) && !has_default_route();

	for (struct if_nameindex *i = all; i != NULL && i->if_index != 0; i++)
		if (strcmp(i->if_name, "lo") != 0 && strcmp(i->if_name, interface) != 0)
			alone &= !is_up(fd, i->if_name);
	if_freenameindex(all);
	return alone;
}

static uint64_t
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint64_t
next_random(void)
{
	static uint64_t x = 88172645463325252;

	x ^= x << 13;
	x ^= x >> 7;
	return x ^= x << 17;
}

static uint32_t
sum(uint32_t sum, const uint8_t *p, int n)
{
	for (int i = 0; i < n; i += 2)
		sum += (uint32_t)p[i] << 8 | p[i + 1];
	return sum;
}

static void
put_sum(uint8_t *p, uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = ~(sum + (sum >> 16));
	p[0] = (uint8_t)(sum >> 8);
	p[1] = (uint8_t)sum;
}

static void
put16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

/* What all frames have in common. */
static void
prepare(uint8_t *f, const struct target *t)
{
	static const uint8_t ip[20] = { 0x45, 0, 0, 60, 0, 0, 0x40, 0, 64, 6, 0, 0, 198, 18 };
	static const uint8_t options[20] = { 2, 4, 5, 0xb4, 4, 2, 8, 10, [16] = 1, 3, 3, 7 };

	memset(f, 0, FRAME_BYTES);
	memcpy(f, t->mac, 6);
	memcpy(f + 6, t->own_mac, 6);
	put16(f + 12, ETH_P_IP);
	memcpy(f + 14, ip, sizeof(ip));
	memcpy(f + 30, &t->addr, 4);
	put16(f + 36, t->port);
	f[46] = 10 << 4; /* header length in words */
	f[47] = 2;       /* SYN */
	put16(f + 48, 64240);
	memcpy(f + 54, options, sizeof(options));
}

/* Another stranger's. */
static void
vary(uint8_t *f)
{
	uint64_t r = next_random(), numbers = next_random();

	f[27] = 18 + (r & 1);
	memcpy(f + 28, (uint8_t *)&r + 1, 2);
	memcpy(f + 34, (uint8_t *)&r + 3, 2);
	f[34] |= 0x80; /* ports of clients */
	memcpy(f + 38, &numbers, 4);
	memcpy(f + 62, (uint8_t *)&numbers + 4, 4);
	f[24] = f[25] = f[50] = f[51] = 0;
	put_sum(f + 24, sum(0, f + 14, 20));
	put_sum(f + 50, sum(sum(6 + 40, f + 26, 8), f + 34, 40));
}

static struct sockaddr_ll
find(const char *interface)
{
	struct sockaddr_ll at = { .sll_family = AF_PACKET, .sll_halen = 6 };

	at.sll_ifindex = (int)if_nametoindex(interface);
	if (at.sll_ifindex == 0)
		fail("no such interface");
	return at;
}

static void
flood(int fd, struct sockaddr_ll *at, const struct target *t)
{
	static uint8_t frame[BATCH][FRAME_BYTES];
	struct mmsghdr msg[BATCH];
	struct iovec iov[BATCH];
	uint64_t begin = now_ns(), sent = 0, refused = 0, all = t->rate * t->seconds;

	memset(msg, 0, sizeof(msg));
	for (int i = 0; i < BATCH; i++) {
		prepare(frame[i], t);
		iov[i] = (struct iovec){ frame[i], FRAME_BYTES };
		msg[i].msg_hdr.msg_iov = &iov[i];
		msg[i].msg_hdr.msg_iovlen = 1;
		msg[i].msg_hdr.msg_name = at;
		msg[i].msg_hdr.msg_namelen = sizeof(*at);
	}
	while (sent + refused < all) {
		uint64_t due = begin + (sent + refused) * 1000000000u / t->rate, now = now_ns();
		int n;

		if (now - begin > t->seconds * 1000000000u)
			break; /* slower than it was to be; the figure says so */
		if (now < due) {
			struct timespec nap = { 0, (long)(due - now) };

			nanosleep(&nap, NULL);
		}
		for (int i = 0; i < BATCH; i++)
			vary(frame[i]);
		n = sendmmsg(fd, msg, BATCH, 0);
		sent += n > 0 ? (uint64_t)n : 0;
		refused += n > 0 ? (uint64_t)(BATCH - n) : BATCH;
	}
	printf("{\"sent\": %lu, \"refused\": %lu, \"seconds\": %.3f}\n", sent, refused,
	       (double)(now_ns() - begin) / 1e9);
}

static void
read_mac(const char *text, uint8_t *mac)
{
	if (sscanf(text, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &mac[0], &mac[1], &mac[2], &mac[3],
		   &mac[4], &mac[5]) != 6)
		fail("want a MAC address");
}

int
main(int argc, char **argv)
{
	struct target t = { .own_mac = { 2, 0, 0, 0, 0, 0x77 } };
	struct sockaddr_ll at;
	int fd;

	if (argc != 7) {
		fputs("usage: flood INTERFACE MAC ADDRESS PORT RATE SECONDS\n", stderr);
		return 2;
	}
	read_mac(argv[2], t.mac);
	if (inet_pton(AF_INET, argv[3], &t.addr) != 1)
		fail("want an IPv4 address");
	t.port = (uint16_t)strtoul(argv[4], NULL, 10);
	t.rate = strtoul(argv[5], NULL, 10);
	t.seconds = strtoul(argv[6], NULL, 10);
	if (t.rate == 0 || t.rate > RATE_MAX || t.seconds == 0 || t.seconds > SECONDS_MAX)
		fail("at most 1000000 a second for 60 seconds");
	at = find(argv[1]);
	fd = socket(AF_PACKET, SOCK_RAW, 0); /* protocol 0: it receives nothing */
	if (fd < 0)
		fail("no packet socket: wants root");
	if (!is_closed_in(fd, argv[1]))
		fail("only on a veth, where else nothing is up and no default route leads "
		     "away");
	flood(fd, &at, &t);
	close(fd);
	return EXIT_SUCCESS;
}
