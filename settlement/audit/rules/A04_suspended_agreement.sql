-- id             = "A04"
-- name           = "协议中止期间"
-- name_en        = "settled while the agreement was suspended"
-- purpose        = "结算发生在机构服务协议中止期间"
-- purpose_en     = "a settlement made while the institution's agreement was suspended"
-- national_ref   = ""
-- category       = "policy"
-- grade          = "违规"
-- status         = "active"
-- scope          = ["hospital", "outpatient", "pharmacy"]
-- dated_by       = "setl_time"
-- reads          = ["settlement", "agreement"]
-- deduction      = "DS"
-- effective_from = 2021-05-01
-- message        = "{day} 结算时服务协议处于中止期间(自 {since} 起),就诊自 {began} 开始"
-- message_en     = "settled on {day} while the agreement was suspended (since {since}); care began on {began}"
--
-- [[basis]]
-- source  = "law-735"
-- article = "第三十八条第六项"
--
-- [limits]
-- misses = "只看结算日:中止期间就诊、恢复后才结算的不命中;中止未登记在协议表的看不到"

WITH suspended AS (
    SELECT
        s.setl_id,
        s.clr_type,
        s.begndate,
        s.sd,
        MIN(a.begndate) AS since
    FROM settlement AS s
    INNER JOIN agreement AS a
        ON s.fixmedins_code = a.fixmedins_code
        AND a.cntr_stas = '2'
        AND s.sd BETWEEN a.begndate AND a.enddate
    GROUP BY s.setl_id, s.clr_type, s.begndate, s.sd
)

SELECT
    setl_id,
    NULL::VARCHAR             AS bkkp_sn,
    CAST(1 AS DECIMAL(18, 4)) AS part,
    CAST(1 AS DECIMAL(18, 4)) AS whole,
    NULL::VARCHAR             AS related,
    'day=' || CAST(sd AS VARCHAR)
    || ' since=' || CAST(since AS VARCHAR)
    || ' began=' || CAST(begndate AS VARCHAR) AS evidence,
    -- who was admitted before the suspension could not simply be sent away
    CASE WHEN clr_type = '21' AND begndate < since THEN '可疑' ELSE '违规' END AS grade
FROM suspended
