-- id             = "A09"
-- name           = "金额勾稽不平"
-- name_en        = "amounts do not add up"
-- purpose        = "明细合计、各基金合计或支付合计与结算金额不一致"
-- purpose_en     = "lines, funds or payments do not add up to the settlement's totals"
-- national_ref   = "GZ10000201002000"
-- category       = "management"
-- grade          = "违规"
-- status         = "active"
-- scope          = ["hospital", "outpatient", "pharmacy"]
-- dated_by       = "setl_time"
-- reads          = ["claimed", "claimed_line"]
-- deduction      = "D0"
-- effective_from = 2021-05-01
-- message        = "明细合计 {lines} 元、支付合计 {paid} 元应等于总额 {medfee} 元,各基金合计 {funds} 元应等于基金支付总额 {fund_total} 元"
-- message_en     = "lines {lines} and payments {paid} should equal the total {medfee}, funds {funds} the fund total {fund_total} (yuan)"
--
-- [[basis]]
-- source  = "law-735"
-- article = "第三十八条第七项"
--
-- [[basis]]
-- source  = "law-735"
-- article = "第三十九条第三项"
--
-- [limits]
-- misses = "几处差错恰好相互抵消的;全自费、先行自付等分项与明细分项不逐项核对"

-- Reversals must add up as well, so lines are taken as they were sent.
WITH charged AS (
    SELECT setl_id, SUM(det_item_fee_sumamt) AS lines
    FROM claimed_line
    GROUP BY setl_id
),

summed AS (
    SELECT
        c.setl_id,
        c.medfee_sumamt,
        COALESCE(l.lines, 0)           AS lines,
        COALESCE(c.fund_pay_sumamt, 0) AS fund_total,
        COALESCE(c.hifp_pay, 0) + COALESCE(c.cvlserv_pay, 0) + COALESCE(c.hifes_pay, 0)
        + COALESCE(c.hifmi_pay, 0) + COALESCE(c.hifob_pay, 0) + COALESCE(c.hifdm_pay, 0)
        + COALESCE(c.maf_pay, 0) + COALESCE(c.othfund_pay, 0)              AS funds,
        COALESCE(c.fund_pay_sumamt, 0) + COALESCE(c.acct_pay, 0)
        + COALESCE(c.cash_payamt, 0) + COALESCE(c.ownpay_hosp_part, 0)     AS paid
    FROM claimed AS c
    LEFT JOIN charged AS l
        ON c.setl_id = l.setl_id
    WHERE c.vali_flag = '1'
)

SELECT
    setl_id,
    NULL::VARCHAR             AS bkkp_sn,
    CAST(1 AS DECIMAL(18, 4)) AS part,
    CAST(1 AS DECIMAL(18, 4)) AS whole,
    NULL::VARCHAR             AS related,
    'lines=' || CAST(lines AS VARCHAR)
    || ' medfee=' || CAST(medfee_sumamt AS VARCHAR)
    || ' paid=' || CAST(paid AS VARCHAR)
    || ' funds=' || CAST(funds AS VARCHAR)
    || ' fund_total=' || CAST(fund_total AS VARCHAR) AS evidence
FROM summed
WHERE lines <> medfee_sumamt OR funds <> fund_total OR paid <> medfee_sumamt
