# The operator's image: one static binary, no shell, no root. `make image` builds it.
#
# What builds is pinned by digest. The tag beside it is for people; both move together.
ARG BUILD_BASE=rust:1.95.0-slim-bookworm@sha256:d7482085ff5b415f84dba5647ae71606650bdef00db7aeb69f4b3d170c3e4082

FROM ${BUILD_BASE} AS build
# The toolchain of the image is the one of rust-toolchain.toml; its clippy and rustfmt are not needed here.
ENV RUSTUP_TOOLCHAIN=1.95.0
# musl-gcc compiles the C of the TLS library.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends musl-tools \
    && rm -rf /var/lib/apt/lists/* \
    && rustup target add "$(uname -m)-unknown-linux-musl"
# Writes the list of crates into the binary, from which the SBOM of a release is made.
RUN cargo install --locked cargo-auditable@0.7.7
WORKDIR /build
COPY . .
# `ledger` makes the image that the pods of ledgers run; the operator needs none.
ARG FEATURES=""
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/build/target \
    tools/reproducibly cargo auditable build --locked --release --no-default-features --features "${FEATURES}" --bin agentslo --target "$(uname -m)-unknown-linux-musl" \
    && cp "target/$(uname -m)-unknown-linux-musl/release/agentslo" /agentslo
# With the certificates the image of the operator stays below 20 MB.
RUN test -n "${FEATURES}" || test "$(stat --format %s /agentslo)" -lt 19750000

FROM scratch
ARG VERSION=dev
ARG REVISION=unknown
LABEL org.opencontainers.image.title="agentslo" \
      org.opencontainers.image.description="Error budgets and burn-rate alerts for AI agents on Kubernetes" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
# The root certificates that an AgentPlatform's https addresses are checked against.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /agentslo /agentslo
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["/agentslo"]
CMD ["run"]
