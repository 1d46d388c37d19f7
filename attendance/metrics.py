"""Every Prometheus metric, in one place. Served on its own port, off by default; names end in their unit."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

_LAG_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60)

LAG = Histogram("rollcall_commit_lag_seconds", "From reading a payload to its durable commit", buckets=_LAG_BUCKETS)
LINES = Counter("rollcall_journal_lines", "Trace lines committed")
SESSIONS = Counter("rollcall_sessions", "Sessions closed and stored")
QUEUE = Gauge("rollcall_inlet_observations", "Observations that wait for the recorder")
DROPPED = Counter("rollcall_inlet_dropped", "Observations refused because the queue was full; the shard is blind")
BLIND_GUILDS = Gauge("rollcall_blind_guilds", "Guilds of this process that are not watched now")
BLIND_SECONDS = Counter("rollcall_blind_seconds", "Seconds of ended blind intervals, summed over guilds", ["cause"])
UNREADABLE = Counter("rollcall_unreadable_payloads", "Gateway payloads that could not be read")
UNANNOUNCED = Counter("rollcall_unannounced_voice_states", "Voice states of guilds that no GUILD_CREATE announced")
RETRIES = Counter("rollcall_store_retries", "Transactions tried again because the database was away", ["what"])
UNSIGNED = Gauge("rollcall_unsigned_records", "Records that wait for a signature")
UNSIGNED_AGE = Gauge("rollcall_unsigned_oldest_seconds", "Age of the oldest record that waits for a signature")
COMMAND_AGE = Gauge("rollcall_waiting_command_seconds", "Age of the oldest command that no owner has applied")
OVERDUE_PERIODS = Gauge("rollcall_overdue_periods", "Periods whose end is more than a minute past and not cut or archived")
LOG_REFUSED = Gauge("rollcall_log_refused", "1 while nothing is signed, or nothing published: the log contradicts what was")
JOB_FAILURES = Counter("rollcall_job_failures", "Runs of a background job that failed", ["job"])
REQUESTS = Histogram("rollcall_http_seconds", "Time in the server for each HTTP operation", ["operation", "status"])
DISPATCHES_DROPPED = Counter("rollcall_dispatches_dropped", "Interactions and entitlements dropped: too many waited", ["kind"])
DISPATCH_FAILURES = Counter("rollcall_dispatch_failures", "Interactions and entitlements whose handling failed", ["kind"])
WEBHOOK_ATTEMPTS = Counter("rollcall_webhook_attempts", "Requests to webhooks, by what came of them", ["outcome"])
LOG_MESSAGES = Counter("rollcall_log_messages", "Messages to log destinations, by what came of an attempt", ["outcome"])
