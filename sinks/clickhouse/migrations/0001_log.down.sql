-- Drops everything that was recorded: it can be read again from the log by a new generation.
DROP VIEW IF EXISTS crm.mv_deal_stage ${on_cluster};
DROP TABLE IF EXISTS crm.fct_deal_stage ${on_cluster};
DROP TABLE IF EXISTS crm.dim_metric ${on_cluster};
DROP TABLE IF EXISTS crm.agg_metric ${on_cluster};
DROP TABLE IF EXISTS crm.fct_effect ${on_cluster};
DROP TABLE IF EXISTS crm.fct_event ${on_cluster};
DROP TABLE IF EXISTS crm.ops_generation ${on_cluster};
DROP TABLE IF EXISTS crm.ops_ledger ${on_cluster};
