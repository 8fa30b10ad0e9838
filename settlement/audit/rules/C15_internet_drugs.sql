-- id             = "C15"
-- name           = "超互联网医院药品支付范围"
-- name_en        = "drug beyond what internet visits pay for"
-- purpose        = "互联网就诊的药品不在支付范围,或诊断不属于常见病、慢性病"
-- purpose_en     = "a drug of an internet visit is not payable there, or no diagnosis is a common or chronic disease"
-- national_ref   = ""
-- category       = "policy"
-- grade          = "违规"
-- status         = "active"
-- scope          = ["outpatient"]
-- dated_by       = "fee_ocur_time"
-- reads          = ["line", "kb_net", "diagnosis"]
-- uses           = ["kb_net_diag"]
-- deduction      = "DL"
-- effective_from = 2021-05-01
-- message        = "互联网就诊(医疗类别 {med_type}):药品在支付范围内 {listed},诊断属常见病、慢性病 {fits}(1 是,0 否)"
-- message_en     = "internet visit (kind of care {med_type}): drug payable {listed}, common or chronic disease {fits} (1 yes, 0 no)"
--
-- [[basis]]
-- source  = "law-735"
-- article = "第三十八条第六项"
--
-- [parameters.internet_med_types]
-- unit    = "code"
-- meaning = "视为互联网就诊的医疗类别,以 | 分隔;为空则不判断"
--
-- [limits]
-- misses = "以普通门诊医疗类别上传的互联网就诊;基金不付的明细;没有加载常见病、慢性病清单时不看诊断"

WITH net AS (
    SELECT setl_id, bkkp_sn, hilist_code, d, med_type
    FROM line
    WHERE
        '|' || $internet_med_types || '|' LIKE '%|' || med_type || '|%'
        AND list_type LIKE '1%'
        AND inscp_amt > 0
),

-- Days on which a list of diagnoses is in force, and settlements that meet it
judged_day AS (
    SELECT DISTINCT net.d
    FROM net
    INNER JOIN kb_net_diag
        ON net.d BETWEEN kb_net_diag.begndate AND kb_net_diag.enddate
),

fit AS (
    SELECT net.setl_id, net.d
    FROM net
    INNER JOIN diagnosis
        ON net.setl_id = diagnosis.setl_id
    INNER JOIN kb_net_diag
        ON LEFT(diagnosis.diag_code, LENGTH(kb_net_diag.diag_prefix)) = kb_net_diag.diag_prefix
        AND net.d BETWEEN kb_net_diag.begndate AND kb_net_diag.enddate
),

judged AS (
    SELECT DISTINCT
        net.setl_id,
        net.bkkp_sn,
        net.med_type,
        CASE WHEN kb_net.hilist_code IS NULL THEN 0 ELSE 1 END               AS listed,
        CASE WHEN judged_day.d IS NULL OR fit.d IS NOT NULL THEN 1 ELSE 0 END AS fits
    FROM net
    LEFT JOIN kb_net
        ON net.hilist_code = kb_net.hilist_code
        AND net.d BETWEEN kb_net.begndate AND kb_net.enddate
    LEFT JOIN judged_day
        ON net.d = judged_day.d
    LEFT JOIN fit
        ON net.setl_id = fit.setl_id
        AND net.d = fit.d
)

SELECT
    setl_id,
    bkkp_sn,
    CAST(1 AS DECIMAL(18, 4)) AS part,
    CAST(1 AS DECIMAL(18, 4)) AS whole,
    NULL::VARCHAR             AS related,
    'med_type=' || med_type
    || ' listed=' || CAST(listed AS VARCHAR)
    || ' fits=' || CAST(fits AS VARCHAR) AS evidence
FROM judged
WHERE listed = 0 OR fits = 0
