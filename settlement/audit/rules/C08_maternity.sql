-- id             = "C08"
-- name           = "限生育"
-- name_en        = "limited to maternity care"
-- purpose        = "限生育保险支付的药品或项目在非生育就医中由基本医疗保险支付"
-- purpose_en     = "a drug or service payable for maternity only, paid by basic insurance in other care"
-- national_ref   = "GZ10000101002000"
-- category       = "policy"
-- grade          = "违规"
-- status         = "active"
-- scope          = ["hospital", "outpatient"]
-- dated_by       = "fee_ocur_time"
-- reads          = ["line", "kb_insu"]
-- deduction      = "DL"
-- effective_from = 2021-05-01
-- message        = "限{limit}保险支付,本次险种为 {insutype}、医疗类别为 {med_type}(符合范围金额 {observed} 元)"
-- message_en     = "payable by {limit} insurance only, this is insurance {insutype}, kind of care {med_type} (in scope {observed})"
--
-- [[basis]]
-- source  = "law-735"
-- article = "第三十八条第六项"
--
-- [parameters.maternity_med_types]
-- unit    = "code"
-- meaning = "视为生育就医的医疗类别,以 | 分隔"
--
-- [limits]
-- misses = "以生育医疗类别上传的其他就医;基金不付的明细;项目限生育 GZ10000102004000 须把项目列入同一知识库表"

SELECT
    line.setl_id,
    line.bkkp_sn,
    CAST(1 AS DECIMAL(18, 4)) AS part,
    CAST(1 AS DECIMAL(18, 4)) AS whole,
    NULL::VARCHAR             AS related,
    'limit=生育 insutype=' || line.insutype
    || ' med_type=' || line.med_type
    || ' observed=' || CAST(line.inscp_amt AS VARCHAR) AS evidence
FROM line
INNER JOIN kb_insu
    ON line.hilist_code = kb_insu.hilist_code
    AND line.d BETWEEN kb_insu.begndate AND kb_insu.enddate
    AND kb_insu.insurance = '生育'
WHERE
    line.insutype <> '510'
    AND '|' || $maternity_med_types || '|' NOT LIKE '%|' || line.med_type || '|%'
    AND line.inscp_amt > 0
GROUP BY line.setl_id, line.bkkp_sn, line.insutype, line.med_type, line.inscp_amt
