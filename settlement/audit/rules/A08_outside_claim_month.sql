-- id             = "A08"
-- name           = "跨期申报"
-- name_en        = "settled outside the claim month"
-- purpose        = "结算时间不在本清算月"
-- purpose_en     = "settled outside the claim month"
-- national_ref   = ""
-- category       = "management"
-- grade          = "违规"
-- status         = "active"
-- scope          = ["hospital", "outpatient", "pharmacy"]
-- dated_by       = "setl_time"
-- reads          = ["settlement", "claim_month"]
-- deduction      = "DS"
-- effective_from = 2021-05-01
-- message        = "结算日 {day} 不在清算月 {first} 至 {last} 内"
-- message_en     = "settled on {day}, outside the claim month {first} to {last}"
--
-- [[basis]]
-- source  = "cat-2026"
-- article = "A08"
--
-- [limits]
-- misses = "不认识已批准的补报名单,补报的结算由复审撤销"

SELECT
    s.setl_id,
    NULL::VARCHAR AS bkkp_sn,
    1::DECIMAL(18,4) AS part,
    1::DECIMAL(18,4) AS whole,
    NULL::VARCHAR AS related,
    'day=' || s.sd || ' first=' || m.first_day || ' last=' || m.last_day AS evidence
FROM settlement AS s
CROSS JOIN claim_month AS m
WHERE s.sd < m.first_day OR s.sd > m.last_day
