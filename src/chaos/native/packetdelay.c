/* Holds packets back, for kernels that have no netem: a reader of the kernel's queue 0.
 *
 * `chaos/kernel-network` compiles it and runs it in the network of a drill. The mark of a packet says for how
 * long: milliseconds in the upper 16 bits, jitter, up and down, in the lower ones. Jitter reorders packets.
 * It ends with the process that started it. What comes beyond HELD_MAX is let through at once.
 *   cc -O2 packetdelay.c -o packetdelay -lnetfilter_queue
 */
#include <arpa/inet.h>
#include <errno.h>
#include <libnetfilter_queue/libnetfilter_queue.h>
#include <linux/netfilter.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>

#define HELD_MAX (1 << 16)

/* A heap: the packet that is due first stands on top. */
static struct { double due; uint32_t id; } held[HELD_MAX];
static int count;
static uint64_t random_state = 0x9e3779b97f4a7c15ull;

static double now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

/* From -1 to 1. */
static double either_way(void) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 7;
  random_state ^= random_state << 17;
  return (random_state >> 11) / 4503599627370496.0 - 1;
}

static void put(double due, uint32_t id) {
  int place = count++;
  for (int up; place > 0 && held[up = (place - 1) / 2].due > due; place = up) held[place] = held[up];
  held[place].due = due;
  held[place].id = id;
}

static uint32_t take(void) {
  uint32_t id = held[0].id;
  double due = held[--count].due;
  uint32_t last = held[count].id;
  int place = 0;
  for (int down; (down = 2 * place + 1) < count; place = down) {
    if (down + 1 < count && held[down + 1].due < held[down].due) down++;
    if (due <= held[down].due) break;
    held[place] = held[down];
  }
  held[place].due = due;
  held[place].id = last;
  return id;
}

static int receive(struct nfq_q_handle *queue, struct nfgenmsg *m, struct nfq_data *packet, void *u) {
  (void)m;
  (void)u;
  uint32_t id = ntohl(nfq_get_msg_packet_hdr(packet)->packet_id);
  uint32_t mark = nfq_get_nfmark(packet);
  if (count == HELD_MAX) return nfq_set_verdict(queue, id, NF_ACCEPT, 0, NULL);
  put(now_ms() + (mark >> 16) + either_way() * (mark & 0xffff), id);
  return 0;
}

int main(void) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  struct nfq_handle *handle = nfq_open();
  struct nfq_q_handle *queue = handle ? nfq_create_queue(handle, 0, receive, NULL) : NULL;
  if (!queue) return 1;
  nfq_set_mode(queue, NFQNL_COPY_META, 0);
  nfq_set_queue_maxlen(queue, HELD_MAX);
  struct pollfd ready = { nfq_fd(handle), POLLIN, 0 };
  char buffer[1 << 16];
  for (;;) {
    double wait = count ? held[0].due - now_ms() : 0;
    if (poll(&ready, 1, !count ? -1 : wait <= 0 ? 0 : (int)wait + 1) > 0) {
      int got = recv(ready.fd, buffer, sizeof buffer, 0);
      if (got >= 0) nfq_handle_packet(handle, buffer, got);
      else if (errno != ENOBUFS && errno != EINTR) return 1;
    }
    for (double t = now_ms(); count && held[0].due <= t;) nfq_set_verdict(queue, take(), NF_ACCEPT, 0, NULL);
  }
}
