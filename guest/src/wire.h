/*
 * Frames on the channel between host and guest; workers/targets/wire.py is the other side.
 *
 * A frame is a header and a payload, all little-endian. The checksum (CRC-32 as zlib has it) is over the header
 * without its last field, and the payload. Bytes that start no frame are passed over until one does, so that garbage
 * costs the frames it hit and no others.
 */
#ifndef WIRE_H
#define WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WIRE_MAGIC 0x5a464d4du	/* "MMFZ" */
#define WIRE_VERSION 1
#define WIRE_MAX (1 << 20)

enum frame_kind {
	FRAME_PING = 1,		/* from the host: answered by a PONG with the same payload */
	FRAME_RUN = 2,		/* a batch of traces */
	FRAME_EXECUTE = 3,	/* a program of the initramfs with arguments, each ended by a 0 byte */
	FRAME_READY = 0x81,	/* from the guest, once: lines key=value that say what it is */
	FRAME_PONG = 0x82,
	FRAME_TRACE = 0x83,	/* what one trace of a batch showed */
	FRAME_EXECUTED = 0x84,	/* a program's exit status and output */
	FRAME_ERROR = 0x85,	/* text: what was wrong with a frame, or could not be done */
};

struct frame {
	uint32_t magic;
	uint8_t version;
	uint8_t kind;
	uint16_t reserved;
	uint32_t sequence;	/* the host's own number; answers carry the one they answer */
	uint32_t length;
	uint32_t checksum;
} __attribute__((packed));

/* Bytes to be sent, gathered in place; what does not fit sets `full`. */
struct buffer {
	uint8_t *bytes;
	size_t length, room;
	bool full;
};

void put(struct buffer *buffer, uint64_t value, int bytes);
void put_bytes(struct buffer *buffer, const void *bytes, size_t length);

/* Bytes that came, taken one after the other; taking more than there are sets `short_of`. */
struct cursor {
	const uint8_t *bytes;
	size_t left;
	bool short_of;
};

uint64_t take(struct cursor *cursor, int bytes);

/* The next frame with its payload. False when the channel is closed. Bad frames are answered with an error. */
bool wire_receive(int channel, struct frame *frame, uint8_t *payload);
void wire_send(int channel, enum frame_kind kind, uint32_t sequence, const void *payload, size_t length);
void wire_error(int channel, uint32_t sequence, const char *text);

#endif
