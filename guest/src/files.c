#include "files.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool write_text(const char *path, const char *text)
{
	int file = open(path, O_WRONLY);
	size_t length = strlen(text);
	bool written;

	if (file < 0)
		return false;
	written = write(file, text, length) == (ssize_t)length;
	close(file);
	return written;
}

long read_text(const char *path, char *text, size_t room)
{
	int file = open(path, O_RDONLY);
	size_t length = 0;
	ssize_t got = 0;

	if (file < 0)
		return -1;
	/* A file of proc gives at most a page a read. */
	while (length < room - 1 && (got = read(file, text + length, room - 1 - length)) > 0)
		length += (size_t)got;
	close(file);
	text[length] = '\0';
	return got < 0 ? -1 : (long)length;
}

long read_number(const char *path, long otherwise)
{
	char text[64];

	return read_text(path, text, sizeof text) > 0 ? atol(text) : otherwise;
}
