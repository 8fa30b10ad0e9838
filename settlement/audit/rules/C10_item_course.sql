-- id             = "C10"
-- name           = "项目限支付疗程"
-- name_en        = "service paid for a limited course"
-- purpose        = "医疗服务项目超过限定的疗程天数,或与上次的间隔短于规定"
-- purpose_en     = "a service beyond the days of its course, or too soon after the last one"
-- national_ref   = "GZ10000102010000"
-- category       = "policy"
-- grade          = "违规"
-- status         = "active"
-- scope          = ["hospital", "outpatient"]
-- dated_by       = "fee_ocur_time"
-- reads          = ["line", "kb_item_course", "past_line"]
-- deduction      = "DL"
-- effective_from = 2021-05-01
-- message        = "本疗程第 {observed} 天(上限 {limit} 天),距上次 {gap} 天(最短间隔 {min_gap} 天);无此限制或无上次为 -"
-- message_en     = "day {observed} of the course (limit {limit}), {gap} days after the last one (at least {min_gap}); - means none"
--
-- [[basis]]
-- source  = "law-735"
-- article = "第三十八条第六项"
--
-- [parameters.course_gap_days]
-- unit    = "days"
-- meaning = "间隔超过此天数视为新的疗程"
--
-- [past]
-- days  = 366
-- codes = "SELECT hilist_code FROM kb_item_course"
--
-- [limits]
-- misses = "一年以前的治疗;药店;同一项目的不同编码;基金不付的明细不算一天"

WITH charged AS (
    SELECT setl_id, bkkp_sn, psn_no, hilist_code, d
    FROM line
    WHERE
        hilist_code IN (SELECT hilist_code FROM kb_item_course)
        AND inscp_amt > 0
),

served AS (
    SELECT psn_no, hilist_code, d FROM charged
    UNION
    SELECT psn_no, hilist_code, d FROM past_line WHERE clr_type IN ('11', '21') AND inscp_amt > 0
),

gapped AS (
    SELECT
        psn_no, hilist_code, d,
        DATE_DIFF('day', LAG(d) OVER (PARTITION BY psn_no, hilist_code ORDER BY d), d) AS gap
    FROM served
),

course AS (
    SELECT
        psn_no, hilist_code, d, gap,
        SUM(CASE WHEN gap > $course_gap_days THEN 1 ELSE 0 END) OVER (
            PARTITION BY psn_no, hilist_code ORDER BY d
            ROWS UNBOUNDED PRECEDING
        ) AS course_no
    FROM gapped
),

numbered AS (
    SELECT
        psn_no, hilist_code, d, gap,
        DATE_DIFF('day', MIN(d) OVER (PARTITION BY psn_no, hilist_code, course_no), d) + 1 AS day_no
    FROM course
)

SELECT
    charged.setl_id,
    charged.bkkp_sn,
    CAST(1 AS DECIMAL(18, 4)) AS part,
    CAST(1 AS DECIMAL(18, 4)) AS whole,
    NULL::VARCHAR             AS related,
    'observed=' || CAST(numbered.day_no AS VARCHAR)
    || ' limit=' || COALESCE(CAST(MAX(limits.max_days) AS VARCHAR), '-')
    || ' gap=' || COALESCE(CAST(numbered.gap AS VARCHAR), '-')
    || ' min_gap=' || COALESCE(CAST(MIN(limits.min_gap_days) AS VARCHAR), '-') AS evidence
FROM charged
INNER JOIN numbered
    ON charged.psn_no = numbered.psn_no
    AND charged.hilist_code = numbered.hilist_code
    AND charged.d = numbered.d
INNER JOIN kb_item_course AS limits
    ON charged.hilist_code = limits.hilist_code
    AND charged.d BETWEEN limits.begndate AND limits.enddate
GROUP BY charged.setl_id, charged.bkkp_sn, numbered.day_no, numbered.gap
-- Where several rows are in force all must be broken
HAVING
    MIN(CASE WHEN numbered.gap < limits.min_gap_days OR numbered.day_no > limits.max_days THEN 1 ELSE 0 END) = 1
