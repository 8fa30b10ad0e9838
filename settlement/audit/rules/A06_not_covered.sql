-- id             = "A06"
-- name           = "停保或等待期内就医"
-- name_en        = "person not covered"
-- purpose        = "就诊时参保人没有正常参保"
-- purpose_en     = "the person was not covered at the time of care"
-- national_ref   = ""
-- category       = "policy"
-- grade          = "违规"
-- status         = "active"
-- scope          = ["hospital", "outpatient", "pharmacy"]
-- dated_by       = "setl_time"
-- reads          = ["settlement", "coverage"]
-- deduction      = "DS"
-- effective_from = 2021-05-01
-- message        = "{day} 没有险种 {insutype} 的正常参保状态"
-- message_en     = "no normal coverage under insurance type {insutype} on {day}"
--
-- [[basis]]
-- source  = "cat-2026"
-- article = "A06"
--
-- [limits]
-- misses = "住院只看入院日,入院后停保的不命中;参保状态表须含异地参保人员,否则其结算全部命中"

WITH dated AS (
    SELECT
        setl_id,
        psn_no,
        insutype,
        CASE WHEN clr_type = '21' THEN begndate ELSE sd END AS service_day
    FROM settlement
)

SELECT
    s.setl_id,
    NULL::VARCHAR AS bkkp_sn,
    1::DECIMAL(18,4) AS part,
    1::DECIMAL(18,4) AS whole,
    NULL::VARCHAR AS related,
    'day=' || s.service_day || ' insutype=' || s.insutype AS evidence
FROM dated AS s
LEFT JOIN coverage AS c
    ON s.psn_no = c.psn_no
    AND s.insutype = c.insutype
    AND c.status = '1'
    AND s.service_day BETWEEN c.begndate AND c.enddate
WHERE c.psn_no IS NULL
