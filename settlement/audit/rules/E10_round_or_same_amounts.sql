-- id             = "E10"
-- name           = "整数/相同金额"
-- name_en        = "round or same amounts"
-- purpose        = "药店一个月里整百金额或同一金额的结算占比很高"
-- purpose_en     = "a high share of a pharmacy's month is amounts in whole hundreds or one and the same amount"
-- national_ref   = ""
-- category       = "management"
-- grade          = "可疑"
-- status         = "active"
-- scope          = ["pharmacy"]
-- dated_by       = "setl_time"
-- reads          = ["settlement"]
-- deduction      = "D0"
-- effective_from = 2021-05-01
-- message        = "金额 {amount} 元共 {same} 笔,整百金额共 {round} 笔,本月 {observed} 笔"
-- message_en     = "amount {amount} occurs {same} times, whole hundreds {round} times, among {observed} of the month"
--
-- [[basis]]
-- source  = "law-735"
-- article = "第四十条第一项"
--
-- [[basis]]
-- source  = "pharmacy-list-2025"
-- article = "第1项 空刷"
--
-- [parameters.round_share]
-- unit    = "ratio"
-- meaning = "整百金额的笔数占比达到此值才计"
--
-- [parameters.same_amount_share]
-- unit    = "ratio"
-- meaning = "同一金额的笔数占比达到此值才计"
--
-- [parameters.round_min_count]
-- unit    = "count"
-- meaning = "机构本月笔数达到此值才判断"
--
-- [limits]
-- misses = "固定金额的正当服务(如一般诊疗费)也会命中,由复审撤销"

WITH amount AS (
    SELECT fixmedins_code, medfee_sumamt, COUNT(*) AS same
    FROM settlement
    WHERE medfee_sumamt > 0
    GROUP BY fixmedins_code, medfee_sumamt
),

share AS (
    SELECT
        fixmedins_code,
        medfee_sumamt,
        same,
        medfee_sumamt % 100 = 0 AS is_round,
        CAST(SUM(same) OVER pharmacy AS BIGINT) AS observed,
        CAST(SUM(CASE WHEN medfee_sumamt % 100 = 0 THEN same ELSE 0 END) OVER pharmacy AS BIGINT) AS round
    FROM amount
    WINDOW pharmacy AS (PARTITION BY fixmedins_code)
)

SELECT
    settlement.setl_id,
    NULL::VARCHAR             AS bkkp_sn,
    CAST(1 AS DECIMAL(18, 4)) AS part,
    CAST(1 AS DECIMAL(18, 4)) AS whole,
    NULL::VARCHAR             AS related,
    'amount=' || CAST(share.medfee_sumamt AS VARCHAR) || ' same=' || CAST(share.same AS VARCHAR)
    || ' round=' || CAST(share.round AS VARCHAR)
    || ' observed=' || CAST(share.observed AS VARCHAR) AS evidence
FROM settlement
INNER JOIN share
    ON settlement.fixmedins_code = share.fixmedins_code
    AND settlement.medfee_sumamt = share.medfee_sumamt
WHERE
    share.observed >= $round_min_count
    AND (
        (share.is_round AND share.round >= $round_share * share.observed)
        OR share.same >= $same_amount_share * share.observed
    )
