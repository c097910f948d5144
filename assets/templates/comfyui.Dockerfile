# ComfyUI @comfyui@ for @route@, written by `gpuconsole setup`.
# ComfyUI and its nodes are one commit each, and every Python package is one version: pinned.txt has
# them, and PyTorch names CUDA's. What is not pinned: the base image beyond its tag, and Debian's
# git, libgl1 and libglib2.0-0, which are the newest of that release.
# PyTorch's wheels bring CUDA (@cuda@) with them: the host needs the driver and NVIDIA's container
# toolkit, nothing else. @card@ has compute capability @capability@, which they support.
FROM @base@

ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONUNBUFFERED=1 \
    NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility

RUN apt-get update \
    && apt-get install -y --no-install-recommends git libgl1 libglib2.0-0 \
    && rm -rf /var/lib/apt/lists/*

# pip takes these versions and no others, whatever asks for a package.
COPY pinned.txt /opt/pinned.txt
ENV PIP_CONSTRAINT=/opt/pinned.txt

RUN pip install torch==@torch@+@cuda@ torchvision==@vision@+@cuda@ torchaudio==@audio@+@cuda@ \
    --extra-index-url https://download.pytorch.org/whl/@cuda@

WORKDIR /opt/ComfyUI
RUN git init -q . \
    && git fetch -q --depth 1 https://github.com/comfyanonymous/ComfyUI.git @commit@ \
    && git checkout -q FETCH_HEAD \
    && pip install -r requirements.txt
@extras@
# Models and what is made are mounted; whoever runs it need not be root.
RUN install -d -m 1777 /opt/ComfyUI/user /opt/ComfyUI/temp /data

EXPOSE 8188
CMD ["python", "main.py", "--listen", "0.0.0.0"]
