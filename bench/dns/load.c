/*
 * A closed loop of DNS queries over UDP: so many sockets, each with one outstanding query. The next query replaces it
 * when its answer comes, or after a second without one.
 *
 *   load PORT FILE OUTSTANDING SECONDS
 *
 * FILE contains messages, each after its length (two bytes, big endian, as on TCP). Prints one line of JSON; times in
 * microseconds.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MAX_SOCKETS = 1024, MAX_SAMPLES = 1 << 24, MAX_MESSAGE = 4096, SECOND = 1000000000 };

struct asker {
  int fd;
  uint16_t id;
  uint64_t asked;
};

static struct asker askers[MAX_SOCKETS];
static uint8_t *queries;
static size_t size, next;
static uint32_t *samples, answered, lost, codes[16];

static uint64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * SECOND + t.tv_nsec;
}

static void ask(struct asker *asker) {
  if (next + 2 > size) next = 0;
  size_t length = queries[next] << 8 | queries[next + 1];
  uint8_t message[MAX_MESSAGE];
  memcpy(message, queries + next + 2, length);
  next += 2 + length;
  asker->id++;
  message[0] = asker->id >> 8;
  message[1] = asker->id & 255;
  asker->asked = now();
  /* A failed send counts as lost. */
  if (send(asker->fd, message, length, 0) < 0) return;
}

static void receive(struct asker *asker) {
  uint8_t reply[MAX_MESSAGE];
  ssize_t length = recv(asker->fd, reply, sizeof reply, MSG_DONTWAIT);
  /* A late answer belongs to no query any more. */
  if (length < 12 || (reply[0] << 8 | reply[1]) != asker->id) return;
  if (answered < MAX_SAMPLES) samples[answered++] = (now() - asker->asked) / 100;
  codes[reply[3] & 15]++;
  ask(asker);
}

static int ascending(const void *one, const void *other) {
  uint32_t a = *(const uint32_t *)one, b = *(const uint32_t *)other;
  return (a > b) - (a < b);
}

static double percentile(double share) {
  return answered == 0 ? 0 : samples[(size_t)(share * (answered - 1))] / 10.0;
}

int main(int count, char **args) {
  if (count != 5) return 2;
  int outstanding = atoi(args[3]);
  uint64_t nanoseconds = (uint64_t)(atof(args[4]) * SECOND);
  FILE *file = fopen(args[2], "rb");
  if (file == NULL || outstanding < 1 || outstanding > MAX_SOCKETS) return 2;
  fseek(file, 0, SEEK_END);
  size = ftell(file);
  rewind(file);
  queries = malloc(size);
  samples = malloc(sizeof *samples * MAX_SAMPLES);
  if (fread(queries, 1, size, file) != size) return 2;

  struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons(atoi(args[1]))};
  server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int poll = epoll_create1(0);
  uint64_t begun = now(), end = begun + nanoseconds, checked = begun;
  for (int index = 0; index < outstanding; index++) {
    struct asker *asker = &askers[index];
    asker->fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (connect(asker->fd, (void *)&server, sizeof server) != 0) return 1;
    struct epoll_event wanted = {.events = EPOLLIN, .data.ptr = asker};
    epoll_ctl(poll, EPOLL_CTL_ADD, asker->fd, &wanted);
    ask(asker);
  }
  for (uint64_t time = begun; time < end; time = now()) {
    struct epoll_event events[64];
    int ready = epoll_wait(poll, events, 64, 20);
    for (int index = 0; index < ready; index++) receive(events[index].data.ptr);
    if (time - checked < SECOND / 10) continue;
    checked = time;
    for (int index = 0; index < outstanding; index++) {
      /* A query of this round may be younger than `time`. */
      if (time < askers[index].asked || time - askers[index].asked < SECOND) continue;
      lost++;
      ask(&askers[index]);
    }
  }
  double seconds = (double)(now() - begun) / SECOND;
  qsort(samples, answered, sizeof *samples, ascending);
  printf("{\"perSecond\":%.0f,\"p50\":%.1f,\"p99\":%.1f,\"p999\":%.1f,", answered / seconds, percentile(0.5),
         percentile(0.99), percentile(0.999));
  printf("\"answered\":%u,\"lost\":%u,\"noerror\":%u,\"nxdomain\":%u}\n", answered, lost, codes[0], codes[3]);
  return 0;
}
