"""What the event store's server says of itself, judged: version, eviction, persistence, memory, clock; pure."""

from collections.abc import Iterator, Mapping

from worker.doctor.finding import Finding

_MIN_VERSION = (7, 0)  # the first whose scripts have flags
_LAZY_BY_DEFAULT = (8, 0)
_LITTLE_ROOM = 0.8  # from here on producers are refused: CAP_SHARE
_SKEW_MS = 2_000
_FAR_SKEW_MS = 60_000


def of_server(info: Mapping[str, str]) -> Iterator[Finding]:
    """Judge what an INFO says."""
    yield of_version(info)
    yield of_eviction(info)
    yield _of_persistence(info)
    yield _of_memory(info)
    yield from _of_role(info)


def of_version(info: Mapping[str, str]) -> Finding:
    """Judge the version: the scripts' flags decide whether a full store can be drained."""
    version = info.get("redis_version", "")
    name = f"Valkey {info['valkey_version']}" if "valkey_version" in info else f"Redis {version}"
    if _numbers(version) >= _MIN_VERSION:
        return Finding("ok", "server version", name)
    finding = f"{name if version else 'unknown'} is too old: its scripts have no flags"
    return Finding("problem", "server version", finding, "Use Redis 7.0 or Valkey 8, or newer.")


def of_eviction(info: Mapping[str, str]) -> Finding:
    """Judge the policy: any but noeviction throws whole lanes away when the memory is used up."""
    policy, maxmemory = info.get("maxmemory-policy", ""), int(info.get("maxmemory", 0))
    fix = "Set maxmemory-policy to noeviction on the server."
    if policy == "noeviction":
        return Finding("ok", "eviction", "nothing is evicted: maxmemory-policy is noeviction")
    if not policy:
        return Finding("warning", "eviction", "the server does not tell its maxmemory-policy", fix)
    if maxmemory:
        finding = f"maxmemory-policy is {policy}: a full server would throw events away"
        return Finding("problem", "eviction", finding, fix)
    finding = f"maxmemory-policy is {policy}: harmless only as long as there is no maxmemory"
    return Finding("warning", "eviction", finding, fix)


def of_clock(skew_ms: float) -> Finding:
    """Judge how far this machine's clock is from the server's, which decides leases, pauses and ages."""
    seconds = f"{abs(skew_ms) / 1000:.1f} s {'ahead of' if skew_ms > 0 else 'behind'} the event store's"
    if abs(skew_ms) <= _SKEW_MS:
        return Finding("ok", "clock", "this machine and the event store agree")
    fix = "Let both machines set their clocks by NTP (chrony, systemd-timesyncd)."
    if abs(skew_ms) <= _FAR_SKEW_MS:
        return Finding("warning", "clock", f"this machine's is {seconds}: ages in the numbers are off by that", fix)
    finding = f"this machine's is {seconds}: Meta refuses an event_time of the future, and ages are wrong"
    return Finding("problem", "clock", finding, fix)


def of_expiry(info: Mapping[str, str], lazy: str | None) -> Iterator[Finding]:
    """Advise of sets that stop the server for a moment when they expire; lazy: lazyfree-lazy-expire, None: not told."""
    if lazy == "no" and _numbers(info.get("redis_version", "")) < _LAZY_BY_DEFAULT:
        finding = (
            "lazyfree-lazy-expire is off: the server stands still while it forgets a million events (dedup_seconds)"
        )
        yield Finding("warning", "expiry", finding, "Set lazyfree-lazy-expire to yes on the server.")


def _of_persistence(info: Mapping[str, str]) -> Finding:
    if info.get("appendonly") == "yes":
        if info.get("aof_last_write_status", "ok") != "ok" or info.get("aof_last_bgrewrite_status", "ok") != "ok":
            fix = "See the server's log: is its disk full?"
            return Finding("problem", "persistence", "appendonly is on, and the server cannot write its file", fix)
        return Finding("ok", "persistence", "appendonly is on")
    finding = "appendonly is off: a restart of the server loses waiting events"
    return Finding("warning", "persistence", finding, "Set appendonly to yes on the server.")


def _of_memory(info: Mapping[str, str]) -> Finding:
    used, most = int(info.get("used_memory", 0)), int(info.get("maxmemory", 0))
    if not most:
        fix = (
            "Set maxmemory to some three quarters of the machine's memory, so that producers are told to wait in time. "
            "With the embedded store: fine for trying; for production a Redis of your own: docs/deployment.md."
        )
        finding = "there is no maxmemory: an outage of Meta fills the machine until the system ends the server"
        return Finding("warning", "memory", finding, fix)
    finding = f"{used / most:.0%} of maxmemory ({most} bytes) is used"
    if used < most * _LITTLE_ROOM:
        return Finding("ok", "memory", finding)
    fix = "See in `status` what waits and which dead letters there are; raise maxmemory."
    return Finding("warning", "memory", f"{finding}: producers are refused, or soon will be", fix)


def _of_role(info: Mapping[str, str]) -> Iterator[Finding]:
    if info.get("role", "master") != "master":
        finding = "the server is a replica: it takes no events"
        fix = "Name the master in CAPI_REDIS_URL, or let Sentinel name it: sentinel://host:26379/0?master=name."
        yield Finding("problem", "role", finding, fix)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
