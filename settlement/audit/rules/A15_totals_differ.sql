-- id             = "A15"
-- name           = "对账不平"
-- name_en        = "declared totals differ from the centre's"
-- purpose        = "机构申报的汇总与中心结算汇总的笔数或金额不一致"
-- purpose_en     = "an institution's declared totals differ from those of the fund's own system"
-- national_ref   = ""
-- category       = "management"
-- grade          = "违规"
-- status         = "active"
-- scope          = ["hospital", "outpatient", "pharmacy"]
-- dated_by       = "setl_time"
-- reads          = ["declared", "centre_sum", "claimed", "claim_month"]
-- deduction      = "D0"
-- effective_from = 2021-05-01
-- message        = "险种 {insutype}、清算类别 {clr_type}:申报 {declared}、中心 {centre}(依次为笔数、总额、基金、账户、现金)"
-- message_en     = "insurance {insutype}, clearing type {clr_type}: declared {declared}, centre {centre} (count, total, funds, account, cash)"
--
-- [[basis]]
-- source  = "cat-2026"
-- article = "A15"
--
-- [[basis]]
-- source  = "agency-765"
-- article = "第四十一条"
--
-- [limits]
-- misses = "中心汇总没有该机构当月任何数据的不比较;机构没有申报而中心有的险种、清算类别不报;合计相符而逐笔不符的看不到"

WITH centre AS (
    SELECT
        t.fixmedins_code, t.insutype, t.clr_type, t.fixmedins_setl_cnt, t.medfee_sumamt,
        t.fund_pay_sumamt, t.acct_pay, t.cash_payamt
    FROM centre_sum AS t
    INNER JOIN claim_month AS m
        ON t.clr_ym = CAST(YEAR(m.first_day) * 100 + MONTH(m.first_day) AS VARCHAR)
),

differing AS (
    SELECT
        d.fixmedins_code,
        d.insutype,
        d.clr_type,
        CONCAT_WS(
            ',', d.fixmedins_setl_cnt, d.medfee_sumamt, d.fund_pay_sumamt, d.acct_pay, d.cash_payamt
        ) AS declared,
        CONCAT_WS(
            ',', c.fixmedins_setl_cnt, c.medfee_sumamt, c.fund_pay_sumamt, c.acct_pay, c.cash_payamt
        ) AS centre
    FROM declared AS d
    INNER JOIN claim_month AS m
        ON d.clr_ym = CAST(YEAR(m.first_day) * 100 + MONTH(m.first_day) AS VARCHAR)
    LEFT JOIN centre AS c
        ON d.fixmedins_code = c.fixmedins_code
        AND d.insutype = c.insutype
        AND d.clr_type = c.clr_type
    WHERE
        d.fixmedins_code IN (SELECT fixmedins_code FROM centre)
        AND (
            c.fixmedins_code IS NULL
            OR d.fixmedins_setl_cnt <> c.fixmedins_setl_cnt
            OR d.medfee_sumamt <> c.medfee_sumamt
            OR d.fund_pay_sumamt <> c.fund_pay_sumamt
            OR d.acct_pay <> c.acct_pay
            OR d.cash_payamt <> c.cash_payamt
        )
)

-- A total has no line of its own: it is reported on the first settlement it sums up.
SELECT
    s.setl_id,
    NULL::VARCHAR             AS bkkp_sn,
    CAST(0 AS DECIMAL(18, 4)) AS part,
    CAST(1 AS DECIMAL(18, 4)) AS whole,
    NULL::VARCHAR             AS related,
    'insutype=' || s.insutype || ' clr_type=' || s.clr_type
    || ' declared=' || d.declared
    || ' centre=' || COALESCE(NULLIF(d.centre, ''), '-') AS evidence
FROM claimed AS s
INNER JOIN differing AS d
    ON s.fixmedins_code = d.fixmedins_code
    AND s.insutype = d.insutype
    AND s.clr_type = d.clr_type
QUALIFY ROW_NUMBER() OVER (
    PARTITION BY s.fixmedins_code, s.insutype, s.clr_type
    ORDER BY s.setl_time, s.setl_id
) = 1
