-- id             = "E05"
-- name           = "短期重复购药"
-- name_en        = "repeat purchase within a short time"
-- purpose        = "前次药品未用完又购同一药品,或短期内多次购同一药品"
-- purpose_en     = "the same drug bought again before the last supply ran out, or too often within a short time"
-- national_ref   = "GZ10000204003000"
-- category       = "management"
-- grade          = "可疑"
-- status         = "active"
-- scope          = ["pharmacy"]
-- dated_by       = "fee_ocur_time"
-- reads          = ["line", "past_line", "generic"]
-- deduction      = "DQ"
-- effective_from = 2021-05-01
-- message        = "同一药品 {window} 天内第 {observed} 次购买(达到 {limit} 次即计);前次药品尚够 {overlap} 天"
-- message_en     = "purchase no. {observed} of the drug within {window} days (counted from {limit}); {overlap} days of supply were left"
--
-- [[basis]]
-- source  = "law-735"
-- article = "第三十八条第二项"
--
-- [[basis]]
-- source  = "pharmacy-list-2025"
-- article = "第15项 年底超量"
--
-- [parameters.purchases_in_window]
-- unit    = "count"
-- meaning = "窗口内购买同一药品的次数达到此值才计"
--
-- [parameters.purchases_window_days]
-- unit    = "days"
-- meaning = "次数窗口的天数,含当日;不超过 [past] 的回溯天数"
--
-- [parameters.duplicate_tolerance_days]
-- unit    = "days"
-- meaning = "前次药品未用完时允许提前购药的天数"
--
-- [past]
-- days        = 130
-- settlements = "clr_type = '41' AND psn_no IN (SELECT psn_no FROM any_settlement WHERE clr_type = '41')"
-- lines       = """(d > (SELECT first_day FROM claim_month) - 62
--     OR (prd_days >= 1 AND d + CAST(FLOOR(prd_days) AS INTEGER) > (SELECT first_day FROM claim_month) - 31))
--   AND list_type LIKE '1%'"""
--
-- [limits]
-- misses = "未填用药天数的购药只计次数;药店以外的开药由规则 D07 看;通用名对照缺失的药品按目录编码前缀归并"

WITH drug AS (
    SELECT
        line.setl_id, line.visit_key, line.bkkp_sn, line.psn_key, generic.generic_key, line.setl_time, line.d,
        CAST(FLOOR(line.prd_days) AS BIGINT) AS supply, DATE_DIFF('day', line.setl_time, line.d) AS shift,
        1 AS is_new
    FROM line
    INNER JOIN generic ON line.hilist_code = generic.hilist_code
    WHERE line.list_type LIKE '1%'
    UNION ALL
    SELECT
        past_line.setl_id, past_line.visit_key, NULL AS bkkp_sn, past_line.psn_key, generic.generic_key,
        past_line.setl_time, past_line.d, CAST(FLOOR(past_line.prd_days) AS BIGINT) AS supply,
        DATE_DIFF('day', past_line.setl_time, past_line.d) AS shift, 0 AS is_new
    FROM past_line
    INNER JOIN generic ON past_line.hilist_code = generic.hilist_code
    -- who does not come this month has no number
    WHERE past_line.psn_key IS NOT NULL
),

-- Most drugs are bought once, or for so few days that nothing can be left; only the others are put in order.
-- A purchase may have lines of several days: what is left then is counted from its first one.
repeated AS (
    SELECT psn_key, generic_key
    FROM drug
    GROUP BY psn_key, generic_key
    HAVING
        COUNT(*) >= $purchases_in_window
        OR (MIN(visit_key) <> MAX(visit_key) AND MAX(supply + shift) - MIN(shift) > $duplicate_tolerance_days)
),

purchase AS (
    SELECT
        drug.psn_key, drug.generic_key, drug.setl_id, drug.setl_time,
        MIN(drug.d)                                                            AS bought,
        MIN(CASE WHEN drug.supply > 0 THEN drug.d END)                         AS supplied,
        MAX(CASE WHEN drug.supply > 0 THEN drug.d + INTERVAL (supply) DAY END) AS covered
    FROM drug
    INNER JOIN repeated ON drug.psn_key = repeated.psn_key AND drug.generic_key = repeated.generic_key
    GROUP BY drug.psn_key, drug.generic_key, drug.setl_id, drug.setl_time
),

seen AS (
    SELECT
        generic_key,
        setl_id,
        LAG(setl_id) OVER in_order AS related,
        MAX(covered) OVER (
            PARTITION BY psn_key, generic_key ORDER BY supplied, setl_time, setl_id
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS covered,
        -- all up to this one, without those before the window
        ROW_NUMBER() OVER in_order - COUNT(*) OVER (
            PARTITION BY psn_key, generic_key ORDER BY bought
            RANGE BETWEEN UNBOUNDED PRECEDING AND INTERVAL ($purchases_window_days) DAY PRECEDING
        ) AS purchases
    FROM purchase
    WINDOW in_order AS (PARTITION BY psn_key, generic_key ORDER BY bought, setl_time, setl_id)
)

SELECT
    drug.setl_id,
    drug.bkkp_sn,
    CAST(CASE
        WHEN seen.purchases >= $purchases_in_window THEN 1
        ELSE LEAST(drug.supply, DATE_DIFF('day', drug.d, seen.covered))
    END AS DECIMAL(18, 4)) AS part,
    CAST(CASE WHEN seen.purchases >= $purchases_in_window THEN 1 ELSE drug.supply END
        AS DECIMAL(18, 4)) AS whole,
    seen.related,
    'window=' || CAST($purchases_window_days AS VARCHAR) || ' observed=' || CAST(seen.purchases AS VARCHAR)
    || ' limit=' || CAST($purchases_in_window AS VARCHAR)
    || ' overlap=' || CAST(GREATEST(0, COALESCE(DATE_DIFF('day', drug.d, seen.covered), 0)) AS VARCHAR) AS evidence
FROM drug
INNER JOIN seen
    ON drug.setl_id = seen.setl_id
    AND drug.generic_key = seen.generic_key
WHERE
    drug.is_new = 1
    AND (
        seen.purchases >= $purchases_in_window
        OR (drug.supply > 0 AND DATE_DIFF('day', drug.d, seen.covered) > $duplicate_tolerance_days)
    )
