# Built by `npm run image`, or by `npm run build && docker build .`; both builders will do.
ARG BASE=node:24-slim

FROM ${BASE} AS modules
WORKDIR /app
# node_modules.tar, when it lies in the context, holds the very modules that were tested; else npm installs them.
COPY package.json package-lock.json node_modules.ta[r] ./
RUN if [ -f node_modules.tar ]; then tar -xf node_modules.tar; else npm ci --omit=dev --ignore-scripts; fi

FROM ${BASE}
# iptables: Docker drops what is forwarded between ports of a foreign bridge, and only its own tool can allow it.
RUN if ! command -v iptables || ! command -v ip; then \
      apt-get update \
      && apt-get install --yes --no-install-recommends iptables iproute2 \
      && rm -rf /var/lib/apt/lists/*; \
    fi
WORKDIR /app
COPY --from=modules /app/node_modules node_modules
COPY package.json LICENSE ./
COPY dist dist
COPY bin bin
# For whoever comes in: docker exec heddle heddle ps.
# A machine-id of the image would be the same on every host (src/state/host-id.ts).
RUN ln -s /app/bin/heddle /usr/local/bin/heddle && rm -f /etc/machine-id
ARG VERSION=0
# SERVICE_IGNORE: however it is started, heddle registers neither itself nor its helpers; heddle.role marks them in ps.
LABEL org.opencontainers.image.title="heddle" \
      org.opencontainers.image.description="Gives every container its own address, service and name" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      SERVICE_IGNORE="true" \
      heddle.role="heddle"
# The heap, like the flag below, is that of bin/heddle.
ENV NODE_ENV=production MALLOC_ARENA_MAX=1
# Namespaces and port 53 need root; what root may do is limited by the capabilities that `docker run` gives.
USER 0:0
STOPSIGNAL SIGTERM
# Asks the daemon by its socket: by HEDDLE_SOCKET, or a settings file, where it is another than the usual one.
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s --retries=3 \
  CMD ["node", "/app/dist/here.js", "healthcheck"]
ENTRYPOINT ["node", "--max-semi-space-size=2", "/app/dist/main.js"]
CMD ["daemon"]
