"""What a service works on, in words: its job, minutes in, and who waits."""

from actions.services.snapshot import ServiceStatus
from console.services.reading import Job
from console.units import format_duration
from console.unknown import Unknown


def busy(status: ServiceStatus) -> bool:
    """Tell whether a service has jobs under way or waiting, as far as it tells."""
    return bool(status.reading and status.reading.busy) or pending(status) > 0


def pending(status: ServiceStatus) -> int:
    """Give how many jobs wait; 0 where it does not tell."""
    waiting = status.reading.queue_pending if status.reading else 0
    return waiting if isinstance(waiting, int) else 0


def jobs(status: ServiceStatus) -> int:
    """Give how many jobs it has, the one under way included."""
    reading = status.reading
    if reading is None:
        return 0
    running = reading.queue_running if isinstance(reading.queue_running, int) else 0
    return max(running, 1 if reading.busy else 0) + pending(status)


def job_text(status: ServiceStatus) -> str:
    """Give the job under way, such as `its edit (62 %, 4m10s in)`."""
    job = (status.reading.job if status.reading else None) or Job()
    told = []
    if not isinstance(job.percent, Unknown):
        told.append(f"{job.percent:.0f} %")
    if not isinstance(job.running_seconds, Unknown):
        told.append(f"{format_duration(round(job.running_seconds))} in")
    else:
        told.append("since when it does not tell")
    if not isinstance(job.left_seconds, Unknown):
        told.append(f"about {format_duration(round(job.left_seconds))} left")
    return f"its {job.what or 'job'} ({', '.join(told)})"


def work_of(status: ServiceStatus) -> str:
    """Give all it has to do, such as `its edit (62 %, 4m10s in) and 2 waiting jobs`."""
    waiting = pending(status)
    queue = f"{waiting} waiting job{'s' if waiting != 1 else ''}"
    if not (status.reading and status.reading.busy):
        return queue if waiting else "nothing"
    return f"{job_text(status)} and {queue}" if waiting else job_text(status)
