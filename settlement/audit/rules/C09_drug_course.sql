-- id             = "C09"
-- name           = "药品限支付疗程"
-- name_en        = "drug paid for a limited course"
-- purpose        = "药品超过限定的支付疗程天数后继续由基金支付"
-- purpose_en     = "a drug paid by the fund beyond the days of its course"
-- national_ref   = "GZ10000101010000"
-- category       = "policy"
-- grade          = "违规"
-- status         = "active"
-- scope          = ["hospital", "outpatient"]
-- dated_by       = "fee_ocur_time"
-- reads          = ["line", "kb_course", "past_line"]
-- deduction      = "DG"
-- effective_from = 2021-05-01
-- message        = "限支付疗程 {limit} 天,至本条明细累计 {observed} 天"
-- message_en     = "paid for a course of {limit} days at most, this line brings it to {observed}"
--
-- [[basis]]
-- source  = "law-735"
-- article = "第三十八条第六项"
--
-- [parameters.course_gap_days]
-- unit    = "days"
-- meaning = "上次用药用完后间隔超过此天数视为新的疗程"
--
-- [past]
-- days  = 366
-- codes = "SELECT hilist_code FROM kb_course"
--
-- [limits]
-- misses = "住院只看本清算月、同一就诊内的用药天数;门诊没有周期天数的明细;住院与门诊的用药不相加;同一药品的不同编码"

WITH used AS (
    SELECT
        setl_id, bkkp_sn, psn_no, mdtrt_id, hilist_code, clr_type, d, setl_time,
        CAST(FLOOR(prd_days) AS INTEGER) AS supply
    FROM line
    WHERE
        hilist_code IN (SELECT hilist_code FROM kb_course)
        AND inscp_amt > 0
),

bought AS (
    SELECT setl_id, bkkp_sn, psn_no, hilist_code, d, setl_time, supply, 1 AS is_claimed
    FROM used
    WHERE clr_type = '11'
    UNION ALL
    SELECT setl_id, bkkp_sn, psn_no, hilist_code, d, setl_time, CAST(FLOOR(prd_days) AS INTEGER), 0
    FROM past_line
    WHERE clr_type = '11' AND inscp_amt > 0
),

ordered AS (
    SELECT
        setl_id, bkkp_sn, psn_no, hilist_code, d, supply, is_claimed,
        CAST(d + INTERVAL (supply) DAY AS DATE) AS runs_out,
        ROW_NUMBER() OVER (ORDER BY d, setl_time, setl_id, bkkp_sn) AS place
    FROM bought
),

gapped AS (
    SELECT
        setl_id, bkkp_sn, psn_no, hilist_code, d, supply, is_claimed, place,
        -- days since all that was bought before ran out
        DATE_DIFF('day', MAX(runs_out) OVER (
            PARTITION BY psn_no, hilist_code ORDER BY place
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ), d) AS gap
    FROM ordered
),

course AS (
    SELECT
        setl_id, bkkp_sn, psn_no, hilist_code, d, supply, is_claimed, place,
        SUM(CASE WHEN gap > $course_gap_days THEN 1 ELSE 0 END) OVER (
            PARTITION BY psn_no, hilist_code ORDER BY place ROWS UNBOUNDED PRECEDING
        ) AS course_no
    FROM gapped
),

-- A line of a stay is one day, whatever its days of supply
counted AS (
    SELECT
        setl_id, bkkp_sn, hilist_code, d, is_claimed, supply,
        SUM(supply) OVER (
            PARTITION BY psn_no, hilist_code, course_no ORDER BY place ROWS UNBOUNDED PRECEDING
        ) AS total
    FROM course
    UNION ALL
    SELECT
        setl_id, bkkp_sn, hilist_code, d, 1, 1,
        DENSE_RANK() OVER (PARTITION BY psn_no, mdtrt_id, hilist_code ORDER BY d)
    FROM used
    WHERE clr_type = '21'
)

SELECT
    counted.setl_id,
    counted.bkkp_sn,
    CAST(LEAST(counted.supply, counted.total - MAX(kb_course.max_days)) AS DECIMAL(18, 4)) AS part,
    CAST(counted.supply AS DECIMAL(18, 4))                                                 AS whole,
    NULL::VARCHAR                                                                          AS related,
    'observed=' || CAST(counted.total AS VARCHAR)
    || ' limit=' || CAST(MAX(kb_course.max_days) AS VARCHAR)                               AS evidence
FROM counted
INNER JOIN kb_course
    ON counted.hilist_code = kb_course.hilist_code
    AND counted.d BETWEEN kb_course.begndate AND kb_course.enddate
WHERE counted.is_claimed = 1 AND counted.supply > 0
GROUP BY counted.setl_id, counted.bkkp_sn, counted.supply, counted.total
HAVING counted.total > MAX(kb_course.max_days)
