-- id             = "C20"
-- name           = "手术编码与性别不符"
-- name_en        = "operation against sex"
-- purpose        = "手术操作编码与参保人的性别不符"
-- purpose_en     = "an operation that the person's sex cannot have"
-- national_ref   = "GZ10000201005000"
-- category       = "management"
-- grade          = "可疑"
-- status         = "active"
-- scope          = ["hospital"]
-- dated_by       = "setl_time"
-- reads          = ["settlement", "operation", "kb_oprn"]
-- deduction      = "D0"
-- effective_from = 2021-05-01
-- message        = "手术操作 {operation} 限性别 {sex},参保人登记性别为 {gend}(1 男,2 女)"
-- message_en     = "operation {operation} is limited to sex {sex}, the person is registered as {gend} (1 male, 2 female)"
--
-- [[basis]]
-- source  = "law-735"
-- article = "第三十九条第三项"
--
-- [limits]
-- misses = "性别未知或未说明的参保人;没有上传手术操作的机构;一次住院只列一个不符的手术;性别登记错误会误报"

-- Codes meet prefixes once each, not once a stay
WITH told AS (
    SELECT setl_id, oprn_oprt_code FROM operation
),

met AS (
    SELECT code.oprn_oprt_code, kb_oprn.gend, kb_oprn.begndate, kb_oprn.enddate
    FROM (SELECT DISTINCT oprn_oprt_code FROM told) AS code
    INNER JOIN kb_oprn
        ON LEFT(code.oprn_oprt_code, LENGTH(kb_oprn.oprn_prefix)) = kb_oprn.oprn_prefix
)

SELECT
    settlement.setl_id,
    NULL::VARCHAR             AS bkkp_sn,
    CAST(1 AS DECIMAL(18, 4)) AS part,
    CAST(1 AS DECIMAL(18, 4)) AS whole,
    NULL::VARCHAR             AS related,
    'operation=' || REPLACE(MIN(met.oprn_oprt_code), ' ', '')
    || ' sex=' || MIN(met.gend)
    || ' gend=' || settlement.gend AS evidence
FROM settlement
INNER JOIN told ON settlement.setl_id = told.setl_id
INNER JOIN met
    ON told.oprn_oprt_code = met.oprn_oprt_code
    AND settlement.sd BETWEEN met.begndate AND met.enddate
WHERE
    settlement.gend IN ('1', '2')
    AND settlement.gend <> met.gend
GROUP BY settlement.setl_id, settlement.gend
