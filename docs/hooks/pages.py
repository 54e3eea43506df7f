"""Reference pages made from the code they describe, so that they can't say anything else."""

from collections.abc import Iterable

from tables import arguments, code, summary, table

from infra.settings import PREFIX, Settings
from infra.verification import service as verify
from schemas import topics
from schemas.definitions import settings as tenant_settings
from schemas.derived.effect import Effect, Fact, Notify, Publication
from schemas.derived.metric import MetricKey, MetricPartial
from schemas.errors import REASONS
from schemas.journal import Entry
from schemas.state.rows import Head, Timer
from sinks import telemetry as sinks_telemetry
from streams.domain.metrics.catalogue import METRICS, RATIOS, Metric
from streams.runtime import telemetry as streams_telemetry

SIGNS = {1: "adds", -1: "takes away", 0: "corrects the sum"}


def metrics_page() -> str:
    """Return the metric catalogue: an overview, then each metric."""
    overview = [
        (f"[`{each.name}`](#{each.name})", each.unit, each.description)
        for each in (*METRICS.values(), *RATIOS.values())
    ]
    parts = [
        "# Metrics\n",
        (
            "Generated from `streams/domain/metrics/catalogue.py`. The rules behind them: "
            "[Metrics](../domain/metrics.md). Stored numbers are whole: money in minor units, "
            "durations in milliseconds; *scale* is what they are divided by when shown.\n"
        ),
        table(("metric", "unit", "what it is"), overview),
    ]
    for metric in METRICS.values():
        parts += [f"## {metric.name}\n", metric.description + ".\n", _metric(metric)]
    for ratio in RATIOS.values():
        parts += [
            f"## {ratio.name}\n",
            ratio.description + ".\n",
            (
                f"Not stored: `{ratio.part}` ÷ (`{ratio.part}` + `{ratio.rest}`) of the same "
                "bucket, made when it is read; empty when both are 0.\n"
            ),
        ]
    return "\n".join(parts)


def _metric(metric: Metric) -> str:
    facts = ", ".join(f"`{fact}` ({SIGNS[sign]})" for fact, sign in metric.facts.items())
    rows = [
        ("unit", metric.unit),
        ("from facts", facts),
        ("measure", summary(metric.measure).removeprefix("Measure: ").rstrip(".")),
        ("shown value", metric.value),
        ("broken down by", ", ".join(map(code, metric.dimensions))),
        ("kept per", ", ".join(map(code, metric.grains))),
    ]
    if metric.quantiles:
        rows.append(("quantiles", "yes, within 1 % of the value"))
    if metric.scale != 1:
        rows.append(("scale", str(metric.scale)))
    if metric.money:
        rows.append(("other currencies", "shown apart in dimension `currency`"))
    return table(("", ""), rows)


def topics_page() -> str:
    """Return every topic with its key, cleanup and purpose."""
    app = Settings.model_fields["app"].default
    count = Settings.model_fields["partitions"].default
    rows = [
        (code(each.name), each.about, each.key, each.partitions, _config(each))
        for each in topics.catalogue(app, count)
    ]
    return "\n".join((
        "# Topics\n",
        ("Generated from `schemas/topics.py`; `daybook topics create` makes them so and "
        "`daybook topics describe` compares. Shown for the default app id and partition count.\n"),
        table(("topic", "holds", "key", "partitions", "configuration"), rows),
        ("The journal, the state topic and the derived topics have the same number of partitions, "
        "and what an entry causes goes to the partition number the entry is in. What an entry "
        "looks like: [Records](records.md).\n"),
    ))  # fmt: skip


def _config(topic: topics.Topic) -> str:
    return "<br>".join(code(f"{name}={value}") for name, value in topic.config.items())


def settings_page() -> str:
    """Return the settings of the processes, then those of a tenant."""
    rows = [
        (code(PREFIX + name.upper()), code(field.default), field.description or "")
        for name, field in Settings.model_fields.items()
    ]
    spec = tenant_settings.Settings
    texts = arguments(spec)
    tenant_rows = [
        (code(name), code("" if field.default is None else field.default), texts[name])
        for name, field in spec.model_fields.items()
    ]
    return "\n".join((
        "# Settings\n",
        "## Of the processes\n",
        ("Generated from `infra/settings.py`, the only reader of the environment. First wins: "
        "command line options, `DAYBOOK_*` variables, a `.env` file in the working directory, the "
        "endpoints of a running development stack (`status.json` in its data directory), the "
        "defaults below.\n"),
        table(("variable", "default", "meaning"), rows),
        "## Of a tenant\n",
        ("Generated from `schemas/definitions/settings.py`: the definition of kind `settings`, "
        "published with `daybook apply`. It goes through the journal, so it takes effect at one "
        "offset of each partition. What a definition leaves out gets its default again.\n"),
        table(("field", "default", "meaning"), tenant_rows),
    ))  # fmt: skip


def records_page() -> str:
    """Return the fields of everything that is written to a topic of ours."""
    parts = [
        "# Records\n",
        (
            "Generated from the docstrings of `schemas/`. Everything here is Avro in single-object "
            "encoding: the bytes `C3 01`, the CRC-64-AVRO fingerprint of the schema, the body. "
            "`daybook schemas` shows the schemas, `daybook tail` decodes topics.\n"
        ),
    ]
    for title, cls in (
        ("Journal entry", Entry), ("Effect", Effect), ("Fact", Fact), ("Notify", Notify),
        ("Publication", Publication), ("Metric key", MetricKey), ("Metric partial", MetricPartial),
        ("Head of a partition", Head), ("Timer", Timer),
    ):  # fmt: skip
        rows = [(code(name), text) for name, text in arguments(cls).items()]
        parts += [f"## {title}\n", summary(cls) + "\n", table(("field", "meaning"), rows)]
    return "\n".join(parts)


def dead_letters_page() -> str:
    """Return the reasons an upstream record becomes a dead letter for."""
    rows = [(code(reason), text) for reason, text in REASONS.items()]
    return "\n".join((
        "# Dead letters\n",
        ("Generated from `schemas/errors.py`. A record of an upstream topic that can't be read "
        f"goes to `{topics.DEAD_LETTER}` with its own bytes, and reading goes on. What to do about "
        "it: [runbook](../operations/runbook.md#dead-letters).\n"),
        table(("reason", "meaning"), rows),
        f"The limit of `too_large` is {topics.MAX_EVENT_BYTES:,} bytes.\n",
    ))  # fmt: skip


def telemetry_page() -> str:
    """Return the Prometheus metrics of the processes."""
    parts = [
        "# Process telemetry\n",
        (
            "Generated from the registries of the processes. Each long-running process serves "
            "`/metrics` (Prometheus) and `/health` on `DAYBOOK_METRICS_HOST` : "
            "`DAYBOOK_METRICS_PORT`. These figures are about the processes; the CRM's are "
            "[metrics](metrics.md).\n"
        ),
        "## worker and ingest\n",
        _instruments(streams_telemetry.PREFIX, streams_telemetry.INSTRUMENTS),
        "## sink\n",
        _specs(sinks_telemetry.CLICKHOUSE),
        "## live\n",
        _specs(sinks_telemetry.LIVE),
        "## verify\n",
        _specs(verify.CATALOGUE),
    ]
    return "\n".join(parts)


def _instruments(prefix: str, instruments: Iterable[streams_telemetry.Instrument]) -> str:
    rows = [
        (code(prefix + each.name), each.kind, ", ".join(map(code, each.labels)), each.unit,
         each.meaning)
        for each in instruments
    ]  # fmt: skip
    return table(("name", "kind", "labels", "unit", "meaning"), rows)


def _specs(specs: Iterable[sinks_telemetry.Spec]) -> str:
    rows = [
        (code(each.name + ("_total" if each.kind == "counter" else "")), each.kind,
         ", ".join(map(code, each.labels)), each.meaning.rstrip("."))
        for each in specs
    ]  # fmt: skip
    return table(("name", "kind", "labels", "meaning"), rows)
