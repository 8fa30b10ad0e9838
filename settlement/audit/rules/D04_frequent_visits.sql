-- id             = "D04"
-- name           = "频繁门诊"
-- name_en        = "frequent outpatient visits"
-- purpose        = "同一人一日或一月内门诊次数过多"
-- purpose_en     = "a person with too many outpatient visits in a day or a month"
-- national_ref   = "GZ10000204002000"
-- category       = "management"
-- grade          = "可疑"
-- status         = "active"
-- scope          = ["outpatient"]
-- dated_by       = "setl_time"
-- reads          = ["settlement"]
-- deduction      = "D0"
-- effective_from = 2021-05-01
-- message        = "{day} 当日第 {of_day} 次门诊(上限 {day_limit} 次),当月第 {of_month} 次(上限 {month_limit} 次)"
-- message_en     = "visit {of_day} on {day} (limit {day_limit}) and {of_month} in the month (limit {month_limit})"
--
-- [[basis]]
-- source  = "law-735"
-- article = "第三十八条第二项"
--
-- [parameters.visits_per_day]
-- unit    = "count"
-- meaning = "一日门诊结算次数上限"
--
-- [parameters.visits_per_month]
-- unit    = "count"
-- meaning = "一个自然月门诊结算次数上限"
--
-- [limits]
-- misses = "一次门诊分几张结算单时逐单计数,由复审辨认;在以前清算月申报的门诊不计入当月次数"

WITH day AS (
    SELECT psn_no, sd, COUNT(*) AS visits
    FROM settlement
    GROUP BY psn_no, sd
),

-- Only who comes more often than a limit allows is put in order.
often AS (
    SELECT psn_no
    FROM day
    GROUP BY psn_no, YEAR(sd), MONTH(sd)
    HAVING MAX(visits) > $visits_per_day OR SUM(visits) > $visits_per_month
),

visit AS (
    SELECT
        setl_id,
        sd,
        ROW_NUMBER() OVER (PARTITION BY psn_no, sd ORDER BY setl_time, setl_id)                   AS of_day,
        ROW_NUMBER() OVER (PARTITION BY psn_no, YEAR(sd), MONTH(sd) ORDER BY setl_time, setl_id) AS of_month
    FROM settlement
    WHERE psn_no IN (SELECT psn_no FROM often)
)

SELECT
    setl_id,
    NULL::VARCHAR             AS bkkp_sn,
    CAST(1 AS DECIMAL(18, 4)) AS part,
    CAST(1 AS DECIMAL(18, 4)) AS whole,
    NULL::VARCHAR             AS related,
    'day=' || CAST(sd AS VARCHAR)
    || ' of_day=' || CAST(of_day AS VARCHAR) || ' day_limit=' || CAST($visits_per_day AS VARCHAR)
    || ' of_month=' || CAST(of_month AS VARCHAR) || ' month_limit=' || CAST($visits_per_month AS VARCHAR)
        AS evidence
FROM visit
WHERE of_day > $visits_per_day OR of_month > $visits_per_month
