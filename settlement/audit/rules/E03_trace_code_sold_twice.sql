-- id             = "E03"
-- name           = "追溯码重复"
-- name_en        = "trace code sold twice"
-- purpose        = "同一追溯码的药品卖出不止一次,首次销售以外的"
-- purpose_en     = "a trace code sold more than once, sales after the first one"
-- national_ref   = ""
-- category       = "management"
-- grade          = "可疑"
-- status         = "active"
-- scope          = ["pharmacy"]
-- dated_by       = "fee_ocur_time"
-- reads          = ["settlement", "any_line", "past_line", "trace"]
-- deduction      = "DQ"
-- effective_from = 2025-07-01
-- message        = "{codes} 个追溯码中有 {observed} 个此前已售出"
-- message_en     = "{observed} of {codes} trace codes had been sold before"
--
-- [[basis]]
-- source  = "trace-2025"
-- article = "2025年7月1日起扫码后方可结算"
--
-- [[basis]]
-- source  = "law-735"
-- article = "第四十条"
--
-- [[basis]]
-- source  = "pharmacy-list-2025"
-- article = "第4项 倒卖、第5项 回流"
--
-- [past]
-- days = 366
-- ids  = """SELECT setl_id FROM trace WHERE split_flag = '0' AND trace_code IN (
--     SELECT t.trace_code FROM trace AS t
--     INNER JOIN any_settlement AS s ON t.setl_id = s.setl_id AND s.clr_type = '41')"""
--
-- [limits]
-- misses = "回溯期以前、外地和自费的销售;拆零销售的药品"

-- Codes that pharmacies sold this month and that occur more than once
WITH mine AS (
    SELECT trace.trace_code
    FROM trace
    INNER JOIN settlement ON trace.setl_id = settlement.setl_id
),

twice AS (
    SELECT trace_code
    FROM trace
    WHERE trace_code IN (SELECT trace_code FROM mine)
    GROUP BY trace_code
    HAVING COUNT(*) > 1
),

code AS (
    SELECT DISTINCT trace_code, setl_id, bkkp_sn
    FROM trace
    WHERE split_flag = '0' AND trace_code IN (SELECT trace_code FROM twice)
),

sold AS (
    SELECT
        code.trace_code, code.setl_id, code.bkkp_sn, any_line.fee_ocur_time, any_line.clr_type, any_line.cnt
    FROM any_line
    INNER JOIN code
        ON any_line.setl_id = code.setl_id
        AND any_line.bkkp_sn = code.bkkp_sn
    UNION ALL
    SELECT
        code.trace_code, code.setl_id, code.bkkp_sn, past_line.fee_ocur_time, NULL AS clr_type, past_line.cnt
    FROM past_line
    INNER JOIN code
        ON past_line.setl_id = code.setl_id
        AND past_line.bkkp_sn = code.bkkp_sn
),

placed AS (
    SELECT
        setl_id, bkkp_sn, clr_type, cnt,
        ROW_NUMBER() OVER same_code             AS place,
        FIRST_VALUE(setl_id) OVER same_code     AS first_setl_id,
        FIRST_VALUE(bkkp_sn) OVER same_code     AS first_bkkp_sn
    FROM sold
    WINDOW same_code AS (PARTITION BY trace_code ORDER BY fee_ocur_time, setl_id, bkkp_sn)
),

again AS (
    SELECT
        setl_id, bkkp_sn, cnt, COUNT(*) AS repeated, MIN(first_setl_id || '/' || first_bkkp_sn) AS related
    FROM placed
    WHERE place > 1 AND clr_type = '41'
    GROUP BY setl_id, bkkp_sn, cnt
)

SELECT
    again.setl_id,
    again.bkkp_sn,
    CAST(again.repeated AS DECIMAL(18, 4))                                    AS part,
    CAST(GREATEST(again.cnt, COUNT(DISTINCT trace.trace_code)) AS DECIMAL(18, 4)) AS whole,
    again.related,
    'observed=' || CAST(again.repeated AS VARCHAR)
    || ' codes=' || CAST(COUNT(DISTINCT trace.trace_code) AS VARCHAR) AS evidence
FROM again
INNER JOIN trace
    ON again.setl_id = trace.setl_id
    AND again.bkkp_sn = trace.bkkp_sn
WHERE trace.split_flag = '0'
GROUP BY again.setl_id, again.bkkp_sn, again.cnt, again.repeated, again.related
