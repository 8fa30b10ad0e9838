-- id             = "B01"
-- name           = "超限定单价"
-- name_en        = "unit price above the limit"
-- purpose        = "单价高于该级别机构的最高限价,超出部分未转为个人自费"
-- purpose_en     = "a price above the limit of the institution's level, the excess not borne by the person"
-- national_ref   = "GZ10000102001000"
-- category       = "policy"
-- grade          = "违规"
-- status         = "active"
-- scope          = ["hospital", "outpatient"]
-- dated_by       = "fee_ocur_time"
-- reads          = ["line", "institution", "price_limit"]
-- deduction      = "DP"
-- effective_from = 2021-05-01
-- message        = "单价 {price} 高于限价 {limit},数量 {count},未转自费的超出金额 {observed} 元"
-- message_en     = "price {price} above the limit {limit}, quantity {count}, excess not borne by the person {observed}"
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
-- misses = "机构在当日没有限价等级、目录在该等级没有限价的明细;基金不付的全自费明细;拆成多个编码的同一项目"

-- The excess is spread over what remains after full self-pay and the over-limit part (self-paid first +
-- in scope): the person's own first share of the excess is not the fund's to claim back.
WITH lowest AS (
    -- Which cap holds depends on the institution; a price under the item's lowest cap is under all.
    SELECT hilist_code, MIN(hilist_pric_uplmt_amt) AS cap
    FROM price_limit
    GROUP BY hilist_code
),

dear AS (
    SELECT
        line.setl_id, line.bkkp_sn, line.hilist_code, line.fixmedins_code, line.d, line.pric, line.cnt,
        line.overlmt_selfpay, line.inscp_amt, line.preselfpay_amt
    FROM line
    INNER JOIN lowest
        ON line.hilist_code = lowest.hilist_code
    WHERE
        line.pric > lowest.cap
        AND line.inscp_amt > 0
),

priced AS (
    SELECT
        line.setl_id,
        line.bkkp_sn,
        line.pric,
        price_limit.hilist_pric_uplmt_amt AS cap,
        line.cnt,
        -- DECIMAL(20,6): two 64-bit decimals would be multiplied in 64 bits and overflow
        CAST(line.pric - price_limit.hilist_pric_uplmt_amt AS DECIMAL(20, 6)) * line.cnt
        - line.overlmt_selfpay            AS excess,
        line.inscp_amt + line.preselfpay_amt AS remaining
    FROM dear AS line
    INNER JOIN institution
        ON line.fixmedins_code = institution.fixmedins_code
        AND line.d BETWEEN institution.begndate AND institution.enddate
    INNER JOIN price_limit
        ON line.hilist_code = price_limit.hilist_code
        AND institution.lmtpric_hosp_lv = price_limit.hilist_lmtpric_type
        AND line.d BETWEEN price_limit.begndate AND price_limit.enddate
    WHERE line.pric > price_limit.hilist_pric_uplmt_amt
),

-- Where two limits are in force at once the higher one counts
hit AS (
    SELECT
        setl_id,
        bkkp_sn,
        pric,
        cnt,
        MAX(cap)                             AS cap,
        CAST(MIN(excess) AS DECIMAL(18, 4))  AS excess,
        CAST(remaining AS DECIMAL(18, 4))    AS remaining
    FROM priced
    WHERE excess > $price_tolerance
    GROUP BY setl_id, bkkp_sn, pric, cnt, remaining
)

SELECT
    setl_id,
    bkkp_sn,
    excess        AS part,
    remaining     AS whole,
    NULL::VARCHAR AS related,
    'price=' || RTRIM(RTRIM(CAST(pric AS VARCHAR), '0'), '.')
    || ' limit=' || RTRIM(RTRIM(CAST(cap AS VARCHAR), '0'), '.')
    || ' count=' || RTRIM(RTRIM(CAST(cnt AS VARCHAR), '0'), '.')
    || ' observed=' || RTRIM(RTRIM(CAST(excess AS VARCHAR), '0'), '.') AS evidence
FROM hit
