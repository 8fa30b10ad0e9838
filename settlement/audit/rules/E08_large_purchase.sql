-- id             = "E08"
-- name           = "大额购药"
-- name_en        = "large purchase"
-- purpose        = "一次购药的金额很大"
-- purpose_en     = "an unusually large purchase at a pharmacy"
-- national_ref   = ""
-- category       = "management"
-- grade          = "可疑"
-- status         = "active"
-- scope          = ["pharmacy"]
-- dated_by       = "setl_time"
-- reads          = ["settlement"]
-- deduction      = "D0"
-- effective_from = 2021-05-01
-- message        = "购药金额 {observed} 元,超过上限 {limit} 元"
-- message_en     = "purchase of {observed}, above the limit {limit}"
--
-- [[basis]]
-- source  = "law-735"
-- article = "第三十八条第二项"
--
-- [parameters.large_purchase_amt]
-- unit    = "yuan"
-- meaning = "一次购药金额大于此值才计"
--
-- [parameters.large_purchase_min_count]
-- unit    = "count"
-- meaning = "本月购药结算笔数达到此值才按分位比较"
--
-- [parameters.large_purchase_share]
-- unit    = "ratio"
-- meaning = "分位:金额由小到大排在此处的一笔为上限"
--
-- [limits]
-- misses = "拆成多笔的大额购药;不分药店类型,统筹区内所有药店一起排分位"

WITH amount AS (
    SELECT medfee_sumamt, COUNT(*) AS settlements
    FROM settlement
    GROUP BY medfee_sumamt
),

ranked AS (
    SELECT
        medfee_sumamt,
        CAST(SUM(settlements) OVER (ORDER BY medfee_sumamt ROWS UNBOUNDED PRECEDING) AS BIGINT) AS place,
        CAST(SUM(settlements) OVER () AS BIGINT)                                                AS settlements
    FROM amount
),

-- The percentile counts in a month with enough purchases (else it is null, which LEAST skips).
bound AS (
    SELECT LEAST($large_purchase_amt, MIN(medfee_sumamt)) AS allowed
    FROM ranked
    WHERE
        settlements >= $large_purchase_min_count
        AND place >= $large_purchase_share * settlements
)

SELECT
    settlement.setl_id,
    NULL::VARCHAR             AS bkkp_sn,
    CAST(1 AS DECIMAL(18, 4)) AS part,
    CAST(1 AS DECIMAL(18, 4)) AS whole,
    NULL::VARCHAR             AS related,
    'observed=' || CAST(settlement.medfee_sumamt AS VARCHAR)
    || ' limit=' || CAST(CAST(bound.allowed AS DECIMAL(18, 2)) AS VARCHAR) AS evidence
FROM settlement
CROSS JOIN bound
WHERE settlement.medfee_sumamt > bound.allowed
