/* A wall clock that is wrong by as much as a file says, for one process; monotonic time is left alone.
 *
 * `chaos/shims` compiles it and preloads it into nodes. The file named by FAULT_CLOCK holds the offset in
 * milliseconds, or nothing. It is looked at again after a tenth of a second.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define LOOK_EVERY_MS 100

static long long monotonic_ms(void) {
  struct timespec now;
  syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static long long offset_ms(void) {
  static long long offset, looked_at = -LOOK_EVERY_MS;
  long long now = monotonic_ms();
  if (now - looked_at < LOOK_EVERY_MS) return offset;
  looked_at = now;
  const char *control = getenv("FAULT_CLOCK");
  int file = control ? syscall(SYS_openat, AT_FDCWD, control, O_RDONLY | O_CLOEXEC, 0) : -1;
  if (file < 0) return offset = 0;
  char text[32];
  ssize_t got = syscall(SYS_read, file, text, sizeof text - 1);
  syscall(SYS_close, file);
  text[got > 0 ? got : 0] = 0;
  return offset = atoll(text);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
  int result = syscall(SYS_clock_gettime, clock, now);
  if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
    long long ns = now->tv_sec * 1000000000LL + now->tv_nsec + offset_ms() * 1000000LL;
    now->tv_sec = ns / 1000000000LL;
    now->tv_nsec = ns % 1000000000LL;
  }
  return result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
  (void)zone;
  struct timespec precise;
  int result = clock_gettime(CLOCK_REALTIME, &precise);
  now->tv_sec = precise.tv_sec;
  now->tv_usec = precise.tv_nsec / 1000;
  return result;
}

time_t time(time_t *seconds) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (seconds) *seconds = now.tv_sec;
  return now.tv_sec;
}
