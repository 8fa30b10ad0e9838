-- id             = "B12"
-- name           = "计费日期不在住院期间"
-- name_en        = "charged outside the stay"
-- purpose        = "费用发生日期不在住院期间"
-- purpose_en     = "a charge dated outside the stay"
-- national_ref   = "GZ10000201008000"
-- category       = "management"
-- grade          = "违规"
-- status         = "active"
-- scope          = ["hospital"]
-- dated_by       = "fee_ocur_time"
-- reads          = ["line"]
-- deduction      = "DL"
-- effective_from = 2021-05-01
-- message        = "费用发生于 {observed},不在住院期间 {window} 内"
-- message_en     = "charged on {observed}, outside the stay {window}"
--
-- [[basis]]
-- source  = "law-735"
-- article = "第三十八条第六项"
--
-- [limits]
-- misses = "入院、出院当日住院时段以外的费用(住院起止只到日);按政策并入住院的入院前门诊检查也会命中,由机构举证"

SELECT
    setl_id,
    bkkp_sn,
    CAST(1 AS DECIMAL(18, 4)) AS part,
    CAST(1 AS DECIMAL(18, 4)) AS whole,
    NULL::VARCHAR             AS related,
    'observed=' || CAST(d AS VARCHAR)
    || ' window=' || CAST(begndate AS VARCHAR) || '~' || CAST(enddate AS VARCHAR) AS evidence
FROM line
WHERE d < begndate OR d > enddate
