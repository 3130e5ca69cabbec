/* Disk faults for one process: the file system's answers, spoiled while it runs.
 *
 * `chaos/shims` compiles it and preloads it into nodes. The file named by FAULT_DISK is read at every call,
 * so that a fault can be armed and disarmed at any time. It holds one line, or nothing:
 *   WHAT PATH-PART N
 * eio-fsync, eio-write, enospc   the next such call on a matching file fails; the shim disarms itself
 * torn                           the next write stores its first half and the process is killed; likewise
 * slow                           every sync of a matching file takes N ms longer
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#define REAL(name) \
  static __typeof__(&name) real; \
  if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

/* Whether the fault is armed for the file behind fd. Raw system calls: ours must not meet themselves. */
static int armed(const char *what, int fd, int *n) {
  const char *control = getenv("FAULT_DISK");
  if (!control) return 0;
  char line[512], kind[32], part[256], link[64], path[512];
  int file = syscall(SYS_openat, AT_FDCWD, control, O_RDWR | O_CLOEXEC, 0);
  if (file < 0) return 0;
  ssize_t got = syscall(SYS_read, file, line, sizeof line - 1);
  int hit = 0;
  *n = 0;
  if (got > 0) {
    line[got] = 0;
    if (sscanf(line, "%31s %255s %d", kind, part, n) >= 2 && !strcmp(kind, what)) {
      snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
      ssize_t length = readlink(link, path, sizeof path - 1);
      if (length > 0) {
        path[length] = 0;
        hit = strstr(path, part) != NULL;
      }
      if (hit && strcmp(what, "slow") && syscall(SYS_ftruncate, file, 0) < 0) hit = 0;
    }
  }
  syscall(SYS_close, file);
  return hit;
}

static int write_fault(int fd) {
  int n;
  if (armed("eio-write", fd, &n)) {
    errno = EIO;
    return 1;
  }
  if (armed("enospc", fd, &n)) {
    errno = ENOSPC;
    return 1;
  }
  return 0;
}

static int sync_fault(int fd) {
  int n;
  if (armed("eio-fsync", fd, &n)) {
    errno = EIO;
    return 1;
  }
  if (armed("slow", fd, &n)) usleep(n * 1000);
  return 0;
}

static int is_torn(int fd) {
  int n;
  return armed("torn", fd, &n);
}

static void die(void) { kill(getpid(), SIGKILL); }

ssize_t write(int fd, const void *bytes, size_t length) {
  REAL(write);
  if (write_fault(fd)) return -1;
  if (is_torn(fd)) {
    real(fd, bytes, length / 2);
    die();
  }
  return real(fd, bytes, length);
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t at) {
  REAL(pwrite);
  if (write_fault(fd)) return -1;
  if (is_torn(fd)) {
    real(fd, bytes, length / 2, at);
    die();
  }
  return real(fd, bytes, length, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off_t at) {
  return pwrite(fd, bytes, length, at);
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at) {
  REAL(pwritev);
  if (write_fault(fd)) return -1;
  if (is_torn(fd)) {
    struct iovec half = {parts[0].iov_base, parts[0].iov_len / 2};
    real(fd, &half, 1, at);
    die();
  }
  return real(fd, parts, count, at);
}

ssize_t pwritev64(int fd, const struct iovec *parts, int count, off_t at) {
  return pwritev(fd, parts, count, at);
}

int fsync(int fd) {
  REAL(fsync);
  return sync_fault(fd) ? -1 : real(fd);
}

int fdatasync(int fd) {
  REAL(fdatasync);
  return sync_fault(fd) ? -1 : real(fd);
}
