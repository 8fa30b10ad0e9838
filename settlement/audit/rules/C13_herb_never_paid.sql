-- id             = "C13"
-- name           = "中药饮片单复方均不予支付"
-- name_en        = "herb never payable"
-- purpose        = "单方、复方均不予支付的中药饮片由基金支付"
-- purpose_en     = "a herb payable neither alone nor in a compound, paid by the fund"
-- national_ref   = "GZ10000101003000"
-- category       = "policy"
-- grade          = "违规"
-- status         = "active"
-- scope          = ["outpatient", "pharmacy"]
-- dated_by       = "fee_ocur_time"
-- reads          = ["line", "kb_tcm"]
-- deduction      = "DL"
-- effective_from = 2021-05-01
-- message        = "中药饮片{limit}均不予支付,符合范围金额 {observed} 元"
-- message_en     = "a herb not payable at all ({limit}), in scope {observed}"
--
-- [[basis]]
-- source  = "law-735"
-- article = "第三十八条第六项"
--
-- [limits]
-- misses = "住院;只动用个人账户的明细;没有列入知识库编码的同名饮片"

SELECT
    line.setl_id,
    line.bkkp_sn,
    CAST(1 AS DECIMAL(18, 4)) AS part,
    CAST(1 AS DECIMAL(18, 4)) AS whole,
    NULL::VARCHAR             AS related,
    'limit=单复方 observed=' || CAST(line.inscp_amt AS VARCHAR) AS evidence
FROM line
INNER JOIN kb_tcm
    ON line.hilist_code = kb_tcm.hilist_code
    AND line.d BETWEEN kb_tcm.begndate AND kb_tcm.enddate
    AND kb_tcm.kind = '单复方'
WHERE line.inscp_amt > 0
GROUP BY line.setl_id, line.bkkp_sn, line.inscp_amt
