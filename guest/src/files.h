/* Small files of proc, sysfs and the like. */
#ifndef FILES_H
#define FILES_H

#include <stdbool.h>
#include <stddef.h>

/* Write text into a file. False, with errno, if that fails. */
bool write_text(const char *path, const char *text);

/* Read a file's start as text. Its length, -1 if it cannot be read. */
long read_text(const char *path, char *text, size_t room);

/* The number a file starts with, or `otherwise`. */
long read_number(const char *path, long otherwise);

#endif
