-- id             = "D02"
-- name           = "住院期间他处门诊或购药"
-- name_en        = "outpatient visit or purchase during a stay"
-- purpose        = "住院期间另有门诊或购药结算"
-- purpose_en     = "an outpatient visit or purchase settled during a stay"
-- national_ref   = ""
-- category       = "management"
-- grade          = "违规"
-- status         = "active"
-- scope          = ["outpatient", "pharmacy"]
-- dated_by       = "setl_time"
-- reads          = ["settlement", "any_settlement"]
-- deduction      = "DS"
-- effective_from = 2021-05-01
-- message        = "{day} 结算时正在住院(住院至 {until}),统筹支付 {fund} 元,个人账户支付 {acct} 元"
-- message_en     = "settled on {day} during a stay lasting until {until}; pooled funds {fund}, account {acct} yuan"
--
-- [[basis]]
-- source  = "law-735"
-- article = "第三十八条第六项"
--
-- [parameters.emergency_med_type]
-- unit    = "code"
-- meaning = "不受限的急诊医疗类别"
--
-- [limits]
-- misses = "只看本清算月申报的住院;双通道购药、血液透析等许可情形不识别,由复审撤销"

WITH stay AS (
    SELECT setl_id, psn_no, begndate, enddate
    FROM any_settlement
    WHERE clr_type = '21'
),

visit AS (
    SELECT setl_id, psn_no, sd, fund_pay_sumamt, acct_pay
    FROM settlement
    WHERE med_type <> $emergency_med_type
        AND (fund_pay_sumamt > 0 OR acct_pay > 0)
        AND psn_no IN (SELECT psn_no FROM stay)
),

-- Per person in order of days; on one day visits come before admissions, so that a visit sees only
-- the stays that began before its day.
event AS (
    SELECT psn_no, sd AS event_day, 0 AS place, setl_id AS visit_id, NULL::VARCHAR AS ends
    FROM visit
    UNION ALL
    SELECT psn_no, begndate, 1, NULL, CAST(enddate AS VARCHAR) || setl_id
    FROM stay
),

seen AS (
    SELECT
        visit_id,
        max(ends) OVER (
            PARTITION BY psn_no
            ORDER BY event_day, place
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS latest
    FROM event
),

inside AS (
    SELECT
        v.setl_id,
        v.sd,
        v.fund_pay_sumamt,
        v.acct_pay,
        CAST(substr(s.latest, 1, 10) AS DATE) AS stay_end,
        substr(s.latest, 11) AS stay_id
    FROM visit AS v
    INNER JOIN seen AS s ON v.setl_id = s.visit_id
)

SELECT
    setl_id,
    NULL::VARCHAR AS bkkp_sn,
    1::DECIMAL(18,4) AS part,
    1::DECIMAL(18,4) AS whole,
    stay_id AS related,
    'day=' || sd || ' until=' || stay_end || ' fund=' || fund_pay_sumamt
        || ' acct=' || acct_pay AS evidence,
    CASE WHEN fund_pay_sumamt > 0 THEN '违规' ELSE '可疑' END AS grade
FROM inside
WHERE stay_end > sd
