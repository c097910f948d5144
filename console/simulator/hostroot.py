"""The host's own files of a scene: a small /proc and what else tells one platform from another."""

from pathlib import Path

from console.simulator.scene import GIB, HostSpec, seconds
from console.simulator.stage import Stage

_KIB = 1024
_STEP = 16 * 1024
"""kB by which free memory moves at least, so that the file is not written at each look."""


class HostRoot:
    """A folder that stands for `/`; `refresh` writes only what has changed.

    Args:
        stage: what stands there.
        root: the folder.
        work: the operator's own one, which is there by its real path, as containers mount it.
    """

    def __init__(self, stage: Stage, root: Path, work: Path) -> None:
        self._stage = stage
        self._root = root
        self._work = work
        self._written: dict[str, str] = {}

    def build(self) -> None:
        """Write what never changes, and everything else for the first time."""
        host = self._stage.scene.host
        self._root.mkdir(mode=0o700, exist_ok=True)
        for name, text in _fixed(host).items():
            self._write(name, text)
        if host.flavour == "wsl":
            (self._root / "usr/lib/wsl/lib").mkdir(parents=True)
            (self._root / "run/WSL").mkdir(parents=True)
            self._write("dev/dxg", "")
        own = self._root / self._work.relative_to("/")
        own.parent.mkdir(parents=True)
        own.symlink_to(self._work)
        for actor in self._stage.actors.values():
            for mount in actor.spec.mounts:
                source = self._root / mount.partition(":")[0].strip("/")
                if not source.exists():
                    source.mkdir(parents=True)
        self.refresh()

    def refresh(self) -> None:
        """Bring memory, uptime and processes up to the stage's present moment."""
        wanted = {"proc/meminfo": self._memory(), "proc/uptime": self._uptime()}
        if self._stage.scene.host.flavour == "native":
            for actor in self._stage.actors.values():
                if actor.alive and actor.spec.card is not None:
                    wanted |= self._process(actor.gpu_pid, actor.id)
            for left in self._stage.remains:
                wanted |= self._process(left.pid, left.container_id)
        for name, text in wanted.items():
            if self._written.get(name) != text:
                self._write(name, text)
        for name in [n for n in self._written if n not in wanted and _is_process(n)]:
            self._remove(name)

    def _write(self, name: str, text: str) -> None:
        """Put a file in place whole, as /proc would never show half of one."""
        path = self._root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_name(path.name + ".next")
        aside.write_text(text, encoding="utf-8")
        aside.replace(path)
        self._written[name] = text

    def _remove(self, name: str) -> None:
        path = self._root / name
        path.unlink(missing_ok=True)
        del self._written[name]
        if not any(path.parent.iterdir()):
            path.parent.rmdir()

    def _memory(self) -> str:
        host = self._stage.scene.host
        total, available = memory_kib(self._stage)
        swap = int(host.swap * GIB) // _KIB
        rows = {
            "MemTotal": total,
            "MemFree": available // 2,
            "MemAvailable": available,
            "Buffers": 180_000,
            "Cached": available // 2,
            "SwapTotal": swap,
            "SwapFree": swap - swap // 40,
        }
        return "".join(f"{name + ':':<16}{value:>8} kB\n" for name, value in rows.items())

    def _uptime(self) -> str:
        up = seconds(self._stage.scene.host.uptime) + self._stage.now // 10 * 10
        return f"{up:.2f} {up * self._stage.scene.host.cpus * 0.9:.2f}\n"

    def _process(self, pid: int, container_id: str) -> dict[str, str]:
        """Give the files of the process that holds a card's memory."""
        if self._stage.scene.engine.flavour == "20.10":
            cgroup = "".join(
                f"{number}:{name}:/docker/{container_id}\n"
                for number, name in ((5, "memory"), (4, "cpu,cpuacct"), (1, "name=systemd"))
            )
        else:
            cgroup = f"0::/system.slice/docker-{container_id}.scope\n"
        status = f"Name:\tpython3\nState:\tS (sleeping)\nPid:\t{pid}\nNSpid:\t{pid}\t8\n"
        return {
            f"proc/{pid}/cgroup": cgroup,
            f"proc/{pid}/comm": "python3\n",
            f"proc/{pid}/status": status,
            f"proc/{pid}/cmdline": "python3\0launch.py\0",
        }


def memory_kib(stage: Stage) -> tuple[int, int]:
    """Give the host's memory in all and what is available of it, in KiB."""
    host = stage.scene.host
    moments = [actor.moment(stage.now) for actor in stage.actors.values()]
    used = sum(moment.memory_bytes for moment in moments if moment)
    total = int(host.memory * GIB) // _KIB
    taken = (used + int(host.base_memory * GIB)) // _KIB // _STEP * _STEP
    return total, max(total // 50, total - taken)


def _is_process(name: str) -> bool:
    return name.split("/")[1].isdecimal()


def _fixed(host: HostSpec) -> dict[str, str]:
    """Give the files that never change while the host runs."""
    banner = host.version or (
        f"Linux version {host.kernel} (root@builder) (gcc (GCC) 13.2.0) #1 SMP PREEMPT_DYNAMIC\n"
    )
    processor = "processor\t: {n}\nvendor_id\t: AuthenticAMD\nmodel name\t: {model}\ncores\t: 8\n\n"
    rows = (processor.format(n=n, model=host.cpu_model) for n in range(host.cpus))
    return {
        "proc/version": banner,
        "proc/sys/kernel/osrelease": f"{host.kernel}\n",
        "proc/sys/kernel/hostname": f"{host.hostname}\n",
        "proc/cpuinfo": "".join(rows),
        "etc/os-release": f'PRETTY_NAME="{host.distribution}"\nID={host.distribution_id}\n',
    }
