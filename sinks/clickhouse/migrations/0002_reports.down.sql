DROP VIEW IF EXISTS crm_report.v_message ${on_cluster};
DROP VIEW IF EXISTS crm_report.v_sales_cycle ${on_cluster};
DROP VIEW IF EXISTS crm_report.v_deal_stage ${on_cluster};
DROP VIEW IF EXISTS crm_report.v_metric ${on_cluster};
DROP VIEW IF EXISTS crm_report.v_event ${on_cluster};
DROP DATABASE IF EXISTS crm_report ${on_cluster};
