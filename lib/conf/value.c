/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * value - strtoul() and its kin take signs, blanks, octal and half a word; none is used.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>

#include "conf/value.h"

/* The digits at *@text, up to the first that is none. */
static bool
take_digits(const char **text, uint64_t max, uint64_t *out)
{
	const char *c = *text;
	uint64_t number = 0;

	if (*c < '0' || *c > '9' || (c[0] == '0' && c[1] >= '0' && c[1] <= '9'))
		return false;
	for (; *c >= '0' && *c <= '9'; c++) {
		if (__builtin_mul_overflow(number, 10, &number) ||
		    __builtin_add_overflow(number, (uint64_t)(*c - '0'), &number))
			return false;
	}
	*text = c;
	*out = number;
	return number <= max;
}

bool
sl_value_number(const char *text, uint64_t max, uint64_t *out)
{
	return take_digits(&text, max, out) && *text == '\0';
}

static const struct unit {
	const char *name;
	uint64_t times;
} byte_units[] = { { "", 1 },
		   { "k", 1ull << 10 },
		   { "M", 1ull << 20 },
		   { "G", 1ull << 30 },
		   { 0 } },
  time_units[] = { { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 }, { 0 } };

static bool
take_with_unit(const char *text, const struct unit *units, uint64_t *out)
{
	if (!take_digits(&text, UINT64_MAX, out))
		return false;
	for (; units->name != NULL; units++)
		if (strcmp(text, units->name) == 0)
			return !__builtin_mul_overflow(*out, units->times, out);
	return false;
}

int
sl_value_word(const char *words, const char *text)
{
	size_t len = strlen(text);

	for (int i = 0; len > 0; i++) {
		size_t word = strcspn(words, " ");

		if (word == len && memcmp(words, text, len) == 0)
			return i;
		if (words[word] == '\0')
			break;
		words += word + 1;
	}
	return -1;
}

bool
sl_value_addr(const char *text, struct sl_addr *out)
{
	struct in_addr v4;

	if (inet_pton(AF_INET, text, &v4) == 1) {
		*out = sl_addr_v4(ntohl(v4.s_addr));
		return true;
	}
	/* An IPv4 address in IPv6's clothes would be taken for IPv4 by everybody below. */
	return inet_pton(AF_INET6, text, out->b) == 1 && !sl_addr_is_v4(out);
}

/* One address: who means all of them says so in a word (sl_field.zero). */
static bool
take_addr(const char *text, struct sl_addr *out)
{
	static const struct sl_addr none;

	return sl_value_addr(text, out) && !sl_addr_eq(out, &none);
}

/* Copy @text up to @end into @head; false if it has no room. */
static bool
cut(const char *text, const char *end, char *head, size_t size)
{
	size_t len = end - text;

	if (len >= size)
		return false;
	memcpy(head, text, len);
	head[len] = '\0';
	return true;
}

bool
sl_value_subnet(const char *text, struct sl_addr *addr, uint8_t *prefix)
{
	const char *slash = strchr(text, '/');
	char head[INET6_ADDRSTRLEN];
	uint64_t bits;

	if (slash == NULL || !cut(text, slash, head, sizeof(head)) ||
	    !sl_value_addr(head, addr))
		return false;
	if (!sl_value_number(slash + 1, sl_addr_is_v4(addr) ? 32 : 128, &bits))
		return false;
	*prefix = bits;
	return true;
}

bool
sl_value_endpoint(const char *text, struct sl_addr *addr, uint16_t *port)
{
	bool v6 = text[0] == '[';
	const char *end = v6 ? strchr(text, ']') : strchr(text, ':');
	char head[INET6_ADDRSTRLEN];
	uint64_t number;

	if (end == NULL || !cut(text + v6, end, head, sizeof(head)))
		return false;
	end += v6;
	if (*end != ':' || !sl_value_number(end + 1, UINT16_MAX, &number) || number == 0)
		return false;
	*port = number;
	return sl_value_addr(head, addr) && sl_addr_is_v4(addr) == !v6;
}

bool
sl_value_hex16(const char *text, uint8_t out[16])
{
	if (strlen(text) != 32)
		return false;
	memset(out, 0, 16);
	for (int i = 0; i < 32; i++) {
		char c = text[i];

		if (!isxdigit((unsigned char)c))
			return false;
		out[i / 2] = out[i / 2] << 4 | (c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
	}
	return true;
}

static bool
is_name(const char *text, size_t size)
{
	size_t len = strspn(text,
			    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_");

	return len > 0 && len < size && text[len] == '\0';
}

static bool
is_device(const char *text, size_t size)
{
	size_t len = 0;

	while (text[len] > ' ' && text[len] <= '~')
		len++;
	return len > 0 && len < size && text[len] == '\0';
}

static void
store(const struct sl_field *field, void *base, uint64_t number)
{
	void *to = (char *)base + field->offset;

	switch (field->size) {
	case 1:
		*(uint8_t *)to = number;
		break;
	case 2:
		*(uint16_t *)to = number;
		break;
	case 4:
		*(uint32_t *)to = number;
		break;
	case 8:
		*(uint64_t *)to = number;
		break;
	default:
		break; /* a value that build.c takes from the row itself */
	}
}

/* The number that @text is for @field, in its unit and range. */
static bool
take_number(const struct sl_field *field, const char *text, uint64_t *number)
{
	bool good = false;

	if (field->kind == SL_KIND_BYTES)
		good = take_with_unit(text, byte_units, number);
	else if (field->kind == SL_KIND_TIME)
		good = take_with_unit(text, time_units, number);
	else
		good = sl_value_number(text, UINT64_MAX, number);
	return good && *number >= field->min && *number <= field->max;
}

static bool
take_text(const struct sl_field *field, const char *text, void *base)
{
	char *to = (char *)base + field->offset;
	bool good = field->kind == SL_KIND_NAME ? is_name(text, field->size)
						: is_device(text, field->size);

	if (good)
		memcpy(to, text, strlen(text) + 1);
	return good;
}

bool
sl_value_take(const struct sl_field *field, const char *text, void *base)
{
	uint64_t number = 0;
	int word;

	if (field->zero != NULL && strcmp(text, field->zero) == 0) {
		memset((char *)base + field->offset, 0, field->size);
		return true;
	}
	switch ((enum sl_value_kind)field->kind) {
	case SL_KIND_COUNT:
	case SL_KIND_BYTES:
	case SL_KIND_TIME:
	case SL_KIND_DSCP:
		if (!take_number(field, text, &number))
			return false;
		store(field, base, field->kind == SL_KIND_DSCP ? number << 2 : number);
		return true;
	case SL_KIND_BOOL:
	case SL_KIND_WORD:
		word = sl_value_word(field->kind == SL_KIND_BOOL ? "false true" : field->words,
				     text);
		store(field, base, word);
		return word >= 0;
	case SL_KIND_NAME:
	case SL_KIND_DEVICE:
		return take_text(field, text, base);
	case SL_KIND_ADDR:
		return take_addr(text, (struct sl_addr *)((char *)base + field->offset));
	default:
		return false;
	}
}

bool
sl_addr_matches(const struct sl_addr *a, const struct sl_addr *b, uint8_t prefix)
{
	unsigned int bits = prefix;

	if (sl_addr_is_v4(a) != sl_addr_is_v4(b))
		return false;
	if (sl_addr_is_v4(a))
		bits += 96;
	if (memcmp(a->b, b->b, bits / 8) != 0)
		return false;
	return bits % 8 == 0 || (a->b[bits / 8] ^ b->b[bits / 8]) >> (8 - bits % 8) == 0;
}
