-- id             = "B02"
-- name           = "超支付标准或中选价"
-- name_en        = "price above the payment standard"
-- purpose        = "药品、耗材单价高于医保支付标准或集采中选价,超出部分未转为个人自费"
-- purpose_en     = "a price above the payment standard or tender price, the excess not borne by the person"
-- national_ref   = ""
-- category       = "policy"
-- grade          = "违规"
-- status         = "active"
-- scope          = ["hospital", "outpatient", "pharmacy"]
-- dated_by       = "fee_ocur_time"
-- reads          = ["line", "pay_standard"]
-- deduction      = "DP"
-- effective_from = 2021-05-01
-- message        = "单价 {price} 高于支付标准 {limit},数量 {count},未转自费的超出金额 {observed} 元"
-- message_en     = "price {price} above the payment standard {limit}, quantity {count}, excess not borne by the person {observed}"
--
-- [[basis]]
-- source  = "law-735"
-- article = "第三十八条第三项"
--
-- [parameters.price_tolerance]
-- unit    = "yuan"
-- meaning = "超出金额大于此值才计"
--
-- [limits]
-- misses = "目录在当日没有支付标准、中选价的明细;基金不付的全自费明细;包装规格不同须换算的单价"

WITH lowest AS (
    -- a price under all standards a code ever had is under those in force
    SELECT hilist_code, MIN(pay_std_amt) AS cap
    FROM pay_standard
    GROUP BY hilist_code
),

dear AS (
    SELECT
        l.setl_id, l.bkkp_sn, l.hilist_code, l.d, l.pric, l.cnt, l.overlmt_selfpay,
        CAST(l.inscp_amt + l.preselfpay_amt AS DECIMAL(18, 4)) AS remaining
    FROM line AS l
    INNER JOIN lowest AS m
        ON l.hilist_code = m.hilist_code
    WHERE
        l.pric > m.cap
        AND l.inscp_amt > 0
),

-- Where two rows of one kind are in force at once the higher one counts; every kind must be kept.
kind AS (
    SELECT asked.hilist_code, asked.d, p.std_type, MAX(p.pay_std_amt) AS cap
    FROM (SELECT DISTINCT hilist_code, d FROM dear) AS asked
    INNER JOIN pay_standard AS p
        ON asked.hilist_code = p.hilist_code
        AND asked.d BETWEEN p.begndate AND p.enddate
    GROUP BY asked.hilist_code, asked.d, p.std_type
),

standard AS (
    SELECT hilist_code, d, MIN(cap) AS cap
    FROM kind
    GROUP BY hilist_code, d
),

priced AS (
    SELECT
        l.setl_id, l.bkkp_sn, l.pric, l.cnt, s.cap, l.remaining,
        -- DECIMAL(20,6): two 64-bit decimals would be multiplied in 64 bits and overflow
        CAST(l.pric - s.cap AS DECIMAL(20, 6)) * l.cnt - l.overlmt_selfpay AS excess
    FROM dear AS l
    INNER JOIN standard AS s
        ON l.hilist_code = s.hilist_code
        AND l.d = s.d
    WHERE l.pric > s.cap
)

SELECT
    setl_id,
    bkkp_sn,
    CAST(excess AS DECIMAL(18, 4)) AS part,
    remaining                      AS whole,
    NULL::VARCHAR                  AS related,
    'price=' || RTRIM(RTRIM(CAST(pric AS VARCHAR), '0'), '.')
    || ' limit=' || RTRIM(RTRIM(CAST(cap AS VARCHAR), '0'), '.')
    || ' count=' || RTRIM(RTRIM(CAST(cnt AS VARCHAR), '0'), '.')
    || ' observed=' || RTRIM(RTRIM(CAST(CAST(excess AS DECIMAL(18, 4)) AS VARCHAR), '0'), '.') AS evidence
FROM priced
WHERE excess > $price_tolerance
