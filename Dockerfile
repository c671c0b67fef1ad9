# Two stages: the compiler stays behind, the image is one static file, without even a shell.
FROM golang:1.26.8-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=dev
RUN mkdir /mails && CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=${VERSION}" -o /paysvc ./cmd/paysvc

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build --chown=65532:65532 /mails /mails
COPY --from=build /paysvc /paysvc
ENV PAYSVC_MAIL_FOLDER=/mails
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["/paysvc"]
CMD ["serve"]
