-- id             = "A03"
-- name           = "协议有效期外"
-- name_en        = "no agreement in force"
-- purpose        = "就诊时机构没有有效的服务协议"
-- purpose_en     = "the institution had no agreement in force at the time of care"
-- national_ref   = ""
-- category       = "policy"
-- grade          = "违规"
-- status         = "active"
-- scope          = ["hospital", "outpatient", "pharmacy"]
-- dated_by       = "setl_time"
-- reads          = ["settlement", "agreement"]
-- deduction      = "DS"
-- effective_from = 2021-02-01
-- message        = "{day} 机构没有有效的服务协议"
-- message_en     = "the institution had no agreement in force on {day}"
--
-- [[basis]]
-- source  = "nhsa-3-29"
-- article = "第三十一条"
--
-- [[basis]]
-- source  = "cat-2026"
-- article = "A03"
--
-- [limits]
-- misses = "住院只看出院日,住院期间协议曾中断而出院日有效的不命中"

WITH dated AS (
    SELECT
        setl_id,
        fixmedins_code,
        CASE WHEN clr_type = '21' THEN enddate ELSE sd END AS service_day
    FROM settlement
)

SELECT
    s.setl_id,
    NULL::VARCHAR AS bkkp_sn,
    1::DECIMAL(18,4) AS part,
    1::DECIMAL(18,4) AS whole,
    NULL::VARCHAR AS related,
    'day=' || s.service_day AS evidence
FROM dated AS s
LEFT JOIN agreement AS a
    ON s.fixmedins_code = a.fixmedins_code
    AND a.cntr_stas = '1'
    AND s.service_day BETWEEN a.begndate AND a.enddate
WHERE a.fixmedins_code IS NULL
