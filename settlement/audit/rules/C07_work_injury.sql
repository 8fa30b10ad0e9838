-- id             = "C07"
-- name           = "限工伤"
-- name_en        = "limited to work-injury insurance"
-- purpose        = "限工伤保险支付的药品由基本医疗保险支付"
-- purpose_en     = "a drug payable by work-injury insurance only paid by basic insurance"
-- national_ref   = "GZ10000101001000"
-- category       = "policy"
-- grade          = "违规"
-- status         = "active"
-- scope          = ["hospital", "outpatient", "pharmacy"]
-- dated_by       = "fee_ocur_time"
-- reads          = ["line", "kb_insu"]
-- deduction      = "DL"
-- effective_from = 2021-05-01
-- message        = "限{limit}保险支付,本次已由基本医疗保险统筹基金支付(符合范围金额 {observed} 元)"
-- message_en     = "payable by {limit} insurance only, the basic pooled fund paid (in scope {observed})"
--
-- [[basis]]
-- source  = "law-735"
-- article = "第三十八条第六项"
--
-- [limits]
-- misses = "统筹基金未支付、只动用其他基金或个人账户的结算;不符合范围的明细"

SELECT
    line.setl_id,
    line.bkkp_sn,
    CAST(1 AS DECIMAL(18, 4)) AS part,
    CAST(1 AS DECIMAL(18, 4)) AS whole,
    NULL::VARCHAR             AS related,
    'limit=工伤 observed=' || CAST(line.inscp_amt AS VARCHAR) AS evidence
FROM line
INNER JOIN kb_insu
    ON line.hilist_code = kb_insu.hilist_code
    AND line.d BETWEEN kb_insu.begndate AND kb_insu.enddate
WHERE
    kb_insu.insurance = '工伤'
    AND line.hifp_pay > 0
    AND line.inscp_amt > 0
GROUP BY line.setl_id, line.bkkp_sn, line.inscp_amt
