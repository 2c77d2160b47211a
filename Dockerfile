# The action and the container step: a static binary and the certificates it needs, nothing else.
FROM golang:1.26-alpine AS build
ARG VERSION=""
ARG COMMIT=""
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath \
    -ldflags "-s -w -X github.com/spicedeploy/spice-deploy/internal/cli.version=$VERSION -X github.com/spicedeploy/spice-deploy/internal/cli.commit=$COMMIT" \
    -o /spice-deploy .

# docker build --target ci: for systems that run scripts inside the image. No ENTRYPOINT, since they start a shell.
FROM alpine:3.22 AS ci
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /spice-deploy /usr/local/bin/spice-deploy
CMD ["/bin/sh"]

# No USER and no WORKDIR: a GitHub container action must run as root to write the runner's command files, and
# the runner sets the working directory to the workspace.
FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /spice-deploy /spice-deploy
ENTRYPOINT ["/spice-deploy"]
