-- id             = "A05"
-- name           = "超协议服务范围"
-- name_en        = "kind of care outside the agreement"
-- purpose        = "医疗类别不在服务协议约定的范围内"
-- purpose_en     = "the kind of care is outside the agreement's scope"
-- national_ref   = ""
-- category       = "policy"
-- grade          = "违规"
-- status         = "active"
-- scope          = ["hospital", "outpatient", "pharmacy"]
-- dated_by       = "setl_time"
-- reads          = ["settlement", "agreement"]
-- deduction      = "DS"
-- effective_from = 2021-05-01
-- message        = "{day} 有效的服务协议不含医疗类别 {med_type}"
-- message_en     = "agreements in force on {day} do not cover kind of care {med_type}"
--
-- [[basis]]
-- source  = "law-735"
-- article = "第三十八条第六项"
--
-- [limits]
-- misses = "没有有效协议的结算不在此报,由 A03 报;协议范围只按医疗类别判断,不看科室和项目"

WITH dated AS (
    SELECT
        setl_id,
        fixmedins_code,
        med_type,
        CASE WHEN clr_type = '21' THEN enddate ELSE sd END AS service_day
    FROM settlement
),

asked AS (
    SELECT DISTINCT fixmedins_code, med_type, service_day
    FROM dated
),

in_force AS (
    SELECT
        q.fixmedins_code,
        q.med_type,
        q.service_day,
        '|' || replace(a.med_type_scope, ' ', '') || '|' AS covered
    FROM asked AS q
    INNER JOIN agreement AS a
        ON q.fixmedins_code = a.fixmedins_code
        AND a.cntr_stas = '1'
        AND q.service_day BETWEEN a.begndate AND a.enddate
),

not_covered AS (
    SELECT fixmedins_code, med_type, service_day
    FROM in_force
    GROUP BY fixmedins_code, med_type, service_day
    HAVING max(
        CASE
            WHEN strpos(covered, '|*|') > 0 OR strpos(covered, '|' || med_type || '|') > 0 THEN 1
            ELSE 0
        END
    ) = 0
)

SELECT
    s.setl_id,
    NULL::VARCHAR AS bkkp_sn,
    1::DECIMAL(18,4) AS part,
    1::DECIMAL(18,4) AS whole,
    NULL::VARCHAR AS related,
    'day=' || s.service_day || ' med_type=' || s.med_type AS evidence
FROM dated AS s
INNER JOIN not_covered AS n
    ON s.fixmedins_code = n.fixmedins_code
    AND s.med_type = n.med_type
    AND s.service_day = n.service_day
