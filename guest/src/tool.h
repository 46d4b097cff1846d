/* What /init does as another process than PID 1: what tests of the host need to happen to a guest. */
#ifndef TOOL_H
#define TOOL_H

/*
 * `panic` crashes the kernel, `hang` keeps the processor for ever, `garbage DEVICE` writes what is no frame to the
 * channel, `memory` prints the kilobytes that are available. The exit status.
 */
int tool_main(int count, char **words);

#endif
