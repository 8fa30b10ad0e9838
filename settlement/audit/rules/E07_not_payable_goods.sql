-- id             = "E07"
-- name           = "不可支付品刷卡"
-- name_en        = "goods that are not payable"
-- purpose        = "在药店刷卡购买药品和允许的器械耗材以外的物品,或不可支付品"
-- purpose_en     = "goods other than drugs and permitted devices, or goods listed as not payable, paid for in a pharmacy"
-- national_ref   = ""
-- category       = "policy"
-- grade          = "违规"
-- status         = "active"
-- scope          = ["pharmacy"]
-- dated_by       = "fee_ocur_time"
-- reads          = ["line"]
-- uses           = ["kb_forbidden"]
-- deduction      = "DL"
-- effective_from = 2021-05-01
-- message        = "目录类别 {list_type},列为不可支付品(1 是,0 否):{forbidden}"
-- message_en     = "catalogue part {list_type}, listed as not payable (1 yes, 0 no): {forbidden}"
--
-- [[basis]]
-- source  = "law-735"
-- article = "第三十八条第四项"
--
-- [[basis]]
-- source  = "pharmacy-list-2025"
-- article = "第7项 日用品串换"
--
-- [limits]
-- misses = "串换成药品编码上传的日用品"

WITH paid AS (
    SELECT
        setl_id, bkkp_sn, hilist_code, d, list_type,
        list_type NOT LIKE '1%' AND list_type <> '301' AS is_other
    FROM line
    WHERE inscp_amt > 0 OR acct_pay > 0
),

judged AS (
    SELECT
        setl_id,
        bkkp_sn,
        list_type,
        is_other,
        EXISTS (
            SELECT 1
            FROM kb_forbidden
            WHERE
                kb_forbidden.hilist_code = paid.hilist_code
                AND paid.d BETWEEN kb_forbidden.begndate AND kb_forbidden.enddate
        ) AS is_forbidden
    FROM paid
    WHERE is_other OR hilist_code IN (SELECT hilist_code FROM kb_forbidden)
)

SELECT
    setl_id,
    bkkp_sn,
    CAST(1 AS DECIMAL(18, 4)) AS part,
    CAST(1 AS DECIMAL(18, 4)) AS whole,
    NULL::VARCHAR             AS related,
    'list_type=' || list_type || ' forbidden=' || CASE WHEN is_forbidden THEN '1' ELSE '0' END AS evidence
FROM judged
WHERE is_other OR is_forbidden
