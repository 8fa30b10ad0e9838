-- id             = "A16"
-- name           = "基金类别不符"
-- name_en        = "fund not open to the insurance"
-- purpose        = "由参保人险种不能使用的基金支付"
-- purpose_en     = "paid from a fund that the person's insurance may not use"
-- national_ref   = ""
-- category       = "policy"
-- grade          = "违规"
-- status         = "active"
-- scope          = ["hospital", "outpatient", "pharmacy"]
-- dated_by       = "setl_time"
-- reads          = ["settlement", "insu_fund"]
-- deduction      = "DS"
-- effective_from = 2021-05-01
-- message        = "险种 {insutype} 在 {day} 不能由基金 {funds} 支付,涉及 {amount} 元"
-- message_en     = "insurance {insutype} may not be paid from fund {funds} on {day}: {amount} yuan"
--
-- [[basis]]
-- source  = "insurance-law"
-- article = "第六十四条"
--
-- [limits]
-- misses = "基本统筹基金和个人账户不判断(其代码由险种决定);险种在结算日没有任何可支付基金登记的不判断"

WITH fund AS (
    SELECT code
    FROM (
        VALUES ('320100'), ('330100'), ('350100'), ('370100'), ('390200'), ('610100'), ('999997')
    ) AS f (code)
),

-- Few insurance types and days: what is allowed is looked up once for each, not for every settlement.
allowed AS (
    SELECT asked.insutype, asked.sd, i.fund_pay_type
    FROM (SELECT DISTINCT insutype, sd FROM settlement) AS asked
    INNER JOIN insu_fund AS i
        ON asked.insutype = i.insutype
        AND asked.sd BETWEEN i.begndate AND i.enddate
),

paid AS (
    SELECT
        s.setl_id,
        s.insutype,
        s.sd,
        fund.code,
        CASE fund.code
            WHEN '320100' THEN s.cvlserv_pay
            WHEN '330100' THEN s.hifob_pay
            WHEN '350100' THEN s.hifdm_pay
            WHEN '370100' THEN s.hifes_pay
            WHEN '390200' THEN s.hifmi_pay
            WHEN '610100' THEN s.maf_pay
            WHEN '999997' THEN s.othfund_pay
        END AS amount
    FROM settlement AS s
    CROSS JOIN fund
)

SELECT
    setl_id,
    NULL::VARCHAR             AS bkkp_sn,
    CAST(1 AS DECIMAL(18, 4)) AS part,
    CAST(1 AS DECIMAL(18, 4)) AS whole,
    NULL::VARCHAR             AS related,
    'insutype=' || insutype || ' day=' || CAST(sd AS VARCHAR)
    || ' funds=' || STRING_AGG(code, '|' ORDER BY code)
    || ' amount=' || CAST(SUM(amount) AS VARCHAR) AS evidence,
    NULL::VARCHAR                                 AS grade,
    STRING_AGG(code, '|' ORDER BY code)           AS funds
FROM paid
WHERE
    amount > 0
    AND (insutype, sd) IN (SELECT insutype, sd FROM allowed)
    AND (insutype, sd, code) NOT IN (SELECT insutype, sd, fund_pay_type FROM allowed)
GROUP BY setl_id, insutype, sd
