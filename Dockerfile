# The host as a container image. By default it serves models/ of this repository from /models, over which others can be mounted.
ARG SDK_IMAGE=mcr.microsoft.com/dotnet/sdk:10.0
ARG RUNTIME_IMAGE=mcr.microsoft.com/dotnet/aspnet:10.0
ARG CUDA_IMAGE=docker.io/nvidia/cuda:13.0.1-cudnn-runtime-ubuntu24.04
# cpu, or cuda13 for CUDA 13 and cuDNN 9 in the final stage.
ARG ACCELERATOR=cpu
# true adds libtorch as the base's distribution has it, for TorchScript models.
ARG TORCH=false

# What a restore reads, apart from the sources, so that a changed source restores nothing.
FROM ${SDK_IMAGE} AS projects
WORKDIR /source
COPY Directory.*.props Directory.*.targets global.json nuget.config ./
COPY eng/onnxruntime eng/onnxruntime
COPY src src
RUN find src -type f ! -name '*.csproj' ! -name '*.targets' -delete && find src -type d -empty -delete

FROM ${SDK_IMAGE} AS build
ENV DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 NUGET_PACKAGES=/packages
WORKDIR /source
ARG TORCH
RUN if [ "$TORCH" = true ]; then \
        apt-get update && apt-get install -y --no-install-recommends g++ libtorch-dev && rm -rf /var/lib/apt/lists/*; \
    fi
COPY --from=projects /source ./
# Where NuGet's own source is out of reach: --secret id=nuget,src=$HOME/.nuget/NuGet/NuGet.Config
RUN --mount=type=secret,id=nuget,target=/root/.nuget/NuGet/NuGet.Config \
    dotnet restore src/Runtime.Host -p:_IsPublishing=true -p:SelfContained=false -p:UseSharedCompilation=false -nodeReuse:false
COPY .editorconfig ./
COPY schemas schemas
COPY src src
# The base has .NET.
RUN dotnet publish src/Runtime.Host --no-restore -c Release -p:SelfContained=false -o /image/opt/runtime \
    -p:DebugType=none -p:UseSharedCompilation=false -nodeReuse:false
COPY LICENSE eng/image/entrypoint /image/opt/runtime/
# The package's name ends with its version, which is the distribution's.
RUN if [ "$TORCH" = true ]; then \
        dpkg-query -W -f '${Package}\n' 'libtorch[0-9]*' >/image/opt/runtime/libtorch.package; \
    fi
COPY models /image/models
RUN mkdir -p /image/opt/runtime/functions /image/usr/local/bin \
    && ln -s /opt/runtime/runtime-host /image/usr/local/bin/runtime-host \
    && ln -s /opt/runtime/runtime-host /image/usr/local/bin/tritonserver \
    && chmod -R u=rwX,go=rX /image

FROM ${RUNTIME_IMAGE} AS cpu

FROM ${CUDA_IMAGE} AS cuda13
COPY --from=cpu /usr/share/dotnet /usr/share/dotnet

# Compiles the C# functions among the models on the very framework that will run them, and tries every model.
FROM ${ACCELERATOR} AS models
COPY --from=build /image/ /
RUN runtime-host validate /models --function-cache /opt/runtime/functions

FROM ${ACCELERATOR} AS final
# Nothing is written: no diagnostics socket, no cache of compiled functions unless RUNTIME_FUNCTION_CACHE names a place for it.
ENV DOTNET_EnableDiagnostics=0 \
    DOTNET_ROOT=/usr/share/dotnet \
    RUNTIME_MODEL_REPOSITORY=/models \
    RUNTIME_FUNCTION_CACHE=none
COPY --from=build /image/ /
ARG TORCH
RUN if [ "$TORCH" = true ]; then \
        apt-get update && apt-get install -y --no-install-recommends $(cat /opt/runtime/libtorch.package) libopenblas0-pthread && rm -rf /var/lib/apt/lists/*; \
    fi
COPY --from=models /opt/runtime/functions /opt/runtime/functions
ARG VERSION=0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Runtime" \
      org.opencontainers.image.description="Serves ONNX models and C# functions over Triton's HTTP and gRPC protocols" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
# A number, so that a platform can see that it is not root. Any other will do.
USER 1654
EXPOSE 8000 8001 8002
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 CMD ["runtime-host", "health"]
ENTRYPOINT ["/opt/runtime/entrypoint"]
CMD ["runtime-host"]
