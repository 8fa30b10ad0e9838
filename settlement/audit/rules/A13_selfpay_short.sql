-- id             = "A13"
-- name           = "先行自付不足"
-- name_en        = "too little paid first by the person"
-- purpose        = "个人先行自付少于规定比例"
-- purpose_en     = "the person paid less first than the ratio demands"
-- national_ref   = ""
-- category       = "policy"
-- grade          = "违规"
-- status         = "active"
-- scope          = ["hospital", "outpatient", "pharmacy"]
-- dated_by       = "fee_ocur_time"
-- reads          = ["line", "selfpay"]
-- deduction      = "DP"
-- effective_from = 2021-05-01
-- message        = "先行自付 {preselfpay} 元,按比例 {prop} 应为 {required} 元"
-- message_en     = "{preselfpay} yuan paid first, {required} yuan required at ratio {prop}"
--
-- [[basis]]
-- source  = "law-735"
-- article = "第三十八条第六项"
--
-- [parameters.selfpay_tolerance]
-- unit    = "yuan"
-- meaning = "先行自付允许少收的差额,等于该差额不命中"
--
-- [limits]
-- misses = "比例表没有的编码与险种不比较"

WITH highest AS (
    -- The ratio depends on the insurance, which is the settlement's; a line that satisfies the
    -- highest ratio of its item satisfies its own, so few lines need their settlement.
    SELECT hilist_code, max(selfpay_prop) AS selfpay_prop
    FROM selfpay
    GROUP BY hilist_code
),

short AS (
    SELECT
        l.setl_id, l.bkkp_sn, l.hilist_code, l.insutype, l.d, l.preselfpay_amt, l.inscp_amt,
        l.det_item_fee_sumamt - l.fulamt_ownpay_amt - l.overlmt_selfpay AS base
    FROM line AS l
    INNER JOIN highest AS m
        ON l.hilist_code = m.hilist_code
    WHERE
        l.inscp_amt > 0
        AND l.preselfpay_amt
        < round((l.det_item_fee_sumamt - l.fulamt_ownpay_amt - l.overlmt_selfpay) * m.selfpay_prop, 2)
        - $selfpay_tolerance
),

due AS (
    SELECT
        l.setl_id,
        l.bkkp_sn,
        l.preselfpay_amt,
        l.inscp_amt,
        p.selfpay_prop,
        round(l.base * p.selfpay_prop, 2) AS required
    FROM short AS l
    INNER JOIN selfpay AS p
        ON l.hilist_code = p.hilist_code
        AND l.insutype = p.insutype
        AND l.d BETWEEN p.begndate AND p.enddate
)

SELECT
    setl_id,
    bkkp_sn,
    (required - preselfpay_amt)::DECIMAL(18,4) AS part,
    inscp_amt::DECIMAL(18,4) AS whole,
    NULL::VARCHAR AS related,
    'preselfpay=' || preselfpay_amt || ' required=' || required || ' prop=' || selfpay_prop
        AS evidence
FROM due
WHERE preselfpay_amt < required - $selfpay_tolerance
