-- id             = "E01"
-- name           = "无处方"
-- name_en        = "no prescription"
-- purpose        = "药店为凭处方药品刷卡,没有有效的电子处方或超过处方数量"
-- purpose_en     = "a prescription drug paid for without a valid electronic prescription, or beyond the quantity prescribed"
-- national_ref   = ""
-- category       = "policy"
-- grade          = "可疑"
-- status         = "active"
-- scope          = ["pharmacy"]
-- dated_by       = "fee_ocur_time"
-- reads          = ["line", "kb_rx", "erx", "generic", "claim_month"]
-- deduction      = "DL"
-- effective_from = 2021-05-01
-- message        = "凭处方药品:{window} 有效处方数量 {limit},本月累计购药 {observed}"
-- message_en     = "prescription drug: valid prescriptions on {window} for {limit}, bought this month so far {observed}"
--
-- [[basis]]
-- source  = "law-735"
-- article = "第三十八条第六项"
--
-- [[basis]]
-- source  = "rx-2024"
-- article = "双通道药品凭电子处方中心流转的处方"
--
-- [[basis]]
-- source  = "pharmacy-list-2025"
-- article = "第11项 无处方"
--
-- [limits]
-- misses = "纸质处方;处方在以前月份已用去的数量;通用名对照缺失的药品按目录编码前缀归并"

-- Every sale of the same generic uses up the prescriptions, also of codes that need none.
WITH wanted AS (
    SELECT hilist_code, generic_id
    FROM generic
    WHERE generic_id IN (
        SELECT generic.generic_id
        FROM generic
        INNER JOIN kb_rx ON generic.hilist_code = kb_rx.hilist_code
    )
),

sold AS (
    SELECT
        line.setl_id, line.bkkp_sn, line.hilist_code, line.psn_no, line.d, line.cnt, wanted.generic_id,
        line.inscp_amt > 0 OR line.acct_pay > 0 AS paid,
        SUM(line.cnt) OVER (
            PARTITION BY line.psn_no, wanted.generic_id
            ORDER BY line.fee_ocur_time, line.bkkp_sn, line.setl_id
            ROWS UNBOUNDED PRECEDING
        ) AS bought
    FROM line
    INNER JOIN wanted ON line.hilist_code = wanted.hilist_code
),

listed AS (
    SELECT sale.hilist_code, sale.d, MAX(kb_rx.dual_channel) AS dual_channel
    FROM (SELECT DISTINCT hilist_code, d FROM sold) AS sale
    INNER JOIN kb_rx
        ON sale.hilist_code = kb_rx.hilist_code
        AND sale.d BETWEEN kb_rx.begndate AND kb_rx.enddate
    GROUP BY sale.hilist_code, sale.d
),

prescribed AS (
    SELECT erx.psn_no, wanted.generic_id, erx.begndate, erx.enddate, SUM(erx.cnt) AS cnt
    FROM erx
    INNER JOIN wanted ON erx.hilist_code = wanted.hilist_code
    GROUP BY erx.psn_no, wanted.generic_id, erx.begndate, erx.enddate
),

-- Only where some prescription is in force on the day of the sale
available AS (
    SELECT
        sale.psn_no, sale.generic_id, sale.d,
        SUM(CASE WHEN prescribed.enddate >= claim_month.first_day THEN prescribed.cnt ELSE 0 END) AS cnt
    FROM (SELECT DISTINCT psn_no, generic_id, d FROM sold) AS sale
    INNER JOIN prescribed
        ON sale.psn_no = prescribed.psn_no
        AND sale.generic_id = prescribed.generic_id
        AND sale.d >= prescribed.begndate
    CROSS JOIN claim_month
    GROUP BY sale.psn_no, sale.generic_id, sale.d
    HAVING MAX(prescribed.enddate) >= sale.d
)

SELECT
    sold.setl_id,
    sold.bkkp_sn,
    CAST(CASE WHEN available.cnt IS NULL THEN 1 ELSE LEAST(sold.cnt, sold.bought - available.cnt) END
        AS DECIMAL(18, 4)) AS part,
    CAST(CASE WHEN available.cnt IS NULL THEN 1 ELSE sold.cnt END AS DECIMAL(18, 4)) AS whole,
    NULL::VARCHAR AS related,
    'window=' || CAST(sold.d AS VARCHAR)
    || ' observed=' || RTRIM(RTRIM(CAST(CAST(sold.bought AS DECIMAL(18, 4)) AS VARCHAR), '0'), '.')
    || ' limit='
    || RTRIM(RTRIM(CAST(CAST(COALESCE(available.cnt, 0) AS DECIMAL(18, 4)) AS VARCHAR), '0'), '.')
        AS evidence,
    CASE WHEN listed.dual_channel = '1' AND sold.d >= DATE '2025-01-01' THEN '违规' ELSE '可疑' END AS grade
FROM sold
INNER JOIN listed
    ON sold.hilist_code = listed.hilist_code
    AND sold.d = listed.d
LEFT JOIN available
    ON sold.psn_no = available.psn_no
    AND sold.generic_id = available.generic_id
    AND sold.d = available.d
WHERE sold.paid AND (available.cnt IS NULL OR sold.bought > available.cnt)
