/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_capture - what libpcap reads in our files is what went by, in order, at its time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/capture.h"
#include "heapbufs.h"

#define WALL 1700000000000000000ull

static struct heapbufs hb;
static char path[] = "/tmp/sluice-capture-XXXXXX";

static int
open_bufs(void **state)
{
	int fd = mkstemp(path);

	heapbufs_open(&hb);
	return fd < 0 ? -1 : close(fd);
}

static int
close_bufs(void **state)
{
	heapbufs_close(&hb);
	return unlink(path);
}

static struct sl_capture *
opened(uint16_t n_workers)
{
	const char *const ports[] = { "one", "three" };
	struct sl_capture *c = NULL;

	assert_int_equal(sl_capture_open(&c, path, n_workers, ports, 2, WALL), 0);
	return c;
}

static void
take(struct sl_capture *c, uint16_t worker, int way, sl_ns_t now, size_t len)
{
	uint8_t bytes[9000];
	uint16_t first = (uint16_t)(len / 3);
	struct rte_mbuf *m;

	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)(now + i);
	m = heapbufs_chain(&hb, bytes, len, 0, &first, 2);
	sl_capture_take(c, worker, worker & 1, way, now, m);
	heapbufs_put(&hb, m);
}

/* Packet blocks of the file: block header, five fields, bytes, flags. */
struct block {
	uint32_t type, whole, port, high, low, kept, frame;
};

/* Read up to the next packet block and its bytes into @bytes; false at the end. */
static bool
next_packet(FILE *f, struct block *b, uint8_t *bytes, uint32_t *way)
{
	for (;;) {
		uint32_t tail[16], left;

		if (fread(b, 8, 1, f) != 1)
			return false;
		if (b->type != 6) {
			fseek(f, b->whole - 8, SEEK_CUR);
			continue;
		}
		assert_int_equal(fread(&b->port, 20, 1, f), 1);
		assert_int_equal(fread(bytes, (b->kept + 3) & ~3u, 1, f), 1);
		left = b->whole - 28 - ((b->kept + 3) & ~3u);
		assert_int_equal(left, 16);
		assert_int_equal(fread(tail, left, 1, f), 1);
		assert_int_equal(tail[3], b->whole);
		*way = tail[1];
		return true;
	}
}

static void
frames_come_out_in_the_order_of_their_times(void **state)
{
	static const struct {
		sl_ns_t now;
		uint16_t worker, len;
		uint32_t way;
	} went[] = {
		{ 10, 0, 60, SL_CAPTURE_IN },
		{ 20, 1, 9000, SL_CAPTURE_OUT },
		{ 30, 1, 61, SL_CAPTURE_IN },
		{ 40, 0, 1514, SL_CAPTURE_OUT },
	};
	struct sl_capture *c = opened(2);
	struct block b;
	uint8_t bytes[9004];
	uint32_t way;
	FILE *f;

	/* each worker in its order, but the second one first */
	take(c, 1, SL_CAPTURE_OUT, 20, 9000);
	take(c, 1, SL_CAPTURE_IN, 30, 61);
	take(c, 0, SL_CAPTURE_IN, 10, 60);
	assert_int_equal(sl_capture_write(c, 25), 0);
	take(c, 0, SL_CAPTURE_OUT, 40, 1514);
	assert_int_equal(sl_capture_close(c), 0);

	f = fopen(path, "rb");
	for (unsigned int i = 0; i < 4; i++) {
		assert_true(next_packet(f, &b, bytes, &way));
		assert_int_equal((uint64_t)b.high << 32 | b.low, WALL + went[i].now);
		assert_int_equal(b.kept, went[i].len);
		assert_int_equal(b.frame, went[i].len);
		assert_int_equal(b.port, went[i].worker);
		assert_int_equal(way, went[i].way);
		for (uint32_t k = 0; k < b.kept; k++)
			assert_int_equal(bytes[k], (uint8_t)(went[i].now + k));
	}
	assert_false(next_packet(f, &b, bytes, &way));
	fclose(f);
}

static void
what_finds_no_room_is_counted_and_the_rest_is_whole(void **state)
{
	struct sl_capture *c = opened(1);
	uint64_t n = 0, lost;
	struct block b;
	uint8_t bytes[9004];
	uint32_t way;
	FILE *f;

	for (unsigned int round = 0; round < 3; round++) {
		for (unsigned int i = 0; i < 1000; i++)
			take(c, 0, SL_CAPTURE_IN, ++n, 5000 + i);
		sl_capture_write(c, UINT64_MAX);
	}
	lost = sl_capture_lost(c);
	assert_true(lost > 0 && lost < n);
	assert_int_equal(sl_capture_close(c), 0);

	f = fopen(path, "rb");
	for (uint64_t i = 0; i < n - lost; i++) {
		assert_true(next_packet(f, &b, bytes, &way));
		assert_int_equal(bytes[4000], (uint8_t)(b.low - (uint32_t)WALL + 4000));
	}
	assert_false(next_packet(f, &b, bytes, &way));
	fclose(f);
}

static void
a_file_that_cannot_be_is_an_error(void **state)
{
	const char *const ports[] = { "one" };
	struct sl_capture *c;

	assert_true(sl_capture_open(&c, "/nowhere/at/all", 1, ports, 1, WALL) < 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_come_out_in_the_order_of_their_times),
		cmocka_unit_test(what_finds_no_room_is_counted_and_the_rest_is_whole),
		cmocka_unit_test(a_file_that_cannot_be_is_an_error),
	};

	return cmocka_run_group_tests(tests, open_bufs, close_bufs);
}
