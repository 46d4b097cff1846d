#define _GNU_SOURCE
#include "execute.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "wire.h"

#define MAX_WORDS 32
#define OUTPUT "/tmp/output"
#define MAX_OUTPUT (64 << 10)

static int run(char **words)
{
	posix_spawn_file_actions_t files;
	char *environment[] = {"PATH=/", NULL};
	int status = 0, error;
	pid_t pid;

	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, OUTPUT, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	posix_spawn_file_actions_adddup2(&files, STDOUT_FILENO, STDERR_FILENO);
	error = posix_spawn(&pid, words[0], &files, NULL, words, environment);
	posix_spawn_file_actions_destroy(&files);
	if (error)
		return -error;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

void execute_program(int channel, uint32_t sequence, uint8_t *words, size_t length)
{
	static uint8_t answer[4 + MAX_OUTPUT];
	char *arguments[MAX_WORDS + 1];
	int number = 0, status, file;
	ssize_t got = 0;
	off_t size;

	if (!length || words[length - 1]) {
		wire_error(channel, sequence, "a command whose last word has no end");
		return;
	}
	for (char *word = (char *)words; word < (char *)words + length && number < MAX_WORDS; word += strlen(word) + 1)
		arguments[number++] = word;
	arguments[number] = NULL;
	status = run(arguments);
	if (status < 0) {
		wire_error(channel, sequence, strerror(-status));
		return;
	}
	memcpy(answer, &status, 4);
	file = open(OUTPUT, O_RDONLY | O_CLOEXEC);
	if (file >= 0) {
		size = lseek(file, 0, SEEK_END);
		lseek(file, size > MAX_OUTPUT ? size - MAX_OUTPUT : 0, SEEK_SET);
		got = read(file, answer + 4, MAX_OUTPUT);
		close(file);
	}
	wire_send(channel, FRAME_EXECUTED, sequence, answer, 4 + (size_t)(got > 0 ? got : 0));
}
