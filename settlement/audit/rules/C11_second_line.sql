-- id             = "C11"
-- name           = "药品限二线使用"
-- name_en        = "second-line drug without a first-line one"
-- purpose        = "限二线使用的药品,此前没有一线药品的使用记录"
-- purpose_en     = "a second-line drug without an earlier first-line one"
-- national_ref   = "GZ10000101005000"
-- category       = "policy"
-- grade          = "可疑"
-- status         = "active"
-- scope          = ["hospital", "outpatient"]
-- dated_by       = "fee_ocur_time"
-- reads          = ["line", "any_line", "kb_line", "past_line"]
-- deduction      = "DL"
-- effective_from = 2021-05-01
-- message        = "限二线使用,此前 {limit} 天内没有一线药品的记录(最近一次 {observed},- 为无)"
-- message_en     = "limited to second-line use, no first-line drug within {limit} days before (the last one {observed}, - means none)"
--
-- [[basis]]
-- source  = "law-735"
-- article = "第三十八条第六项"
--
-- [parameters.first_line_days]
-- unit    = "days"
-- meaning = "向前看一线用药的天数"
--
-- [past]
-- days  = 366
-- codes = "SELECT first_line_code AS hilist_code FROM kb_line"
--
-- [limits]
-- misses = "自费购买、其他统筹区使用的一线药品不在数据中,会误报;对一线药品禁忌或不耐受的参保人会误报"

WITH asked AS (
    SELECT line.setl_id, line.bkkp_sn, line.psn_no, line.fee_ocur_time, line.d, kb_line.first_line_code
    FROM line
    INNER JOIN kb_line
        ON line.hilist_code = kb_line.hilist_code
        AND line.d BETWEEN kb_line.begndate AND kb_line.enddate
    WHERE line.inscp_amt > 0
),

-- Uses of each first-line drug and questions about it in one row of time
event AS (
    SELECT psn_no, hilist_code AS drug, fee_ocur_time, d AS used_on, NULL AS setl_id, NULL AS bkkp_sn, NULL AS d
    FROM any_line
    WHERE
        hilist_code IN (SELECT first_line_code FROM kb_line)
        AND psn_no IN (SELECT psn_no FROM asked)
    UNION ALL
    SELECT psn_no, hilist_code, fee_ocur_time, d, NULL, NULL, NULL
    FROM past_line
    WHERE psn_no IN (SELECT psn_no FROM asked)
    UNION ALL
    SELECT psn_no, first_line_code, fee_ocur_time, NULL, setl_id, bkkp_sn, d
    FROM asked
),

-- At one moment the question comes first: a use at the same time is none before
seen AS (
    SELECT
        setl_id,
        bkkp_sn,
        d,
        MAX(used_on) OVER (
            PARTITION BY psn_no, drug
            ORDER BY fee_ocur_time, CASE WHEN used_on IS NULL THEN 0 ELSE 1 END
            ROWS UNBOUNDED PRECEDING
        ) AS last_on
    FROM event
)

SELECT
    setl_id,
    bkkp_sn,
    CAST(1 AS DECIMAL(18, 4)) AS part,
    CAST(1 AS DECIMAL(18, 4)) AS whole,
    NULL::VARCHAR             AS related,
    'limit=' || CAST($first_line_days AS VARCHAR)
    || ' observed=' || COALESCE(CAST(MAX(last_on) AS VARCHAR), '-') AS evidence
FROM seen
WHERE setl_id IS NOT NULL
GROUP BY setl_id, bkkp_sn
HAVING MAX(CASE WHEN DATE_DIFF('day', last_on, d) <= $first_line_days THEN 1 ELSE 0 END) = 0
