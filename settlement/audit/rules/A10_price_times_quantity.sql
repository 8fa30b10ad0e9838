-- id             = "A10"
-- name           = "单价乘数量与金额不符"
-- name_en        = "price times quantity is not the amount"
-- purpose        = "明细金额与单价乘数量的差额超过允许范围"
-- purpose_en     = "a line whose amount differs from price times quantity by more than rounding explains"
-- national_ref   = ""
-- category       = "management"
-- grade          = "违规"
-- status         = "active"
-- scope          = ["hospital", "outpatient", "pharmacy"]
-- dated_by       = "fee_ocur_time"
-- reads          = ["line"]
-- deduction      = "DP"
-- effective_from = 2021-05-01
-- message        = "单价 {price} × 数量 {count} = {due} 元,明细金额 {observed} 元"
-- message_en     = "price {price} times quantity {count} is {due} yuan, the line says {observed}"
--
-- [[basis]]
-- source  = "law-735"
-- article = "第三十八条第三项"
--
-- [parameters.line_amount_tolerance]
-- unit    = "yuan"
-- meaning = "每单位数量允许的差额(数量不足 1 按 1 计),等于该差额不命中"
--
-- [limits]
-- misses = "单价、数量一并改动而乘积相符的;退费后按净数量、净金额比较"

-- DECIMAL(20, x): two 64-bit decimals would be multiplied in 64 bits and overflow
WITH priced AS (
    -- Many lines have the same price, count and amount; a product is dear, so each is worked out once.
    -- Every line has a count: said here, or the engine would copy all lines to read them twice.
    SELECT DISTINCT pric, cnt, det_item_fee_sumamt
    FROM line
    WHERE cnt > 0
),

wrong AS (
    SELECT
        pric, cnt, det_item_fee_sumamt,
        ROUND(CAST(pric AS DECIMAL(20, 6)) * cnt, 2) AS due
    FROM priced
    WHERE
        ABS(ROUND(CAST(pric AS DECIMAL(20, 6)) * cnt, 2) - det_item_fee_sumamt)
        > CAST(GREATEST(1, cnt) AS DECIMAL(20, 4)) * $line_amount_tolerance
),

computed AS (
    SELECT
        line.setl_id, line.bkkp_sn, line.pric, line.cnt, line.det_item_fee_sumamt, line.inscp_amt,
        wrong.due
    FROM line
    INNER JOIN wrong
        ON line.pric = wrong.pric
        AND line.cnt = wrong.cnt
        AND line.det_item_fee_sumamt = wrong.det_item_fee_sumamt
)

-- Too low an amount costs the fund nothing; where nothing is in scope there is nothing to share.
SELECT
    setl_id,
    bkkp_sn,
    CASE
        WHEN inscp_amt > 0 THEN CAST(GREATEST(0, det_item_fee_sumamt - due) AS DECIMAL(18, 4))
        ELSE CAST(0 AS DECIMAL(18, 4))
    END           AS part,
    CASE
        WHEN inscp_amt > 0 THEN CAST(inscp_amt AS DECIMAL(18, 4))
        ELSE CAST(1 AS DECIMAL(18, 4))
    END           AS whole,
    NULL::VARCHAR AS related,
    'price=' || RTRIM(RTRIM(CAST(pric AS VARCHAR), '0'), '.')
    || ' count=' || RTRIM(RTRIM(CAST(cnt AS VARCHAR), '0'), '.')
    || ' due=' || CAST(CAST(due AS DECIMAL(38, 2)) AS VARCHAR)
    || ' observed=' || CAST(det_item_fee_sumamt AS VARCHAR) AS evidence
FROM computed
