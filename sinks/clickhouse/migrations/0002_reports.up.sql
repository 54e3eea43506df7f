-- What BI tools see: plain types, comments, the current generation only.
CREATE DATABASE IF NOT EXISTS crm_report ${on_cluster} COMMENT 'Daybook for BI tools.';

CREATE OR REPLACE VIEW crm_report.v_event ${on_cluster} (
  tenant String COMMENT 'Tenant id',
  event_id String COMMENT 'CloudEvents id; unique together with source',
  type String COMMENT 'CloudEvents type, such as crm.deal.won.v1',
  ts DateTime64(3, 'UTC') COMMENT 'When it happened (event time, UTC)',
  recorded DateTime64(3, 'UTC') COMMENT 'When it was written to the journal (UTC)',
  subject String COMMENT 'What it is about, such as contact/42',
  contact_id String COMMENT 'Contact, or a lead that has none; empty when no person is concerned',
  deal_id String COMMENT 'Deal or empty',
  agent_id String COMMENT 'Agent, owner or assignee named in the event, or empty',
  campaign_id String COMMENT 'Campaign or empty',
  channel String COMMENT 'email, sms, phone … or empty',
  amount_minor Int64 COMMENT 'Money in minor units of currency; 0 when none',
  currency String COMMENT 'ISO 4217 or empty',
  origin String COMMENT 'live, import, replay, automation or test',
  late Bool COMMENT 'Recorded more than 35 days after it happened',
  source String COMMENT 'CloudEvents source',
  actor String COMMENT 'Who did it, such as user/7',
  props String COMMENT 'All fields of the event as JSON; read with JSONExtract'
) DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT toString(tenant) AS tenant, event_id, toString(event_type) AS type, ts, recorded, subject,
  contact_id, deal_id, toString(agent_id) AS agent_id, toString(campaign_id) AS campaign_id,
  toString(channel) AS channel, amount_minor, toString(currency) AS currency,
  toString(origin) AS origin, recorded > ts + INTERVAL 35 DAY AS late, toString(source) AS source,
  actor, props
FROM crm.fct_event FINAL
WHERE gen = (SELECT argMax(gen, v) FROM crm.ops_generation)
COMMENT 'One row per event that arrived; a producer''s repeats appear once.';

CREATE OR REPLACE VIEW crm_report.v_metric ${on_cluster} (
  tenant String COMMENT 'Tenant id',
  metric String COMMENT 'Name in the catalogue, such as won_amount',
  grain String COMMENT 'hour, day or all',
  bucket DateTime('UTC') COMMENT 'Start of the bucket (UTC; days begin in the tenant''s zone); 1970-01-01 for grain all',
  dimension String COMMENT 'Empty for the total, else agent, team, region, product …',
  member String COMMENT 'Which agent, team …; empty for the total',
  count Int64 COMMENT 'Observations',
  sum Float64 COMMENT 'Of the observations, in unit',
  min Float64 COMMENT 'Smallest observation, in unit',
  max Float64 COMMENT 'Largest observation, in unit',
  value Float64 COMMENT 'The figure a person expects: a count, a sum, a mean or a rate',
  unit String COMMENT 'count, minor (minor units of currency), seconds or ratio'
) DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
WITH total AS (
  SELECT tenant, metric, grain, bucket, dimension, member, sum(a.count) AS n, sum(a.sum) AS s,
    minIf(a.min, a.count > 0) AS lo, maxIf(a.max, a.count > 0) AS hi
  FROM crm.agg_metric AS a FINAL
  WHERE gen = (SELECT argMax(gen, v) FROM crm.ops_generation)
  GROUP BY tenant, metric, grain, bucket, dimension, member
)
SELECT t.tenant AS tenant, t.metric AS metric, t.grain AS grain, toDateTime(t.bucket, 'UTC') AS bucket,
  t.dimension AS dimension, t.member AS member, n AS count, s / by AS sum, lo / by AS min,
  hi / by AS max,
  multiIf(d.value = 'sum', s / by, d.value = 'mean', if(n = 0, 0, s / n / by), n) AS value,
  if(d.unit = '', 'count', d.unit) AS unit
FROM total AS t
LEFT JOIN (
  SELECT metric, any(unit) AS unit, any(value) AS value, greatest(any(scale), 1) AS by
  FROM crm.dim_metric FINAL GROUP BY metric
) AS d ON toString(t.metric) = d.metric
UNION ALL
SELECT tenant, 'win_rate' AS metric, grain, toDateTime(bucket, 'UTC') AS bucket, dimension, member,
  sum(a.count) AS count, sumIf(a.count, a.metric = 'deals_won') AS sum, 0 AS min, 1 AS max,
  if(count = 0, 0, sum / count) AS value, 'ratio' AS unit
FROM crm.agg_metric AS a FINAL
WHERE gen = (SELECT argMax(gen, v) FROM crm.ops_generation)
  AND a.metric IN ('deals_won', 'deals_lost')
GROUP BY tenant, grain, a.bucket, dimension, member
HAVING count > 0
COMMENT 'Every metric bucket of the live fold, added up over partitions.';

CREATE OR REPLACE VIEW crm_report.v_deal_stage ${on_cluster} (
  tenant String COMMENT 'Tenant id',
  deal_id String COMMENT 'Deal',
  stage String COMMENT 'Stage it was in',
  entered DateTime64(3, 'UTC') COMMENT 'When it entered the stage (UTC)',
  left Nullable(DateTime64(3, 'UTC')) COMMENT 'When it left the stage; NULL: it is there now',
  seconds Nullable(Float64) COMMENT 'Time in the stage; NULL: it is there now, or was left before it was entered',
  agent_id String COMMENT 'Owner when it left, else when it entered',
  outcome String COMMENT 'won or lost when leaving closed the deal, else empty'
) DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT tenant, deal_id, stage, entered,
  if(max(closed), maxIf(ended, closed), NULL) AS left,
  if(max(closed) AND maxIf(ended, closed) >= entered, maxIf(duration_ms, closed) / 1000, NULL)
    AS seconds,
  argMax(agent_id, (closed, seq)) AS agent_id, argMax(outcome, (closed, seq)) AS outcome
FROM crm.fct_deal_stage
WHERE gen = (SELECT argMax(gen, v) FROM crm.ops_generation)
GROUP BY tenant, deal_id, stage, entered
COMMENT 'One row per stay of a deal in a stage.';

CREATE OR REPLACE VIEW crm_report.v_sales_cycle ${on_cluster} (
  tenant String COMMENT 'Tenant id',
  deal_id String COMMENT 'Deal',
  outcome String COMMENT 'won or lost',
  closed DateTime64(3, 'UTC') COMMENT 'When it was closed (UTC)',
  seconds Nullable(Float64) COMMENT 'From engaged (else created) to closed; NULL: its start is unknown',
  amount_minor Int64 COMMENT 'As closed, in minor units of currency; later corrections are in won_amount',
  currency String COMMENT 'ISO 4217 or empty',
  agent_id String COMMENT 'Owner or empty',
  team String COMMENT 'Owner''s team or empty',
  region String COMMENT 'Owner''s region or empty',
  product String COMMENT 'First product or empty'
) DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT tenant, entity AS deal_id, if(name = 'deal_won', 'won', 'lost') AS outcome, ts AS closed,
  argMax(if(started > toDateTime64(0, 3, 'UTC'), duration_ms / 1000, NULL), seq) AS seconds,
  argMax(e.amount_minor, seq) AS amount_minor, argMax(e.currency, seq) AS currency,
  argMax(e.agent_id, seq) AS agent_id, argMax(e.team, seq) AS team,
  argMax(e.region, seq) AS region, argMax(e.product, seq) AS product
FROM crm.fct_effect AS e
WHERE gen = (SELECT argMax(gen, v) FROM crm.ops_generation)
  AND kind = 'fact' AND name IN ('deal_won', 'deal_lost')
GROUP BY tenant, entity, name, ts
HAVING sum(value) > 0
COMMENT 'One row per closing of a deal that stands (a reopened one is taken back), for exact quantiles: SELECT region, quantileExact(0.5)(seconds) / 86400 AS median_days FROM crm_report.v_sales_cycle WHERE tenant = ''b2b'' AND outcome = ''won'' GROUP BY region';

CREATE OR REPLACE VIEW crm_report.v_message ${on_cluster} (
  tenant String COMMENT 'Tenant id',
  message_id String COMMENT 'Message',
  channel String COMMENT 'email, sms, whatsapp …',
  template String COMMENT 'Template id or empty',
  version String COMMENT 'Template version or empty',
  variant String COMMENT 'Variant of an experiment or empty',
  workflow String COMMENT 'workflow/<id>@<version> that asked for it, or empty',
  contact_id String COMMENT 'Recipient',
  requested Nullable(DateTime64(3, 'UTC')) COMMENT 'First asked for (UTC)',
  sent Nullable(DateTime64(3, 'UTC')) COMMENT 'First accepted by the provider (UTC)',
  delivered Nullable(DateTime64(3, 'UTC')) COMMENT 'First delivered (UTC)',
  opened Nullable(DateTime64(3, 'UTC')) COMMENT 'First opened (UTC)',
  clicked Nullable(DateTime64(3, 'UTC')) COMMENT 'First clicked (UTC)',
  bounced Nullable(DateTime64(3, 'UTC')) COMMENT 'First bounced (UTC)',
  state String COMMENT 'Furthest: requested, sent, delivered, opened, clicked; or bounced, failed, suppressed',
  reason String COMMENT 'Of a bounce, failure or suppression, or empty'
) DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT tenant, message_id, max(channel) AS channel, max(template) AS template,
  max(version) AS version, max(variant) AS variant, max(workflow) AS workflow,
  max(contact_id) AS contact_id,
  minOrNullIf(at, step = 'requested') AS requested, minOrNullIf(at, step = 'message_sent') AS sent,
  minOrNullIf(at, step = 'message_delivered') AS delivered,
  minOrNullIf(at, step = 'message_opened') AS opened,
  minOrNullIf(at, step = 'message_clicked') AS clicked,
  minOrNullIf(at, step = 'message_bounced') AS bounced,
  multiIf(countIf(step = 'message_bounced') > 0, 'bounced', countIf(step = 'failed') > 0, 'failed',
    countIf(step = 'suppressed') > 0, 'suppressed', countIf(step = 'message_clicked') > 0, 'clicked',
    countIf(step = 'message_opened') > 0, 'opened',
    countIf(step = 'message_delivered') > 0, 'delivered',
    countIf(step = 'message_sent') > 0, 'sent', 'requested') AS state,
  max(reason) AS reason
FROM (
  SELECT tenant, entity AS message_id, toString(name) AS step, ts AS at, toString(channel) AS channel,
    '' AS template, '' AS version, '' AS variant, '' AS workflow,
    if(startsWith(subject, 'contact/'), substring(subject, 9), '') AS contact_id, '' AS reason
  FROM crm.fct_effect
  WHERE gen = (SELECT argMax(gen, v) FROM crm.ops_generation) AND kind = 'fact' AND name IN
    ('message_sent', 'message_delivered', 'message_opened', 'message_clicked', 'message_bounced')
  UNION ALL
  SELECT tenant, JSONExtractString(props, 'message_id') AS message_id,
    splitByChar('.', toString(event_type))[3] AS step, ts AS at, toString(channel) AS channel,
    JSONExtractString(props, 'template_id') AS template,
    JSONExtractString(props, 'template_version') AS version,
    JSONExtractString(props, 'variant') AS variant,
    if(startsWith(actor, 'workflow/'), actor, '') AS workflow, contact_id,
    if(step IN ('bounced', 'failed', 'suppressed'), JSONExtractString(props, 'reason'), '') AS reason
  FROM crm.fct_event FINAL
  WHERE gen = (SELECT argMax(gen, v) FROM crm.ops_generation) AND startsWith(event_type, 'crm.message.')
)
WHERE message_id != ''
GROUP BY tenant, message_id
COMMENT 'One row per outbound message: template and recipient from its events, times from the fold.';
