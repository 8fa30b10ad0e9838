-- id             = "E02"
-- name           = "无追溯码"
-- name_en        = "no trace code"
-- purpose        = "药店刷卡的药品,上传的追溯码少于销售数量"
-- purpose_en     = "drugs paid for with fewer trace codes uploaded than boxes sold"
-- national_ref   = ""
-- category       = "management"
-- grade          = "违规"
-- status         = "active"
-- scope          = ["pharmacy"]
-- dated_by       = "fee_ocur_time"
-- reads          = ["line", "trace"]
-- uses           = ["kb_notrace"]
-- deduction      = "DQ"
-- effective_from = 2025-07-01
-- message        = "销售数量 {observed},追溯码 {codes} 个"
-- message_en     = "{observed} sold with {codes} trace codes"
--
-- [[basis]]
-- source  = "trace-2025"
-- article = "2025年7月1日起扫码后方可结算"
--
-- [[basis]]
-- source  = "pharmacy-list-2025"
-- article = "第18项 追溯码未传"
--
-- [limits]
-- misses = "追溯码的真伪;数量单位不是最小销售包装而又未标拆零的药品"

WITH scanned AS (
    SELECT setl_id, bkkp_sn, COUNT(*) AS codes, MAX(split_flag) AS split_flag
    FROM trace
    GROUP BY setl_id, bkkp_sn
),

short AS (
    SELECT
        line.setl_id, line.bkkp_sn, line.hilist_code, line.d, line.cnt, COALESCE(scanned.codes, 0) AS codes
    FROM line
    LEFT JOIN scanned
        ON line.setl_id = scanned.setl_id
        AND line.bkkp_sn = scanned.bkkp_sn
    WHERE
        line.list_type = '101'
        AND (line.inscp_amt > 0 OR line.acct_pay > 0)
        AND scanned.split_flag IS DISTINCT FROM '1'
        AND line.cnt > COALESCE(scanned.codes, 0)
)

SELECT
    setl_id,
    bkkp_sn,
    CAST(cnt - codes AS DECIMAL(18, 4)) AS part,
    CAST(cnt AS DECIMAL(18, 4))         AS whole,
    NULL::VARCHAR                       AS related,
    'observed=' || RTRIM(RTRIM(CAST(cnt AS VARCHAR), '0'), '.')
    || ' codes=' || CAST(codes AS VARCHAR) AS evidence
FROM short
WHERE NOT EXISTS (
    SELECT 1
    FROM kb_notrace
    WHERE
        kb_notrace.hilist_code = short.hilist_code
        AND short.d BETWEEN kb_notrace.begndate AND kb_notrace.enddate
)
