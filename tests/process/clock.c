/* A library to preload: it moves the real-time clock of a program by the seconds in the file CLOCK_FILE. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *time) {
	char seconds[32] = {0};
	int file, done = syscall(SYS_clock_gettime, clock, time);
	if (done != 0 || clock != CLOCK_REALTIME || !getenv("CLOCK_FILE"))
		return done;
	file = open(getenv("CLOCK_FILE"), O_RDONLY | O_CLOEXEC);
	if (file < 0)
		return done;
	if (read(file, seconds, sizeof seconds - 1) > 0)
		time->tv_sec += atoll(seconds);
	close(file);
	return done;
}
