-- id             = "A07"
-- name           = "死亡后费用"
-- name_en        = "charged after death"
-- purpose        = "参保人死亡之后发生的费用"
-- purpose_en     = "costs after the person's death"
-- national_ref   = ""
-- category       = "management"
-- grade          = "违规"
-- status         = "active"
-- scope          = ["hospital", "outpatient", "pharmacy"]
-- dated_by       = "setl_time"
-- reads          = ["settlement", "line", "person"]
-- deduction      = "DS"
-- effective_from = 2021-05-01
-- message        = "费用发生在 {day},晚于死亡日期 {died}"
-- message_en     = "charged on {day}, after the date of death {died}"
--
-- [[basis]]
-- source  = "law-735"
-- article = "第四十条第一项"
--
-- [limits]
-- misses = "死亡当日的费用不报;参保人员表与结算记录都没有死亡日期的看不到"

WITH deceased AS (
    SELECT psn_no, die_date
    FROM person
    WHERE die_date IS NOT NULL
),

dated AS (
    SELECT s.setl_id, s.clr_type, s.sd, coalesce(p.die_date, s.die_date) AS die_date
    FROM settlement AS s
    LEFT JOIN deceased AS p ON s.psn_no = p.psn_no
    WHERE coalesce(p.die_date, s.die_date) IS NOT NULL
),

-- A stay may be settled after death; only what was charged after it is at fault.
late AS (
    SELECT setl_id, NULL::VARCHAR AS bkkp_sn, sd AS fact_day, die_date
    FROM dated
    WHERE clr_type <> '21' AND sd > die_date
    UNION ALL
    SELECT l.setl_id, l.bkkp_sn, l.d AS fact_day, s.die_date
    FROM line AS l
    INNER JOIN dated AS s ON l.setl_id = s.setl_id
    WHERE s.clr_type = '21' AND l.d > s.die_date
)

SELECT
    setl_id,
    bkkp_sn,
    1::DECIMAL(18,4) AS part,
    1::DECIMAL(18,4) AS whole,
    NULL::VARCHAR AS related,
    'day=' || fact_day || ' died=' || die_date AS evidence
FROM late
