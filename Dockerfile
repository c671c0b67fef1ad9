# Two stages: the compiler stays behind, the image is one static file in a base without a shell.
FROM golang:1.26.8-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=dev
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=${VERSION}" -o /paysvc ./cmd/paysvc

FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /paysvc /paysvc
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["/paysvc"]
CMD ["serve"]
