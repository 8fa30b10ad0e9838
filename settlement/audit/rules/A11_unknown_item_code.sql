-- id             = "A11"
-- name           = "编码无效或停用"
-- name_en        = "catalogue code unknown or out of use"
-- purpose        = "医保目录编码在费用发生日不存在或已停用而纳入了支付范围"
-- purpose_en     = "a code unknown or out of use on the day is counted in scope"
-- national_ref   = "GZ10000201002000"
-- category       = "management"
-- grade          = "违规"
-- status         = "active"
-- scope          = ["hospital", "outpatient", "pharmacy"]
-- dated_by       = "fee_ocur_time"
-- reads          = ["line", "hilist"]
-- deduction      = "DL"
-- effective_from = 2021-05-01
-- message        = "{day} 医保目录中没有有效的该编码,仍有 {inscp} 元纳入支付范围"
-- message_en     = "no catalogue row for this code in force on {day}, yet {inscp} yuan counted in scope"
--
-- [[basis]]
-- source  = "law-735"
-- article = "第三十八条第六项"
--
-- [limits]
-- misses = "编码有效但与实际项目不符的看不到"

SELECT
    l.setl_id,
    l.bkkp_sn,
    1::DECIMAL(18,4) AS part,
    1::DECIMAL(18,4) AS whole,
    NULL::VARCHAR AS related,
    'day=' || l.d || ' inscp=' || l.inscp_amt AS evidence
FROM line AS l
LEFT JOIN hilist AS h
    ON l.hilist_code = h.hilist_code
    AND l.d BETWEEN h.begndate AND h.enddate
WHERE l.inscp_amt > 0 AND h.hilist_code IS NULL
