-- id             = "C01"
-- name           = "药品限性别"
-- name_en        = "drug limited to one sex"
-- purpose        = "限定性别的药品用于另一性别"
-- purpose_en     = "a drug limited to one sex given to the other"
-- national_ref   = "GZ10000301004000"
-- category       = "medical"
-- grade          = "违规"
-- status         = "active"
-- scope          = ["hospital", "outpatient", "pharmacy"]
-- dated_by       = "fee_ocur_time"
-- reads          = ["line", "kb_sex"]
-- deduction      = "DL"
-- effective_from = 2021-05-01
-- message        = "限{limit}性使用,参保人登记性别为{observed}(请先核对登记信息)"
-- message_en     = "limited to sex {limit}, the person is registered as {observed} (check the registration first)"
--
-- [[basis]]
-- source  = "law-735"
-- article = "第三十八条第六项"
--
-- [limits]
-- misses = "性别未知或未说明的参保人;基金不付的明细;性别登记错误会误报"

SELECT
    line.setl_id,
    line.bkkp_sn,
    CAST(1 AS DECIMAL(18, 4)) AS part,
    CAST(1 AS DECIMAL(18, 4)) AS whole,
    NULL::VARCHAR             AS related,
    CASE line.gend WHEN '1' THEN 'limit=女 observed=男' ELSE 'limit=男 observed=女' END AS evidence
FROM line
INNER JOIN kb_sex
    ON line.hilist_code = kb_sex.hilist_code
    AND line.d BETWEEN kb_sex.begndate AND kb_sex.enddate
WHERE
    kb_sex.part = 'drug'
    AND kb_sex.gend IN ('1', '2')
    AND line.gend IN ('1', '2')
    AND line.gend <> kb_sex.gend
    AND line.inscp_amt > 0
GROUP BY line.setl_id, line.bkkp_sn, line.gend
