-- id             = "E12"
-- name           = "销量大于进货"
-- name_en        = "sold more than was in stock"
-- purpose        = "药店一个月刷卡销售的药品多于期初加购进减期末"
-- purpose_en     = "a pharmacy sells more of an item than opening plus purchased less closing stock"
-- national_ref   = "GZ10000202001000"
-- category       = "management"
-- grade          = "可疑"
-- status         = "active"
-- scope          = ["pharmacy"]
-- dated_by       = "fee_ocur_time"
-- reads          = ["line", "stock", "claim_month"]
-- deduction      = "DQ"
-- effective_from = 2021-05-01
-- message        = "本月刷卡销售 {observed},进销存可销 {limit}"
-- message_en     = "sold {observed} this month, stock allows {limit}"
--
-- [[basis]]
-- source  = "law-735"
-- article = "第三十八条第四项"
--
-- [[basis]]
-- source  = "law-735"
-- article = "第四十条第三项"
--
-- [[basis]]
-- source  = "pharmacy-list-2025"
-- article = "第5项 回流"
--
-- [limits]
-- misses = "未报进销存的药品;刷卡以外的销售;进销存与结算的数量单位不同"

WITH in_stock AS (
    SELECT
        stock.fixmedins_code,
        stock.hilist_code,
        GREATEST(0, stock.opening_cnt + stock.purchase_cnt - stock.closing_cnt) AS allowed
    FROM stock
    INNER JOIN claim_month
        ON stock.clr_ym = CAST(YEAR(claim_month.first_day) * 100 + MONTH(claim_month.first_day) AS VARCHAR)
),

sold AS (
    SELECT
        line.setl_id, line.bkkp_sn, line.fixmedins_code, line.hilist_code, line.cnt, in_stock.allowed
    FROM line
    INNER JOIN in_stock
        ON line.fixmedins_code = in_stock.fixmedins_code
        AND line.hilist_code = in_stock.hilist_code
    WHERE line.inscp_amt > 0 OR line.acct_pay > 0
),

over_stock AS (
    SELECT
        fixmedins_code,
        hilist_code,
        CAST(SUM(cnt) AS DECIMAL(18, 4)) AS observed,
        CAST(allowed AS DECIMAL(18, 4))  AS allowed
    FROM sold
    GROUP BY fixmedins_code, hilist_code, allowed
    HAVING SUM(cnt) > allowed
)

SELECT
    sold.setl_id,
    sold.bkkp_sn,
    CAST(over_stock.observed - over_stock.allowed AS DECIMAL(18, 4)) AS part,
    over_stock.observed                                              AS whole,
    NULL::VARCHAR                                                    AS related,
    'observed=' || RTRIM(RTRIM(CAST(over_stock.observed AS VARCHAR), '0'), '.')
    || ' limit=' || RTRIM(RTRIM(CAST(over_stock.allowed AS VARCHAR), '0'), '.') AS evidence
FROM sold
INNER JOIN over_stock
    ON sold.fixmedins_code = over_stock.fixmedins_code
    AND sold.hilist_code = over_stock.hilist_code
