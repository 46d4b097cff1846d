#include "wire.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

void put(struct buffer *buffer, uint64_t value, int bytes)
{
	put_bytes(buffer, &value, (size_t)bytes);
}

void put_bytes(struct buffer *buffer, const void *bytes, size_t length)
{
	if (length > buffer->room - buffer->length) {
		buffer->full = true;
		return;
	}
	memcpy(buffer->bytes + buffer->length, bytes, length);
	buffer->length += length;
}

uint64_t take(struct cursor *cursor, int bytes)
{
	uint64_t value = 0;

	if (cursor->left < (size_t)bytes) {
		cursor->short_of = true;
		cursor->left = 0;
		return 0;
	}
	memcpy(&value, cursor->bytes, (size_t)bytes);
	cursor->bytes += bytes;
	cursor->left -= (size_t)bytes;
	return value;
}

static uint32_t crc_table[256];

static void crc_prepare(void)
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t value = i;

		for (int bit = 0; bit < 8; bit++)
			value = value & 1 ? value >> 1 ^ 0xedb88320u : value >> 1;
		crc_table[i] = value;
	}
}

static uint32_t crc_add(uint32_t crc, const void *bytes, size_t length)
{
	const uint8_t *at = bytes;

	while (length--)
		crc = crc >> 8 ^ crc_table[(crc ^ *at++) & 0xff];
	return crc;
}

static uint32_t checksum(const struct frame *frame, const void *payload, size_t length)
{
	if (!crc_table[1])
		crc_prepare();
	return ~crc_add(crc_add(~0u, frame, offsetof(struct frame, checksum)), payload, length);
}

static bool read_all(int channel, void *bytes, size_t length)
{
	uint8_t *at = bytes;

	while (length) {
		ssize_t got = read(channel, at, length);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		at += got;
		length -= (size_t)got;
	}
	return true;
}

static void write_all(int channel, const void *bytes, size_t length)
{
	const uint8_t *at = bytes;

	while (length) {
		ssize_t put = write(channel, at, length);

		if (put < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (put <= 0)
			return;
		at += put;
		length -= (size_t)put;
	}
}

/* Read a header, passing over bytes until one starts. */
static bool read_header(int channel, struct frame *frame)
{
	if (!read_all(channel, frame, sizeof *frame))
		return false;
	while (frame->magic != WIRE_MAGIC) {
		memmove(frame, (uint8_t *)frame + 1, sizeof *frame - 1);
		if (!read_all(channel, (uint8_t *)frame + sizeof *frame - 1, 1))
			return false;
	}
	return true;
}

bool wire_receive(int channel, struct frame *frame, uint8_t *payload)
{
	for (;;) {
		if (!read_header(channel, frame))
			return false;
		if (frame->version != WIRE_VERSION) {
			wire_error(channel, frame->sequence, "frame of another version");
			continue;
		}
		if (frame->length > WIRE_MAX) {
			wire_error(channel, frame->sequence, "frame longer than 1 MiB");
			continue;
		}
		if (!read_all(channel, payload, frame->length))
			return false;
		if (checksum(frame, payload, frame->length) == frame->checksum)
			return true;
		wire_error(channel, frame->sequence, "wrong checksum");
	}
}

void wire_send(int channel, enum frame_kind kind, uint32_t sequence, const void *payload, size_t length)
{
	struct frame frame = {
		.magic = WIRE_MAGIC,
		.version = WIRE_VERSION,
		.kind = (uint8_t)kind,
		.sequence = sequence,
		.length = (uint32_t)length,
	};

	frame.checksum = checksum(&frame, payload, length);
	write_all(channel, &frame, sizeof frame);
	write_all(channel, payload, length);
}

void wire_error(int channel, uint32_t sequence, const char *text)
{
	wire_send(channel, FRAME_ERROR, sequence, text, strlen(text));
}
