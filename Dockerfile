# The action and the container step: a static binary and the certificates it needs, nothing else.
ARG VERSION=""
ARG COMMIT=""

FROM golang:1.26-alpine AS build
ARG VERSION
ARG COMMIT
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath \
    -ldflags "-s -w -X github.com/spicedeploy/spice-deploy/internal/cli.version=$VERSION -X github.com/spicedeploy/spice-deploy/internal/cli.commit=$COMMIT" \
    -o /out/spice-deploy .
# Of the same sources the same layer, whenever it is built: a copy keeps the times of what it copies.
RUN mkdir -p /out/etc/ssl/certs && cp /etc/ssl/certs/ca-certificates.crt /out/etc/ssl/certs/ && \
    find /out -exec touch -d @0 {} +

# docker build --target ci: for systems that run scripts inside the image. No ENTRYPOINT, since they start a shell.
FROM alpine:3.22 AS ci
ARG VERSION
ARG COMMIT
LABEL org.opencontainers.image.title="spice-deploy with a shell" \
    org.opencontainers.image.description="Deploys apps to Spice.ai Cloud from CI systems that run scripts inside an image" \
    org.opencontainers.image.source="https://github.com/spicedeploy/spice-deploy" \
    org.opencontainers.image.licenses="Apache-2.0" \
    org.opencontainers.image.version="$VERSION" \
    org.opencontainers.image.revision="$COMMIT"
COPY --from=build /out/etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/spice-deploy /usr/local/bin/spice-deploy
CMD ["/bin/sh"]

# No USER and no WORKDIR: a GitHub container action must run as root to write the runner's command files, and
# the runner sets the working directory to the workspace.
FROM scratch
ARG VERSION
ARG COMMIT
LABEL org.opencontainers.image.title="spice-deploy" \
    org.opencontainers.image.description="Deploys apps to Spice.ai Cloud from CI" \
    org.opencontainers.image.source="https://github.com/spicedeploy/spice-deploy" \
    org.opencontainers.image.licenses="Apache-2.0" \
    org.opencontainers.image.version="$VERSION" \
    org.opencontainers.image.revision="$COMMIT"
COPY --from=build /out /
ENTRYPOINT ["/spice-deploy"]
