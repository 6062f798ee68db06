/*
 * The kernel's limit for one core: every datagram goes back to its sender unchanged, except for the bit that makes a DNS
 * query a response.
 *
 *   echo PORT
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { BATCH = 64, MAX_MESSAGE = 4096, HEADER = 12, RESPONSE = 0x80 };

int main(int count, char **args) {
  if (count != 2) return 2;
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  struct sockaddr_in own = {.sin_family = AF_INET, .sin_port = htons(atoi(args[1]))};
  own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(fd, (void *)&own, sizeof own) != 0) return 1;

  static uint8_t messages[BATCH][MAX_MESSAGE];
  static struct sockaddr_in senders[BATCH];
  static struct iovec vectors[BATCH];
  static struct mmsghdr headers[BATCH];
  for (int index = 0; index < BATCH; index++) {
    vectors[index].iov_base = messages[index];
    headers[index].msg_hdr.msg_iov = &vectors[index];
    headers[index].msg_hdr.msg_iovlen = 1;
    headers[index].msg_hdr.msg_name = &senders[index];
    headers[index].msg_hdr.msg_namelen = sizeof senders[index];
  }
  for (;;) {
    for (int index = 0; index < BATCH; index++) vectors[index].iov_len = MAX_MESSAGE;
    int came = recvmmsg(fd, headers, BATCH, MSG_WAITFORONE, NULL);
    for (int index = 0; index < came; index++) {
      vectors[index].iov_len = headers[index].msg_len;
      if (headers[index].msg_len >= HEADER) messages[index][2] |= RESPONSE;
    }
    for (int sent = 0; sent < came;) {
      int taken = sendmmsg(fd, headers + sent, came - sent, 0);
      sent += taken > 0 ? taken : 1;
    }
  }
}
