-- What arrived and what the fold concluded, row for row, and the ledger that makes it exactly once.
-- Every table that receives a deduplication token keeps a window of tokens, targets of
-- materialized views too: the default window of an unreplicated table is 0, which is none.
-- Where rows replace each other the generation is in the sorting key: FINAL compares keys across
-- partitions, so another generation's newer row would hide ours.

CREATE DATABASE IF NOT EXISTS crm ${on_cluster};

-- One row per claim (epoch, owner): a late row of a fenced owner can never hide its successor's.
CREATE TABLE IF NOT EXISTS crm.ops_ledger ${on_cluster} (
  topic LowCardinality(String), partition UInt16, gen UInt16,
  epoch UInt64 COMMENT 'highest of the lane + 1 at every claim',
  owner String COMMENT 'random name of the process that claimed',
  seq UInt64 COMMENT 'of the row within its claim; the newest replaces the others',
  kind UInt8 COMMENT '0 = claim, 1 = state',
  done_to UInt64 COMMENT 'every record below this offset is in the table',
  pending_from UInt64, pending_to UInt64 COMMENT 'range that may or may not be in the table; empty: none',
  token String COMMENT 'insert_deduplication_token of the pending range',
  n UInt64 COMMENT 'rows of the pending range',
  crc UInt32 COMMENT 'CRC-32 of the raw values of the pending range',
  topic_id String COMMENT 'Kafka''s id of the topic: another one means created again',
  next_seq UInt64 COMMENT 'sequence number of the first effect at or above done_to',
  at DateTime64(3, 'UTC') DEFAULT now64(3)
) ENGINE = ${replicated}ReplacingMergeTree(seq)
ORDER BY (topic, partition, gen, epoch, owner)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Where the sink stands, per topic and partition.';

CREATE TABLE IF NOT EXISTS crm.ops_generation ${on_cluster} (
  v UInt64 COMMENT 'the row with the highest decides', gen UInt16 COMMENT 'generation that readers see',
  at DateTime64(3, 'UTC') DEFAULT now64(3), note String
) ENGINE = ${replicated}MergeTree ORDER BY v
COMMENT 'Pointer to the generation that reports show.';

INSERT INTO crm.ops_generation (v, gen, note)
SELECT 1, 1, 'first' WHERE (SELECT count() FROM crm.ops_generation) = 0;

CREATE TABLE IF NOT EXISTS crm.fct_event ${on_cluster} (
  gen UInt16, tenant LowCardinality(String), event_id String, event_type LowCardinality(String),
  ts DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
  recorded DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
  subject String, contact_id String, deal_id String, agent_id LowCardinality(String),
  campaign_id LowCardinality(String), channel LowCardinality(String),
  amount_minor Int64, currency LowCardinality(String), origin LowCardinality(String),
  source LowCardinality(String), actor String, correlation String, causation String, depth UInt16,
  props String CODEC(ZSTD(1)),
  _partition UInt16, _offset UInt64 CODEC(DoubleDelta, LZ4),
  _version UInt64 MATERIALIZED bitNot(_offset) COMMENT 'of a repeated event the first one stays',
  INDEX ix_contact contact_id TYPE bloom_filter(0.01) GRANULARITY 4
) ENGINE = ${replicated}ReplacingMergeTree(_version)
PARTITION BY (gen, toYYYYMM(ts))
ORDER BY (tenant, event_type, toDate(ts), contact_id, ts, source, event_id, gen)
SETTINGS ${window}
COMMENT 'journal.v1: events, without broadcast copies. A producer''s repeats collapse (read FINAL).';

CREATE TABLE IF NOT EXISTS crm.fct_effect ${on_cluster} (
  gen UInt16, tenant LowCardinality(String), kind LowCardinality(String),
  name LowCardinality(String), id String, seq UInt64 CODEC(DoubleDelta, LZ4), subject String,
  ts DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
  cause_offset UInt64 CODEC(DoubleDelta, LZ4), effect_index UInt32,
  entity String, started DateTime64(3, 'UTC') COMMENT 'epoch 0: what is measured has no duration',
  ended DateTime64(3, 'UTC'), duration_ms Int64, amount_minor Int64,
  currency LowCardinality(String), value Int64, stage LowCardinality(String),
  outcome LowCardinality(String), agent_id LowCardinality(String), team LowCardinality(String),
  region LowCardinality(String), product LowCardinality(String), campaign_id LowCardinality(String),
  lead_source LowCardinality(String), channel LowCardinality(String),
  origin LowCardinality(String), late Bool,
  body String CODEC(ZSTD(1)) COMMENT 'JSON of what is not a fact',
  _partition UInt16, _offset UInt64 CODEC(DoubleDelta, LZ4)
) ENGINE = ${replicated}MergeTree
PARTITION BY (gen, toYYYYMM(ts))
ORDER BY (tenant, kind, name, toDate(ts), entity, ts, seq)
SETTINGS ${window}
COMMENT 'derived.effect.v1: one row per effect; facts flattened.';

CREATE TABLE IF NOT EXISTS crm.agg_metric ${on_cluster} (
  gen UInt16, tenant LowCardinality(String), metric LowCardinality(String),
  grain LowCardinality(String), bucket DateTime64(3, 'UTC'), dimension LowCardinality(String),
  member String, count Int64, sum Int64, min Int64, max Int64,
  sketch Array(Int64) CODEC(ZSTD(1)) COMMENT 'flat pairs (bin, count) of a DDSketch',
  _partition UInt16, _offset UInt64 COMMENT 'journal offset the value stands at; the newest wins'
) ENGINE = ${replicated}ReplacingMergeTree(_offset)
PARTITION BY (gen, toYYYYMM(bucket))
ORDER BY (tenant, metric, grain, dimension, bucket, member, gen, _partition)
SETTINGS ${window}
COMMENT 'derived.metric.v1: absolute partial per journal partition (read FINAL, then add up).';

CREATE TABLE IF NOT EXISTS crm.dim_metric ${on_cluster} (
  metric String, unit String, scale Int64 COMMENT 'accumulators are divided by this to present',
  value String COMMENT 'what `value` shows: count, sum, mean', description String, v UInt64
) ENGINE = ${replicated}ReplacingMergeTree(v) ORDER BY metric
COMMENT 'The metric catalogue, written by `daybook migrate`.';

CREATE TABLE IF NOT EXISTS crm.fct_deal_stage ${on_cluster} (
  gen UInt16, tenant LowCardinality(String), deal_id String, stage LowCardinality(String),
  entered DateTime64(3, 'UTC'), ended DateTime64(3, 'UTC'), closed Bool, duration_ms Int64,
  outcome LowCardinality(String), agent_id LowCardinality(String), team LowCardinality(String),
  region LowCardinality(String), product LowCardinality(String), _partition UInt16, seq UInt64
) ENGINE = ${replicated}MergeTree
PARTITION BY (gen, toYYYYMM(entered))
ORDER BY (tenant, deal_id, entered, stage, closed)
SETTINGS ${window}
COMMENT 'A row when a deal enters a stage (closed = false) and one when it leaves it.';

CREATE MATERIALIZED VIEW IF NOT EXISTS crm.mv_deal_stage ${on_cluster} TO crm.fct_deal_stage AS
SELECT gen, tenant, entity AS deal_id, stage, started AS entered, ended, name = 'deal_stage' AS closed,
  duration_ms, outcome, agent_id, team, region, product, _partition, seq
FROM crm.fct_effect
WHERE kind = 'fact' AND name IN ('deal_stage', 'deal_stage_entered');
