/* A program of the initramfs, run as a user would run it. */
#ifndef EXECUTE_H
#define EXECUTE_H

#include <stddef.h>
#include <stdint.h>

/*
 * Run the program whose path and arguments stand in `words`, each ended by a 0 byte; answer with its exit status
 * (128 + signal for one that was killed) and the end of what it wrote to standard output and error.
 */
void execute_program(int channel, uint32_t sequence, uint8_t *words, size_t length);

#endif
