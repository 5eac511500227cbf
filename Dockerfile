# syntax=docker/dockerfile:1
# One image for all services; the argument says which one a container runs: docker run openwop-micro runs

FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
WORKDIR /source

# Packages first: they change less often than the code.
COPY nuget.config global.json Directory.Build.props Directory.Packages.props OpenWop.Micro.sln ./
COPY protos/ protos/
COPY libs/ libs/
COPY services/ services/
RUN for project in services/*/*.csproj; do dotnet restore "$project"; done
RUN for project in services/*/*.csproj; do \
      dotnet publish "$project" --no-restore -c Release -p:CI=true -o "/app/$(basename "$(dirname "$project")")"; \
    done
COPY --chmod=755 deploy/run /app/run

FROM mcr.microsoft.com/dotnet/aspnet:10.0
WORKDIR /app
COPY --from=build /app .
RUN mkdir /data && chown "$APP_UID" /data

# Everything that is written goes to /data, and only where no PostgreSQL is configured.
ENV ASPNETCORE_HTTP_PORTS=8080 \
    OPENWOP_DATA=/data \
    OPENWOP_LOG_FORMAT=json \
    DOTNET_EnableDiagnostics=0
VOLUME /data
EXPOSE 8080
USER $APP_UID
HEALTHCHECK --interval=10s --timeout=4s --start-period=20s --retries=3 CMD ["/app/run", "health"]
ENTRYPOINT ["/app/run"]
CMD ["standalone"]
