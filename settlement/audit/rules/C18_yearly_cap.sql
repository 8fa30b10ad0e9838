-- id             = "C18"
-- name           = "超限定报销总额"
-- name_en        = "beyond the yearly cap"
-- purpose        = "同一人一年内一组药品、项目的基金支付超过限定总额"
-- purpose_en     = "the fund paid more for a group of codes than its cap per person and year"
-- national_ref   = "GZ10000102015000"
-- category       = "policy"
-- grade          = "违规"
-- status         = "active"
-- scope          = ["hospital", "outpatient"]
-- dated_by       = "fee_ocur_time"
-- reads          = ["line", "settlement", "kb_cap", "past_line"]
-- deduction      = "DP"
-- effective_from = 2021-05-01
-- message        = "限额组 {group} 每人每年限 {limit} 元,至本条明细基金已支付 {observed} 元"
-- message_en     = "group {group} is capped at {limit} per person and year, with this line the fund has paid {observed}"
--
-- [[basis]]
-- source  = "law-735"
-- article = "第三十八条第六项"
--
-- [past]
-- days  = 366
-- codes = "SELECT hilist_code FROM kb_cap"
--
-- [limits]
-- misses = "药店;一年以前结算的明细;按自然年累计,医保年度不同的地区不适用;一条明细的基金支付按符合范围金额的比例推算"

WITH paid AS (
    SELECT
        line.setl_id, line.bkkp_sn, line.psn_no, line.hilist_code, line.d, line.fee_ocur_time,
        line.inscp_amt, line.fund_pay_sumamt, settlement.inscp_amt AS scope_amt, 1 AS is_claimed
    FROM line
    INNER JOIN settlement ON line.setl_id = settlement.setl_id
    WHERE line.hilist_code IN (SELECT hilist_code FROM kb_cap)
    UNION ALL
    SELECT
        setl_id, bkkp_sn, psn_no, hilist_code, d, fee_ocur_time,
        inscp_amt, fund_pay_sumamt, setl_inscp_amt, 0
    FROM past_line
    WHERE clr_type IN ('11', '21')
),

-- A line's share of the fund's money, half up in whole 分; HUGEINT, because two amounts are multiplied
share AS (
    SELECT
        setl_id, bkkp_sn, psn_no, hilist_code, d, fee_ocur_time, is_claimed,
        SIGN(fund_pay_sumamt) * SIGN(scope_amt) * 0.01 * CAST(
            (
                2 * CAST(ABS(fund_pay_sumamt) * 100 AS HUGEINT) * CAST(inscp_amt * 100 AS HUGEINT)
                + CAST(ABS(scope_amt) * 100 AS HUGEINT)
            ) // (2 * CAST(ABS(scope_amt) * 100 AS HUGEINT)) AS DECIMAL(30, 0)
        ) AS fund
    FROM paid
    WHERE inscp_amt > 0 AND scope_amt <> 0
),

grouped AS (
    SELECT
        share.setl_id, share.bkkp_sn, share.psn_no, share.d, share.fee_ocur_time, share.is_claimed, share.fund,
        kb_cap.cap_group,
        MAX(kb_cap.cap_amt) AS cap_amt
    FROM share
    INNER JOIN kb_cap
        ON share.hilist_code = kb_cap.hilist_code
        AND share.d BETWEEN kb_cap.begndate AND kb_cap.enddate
    GROUP BY
        share.setl_id, share.bkkp_sn, share.psn_no, share.d, share.fee_ocur_time, share.is_claimed, share.fund,
        kb_cap.cap_group
),

summed AS (
    SELECT
        setl_id, bkkp_sn, is_claimed, fund, cap_group, cap_amt,
        SUM(fund) OVER (
            PARTITION BY psn_no, cap_group, YEAR(d) ORDER BY fee_ocur_time, bkkp_sn, setl_id
            ROWS UNBOUNDED PRECEDING
        ) AS total
    FROM grouped
)

SELECT
    setl_id,
    bkkp_sn,
    CAST(LEAST(fund, total - cap_amt) AS DECIMAL(18, 4)) AS part,
    CAST(fund AS DECIMAL(18, 4))                         AS whole,
    NULL::VARCHAR                                        AS related,
    'group=' || REPLACE(cap_group, ' ', '')
    || ' limit=' || CAST(cap_amt AS VARCHAR)
    || ' observed=' || CAST(CAST(total AS DECIMAL(18, 2)) AS VARCHAR) AS evidence
FROM summed
WHERE is_claimed = 1 AND fund > 0 AND total > cap_amt
QUALIFY ROW_NUMBER() OVER (PARTITION BY setl_id, bkkp_sn ORDER BY total - cap_amt DESC, cap_group) = 1
