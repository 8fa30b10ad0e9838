-- id             = "E09"
-- name           = "密集刷卡"
-- name_en        = "dense payments"
-- purpose        = "同一药店几分钟内多人刷卡,金额相同或所购药品完全相同"
-- purpose_en     = "several persons pay the same amount or for the same basket at one pharmacy within minutes"
-- national_ref   = ""
-- category       = "management"
-- grade          = "可疑"
-- status         = "active"
-- scope          = ["pharmacy"]
-- dated_by       = "setl_time"
-- reads          = ["settlement", "line"]
-- deduction      = "D0"
-- effective_from = 2021-05-01
-- message        = "{window} 分钟内 {observed} 人次刷卡(达到 {limit} 人次即计),金额相同(1 是,0 否):{same_amount},所购相同:{same_basket}"
-- message_en     = "{observed} payments within {window} minutes (counted from {limit}); same amount (1 yes, 0 no): {same_amount}, same basket: {same_basket}"
--
-- [[basis]]
-- source  = "law-735"
-- article = "第四十条第一项"
--
-- [[basis]]
-- source  = "pharmacy-list-2025"
-- article = "第1项 空刷、第2项 诱导空刷、第3项 套刷留存"
--
-- [parameters.dense_persons]
-- unit    = "count"
-- meaning = "一个时间窗内的人次达到此值才计"
--
-- [parameters.dense_minutes]
-- unit    = "minutes"
-- meaning = "时间窗的长度,两端都含"
--
-- [limits]
-- misses = "同一人同一天只看同类的第一笔;没有终端号,按药店而不按终端计"

-- How many payments the pharmacy takes from each one on, whatever their amounts
WITH paid AS (
    SELECT
        setl_id, psn_no, fixmedins_code, medfee_sumamt, sd, setl_time,
        COUNT(*) OVER (
            PARTITION BY fixmedins_code ORDER BY setl_time
            RANGE BETWEEN CURRENT ROW AND INTERVAL ($dense_minutes) MINUTE FOLLOWING
        ) AS near
    FROM settlement
    WHERE fund_pay_sumamt + acct_pay > 0
),

busy AS (
    SELECT psn_no, fixmedins_code, sd
    FROM paid
    QUALIFY
        MAX(near) OVER (
            PARTITION BY fixmedins_code ORDER BY setl_time
            RANGE BETWEEN INTERVAL ($dense_minutes) MINUTE PRECEDING AND CURRENT ROW
        ) >= $dense_persons
),

-- Only the first of a person's day counts, so all of the day of those who paid at a busy time is looked at.
looked_at AS (
    SELECT setl_id, psn_no, fixmedins_code, medfee_sumamt, sd, setl_time
    FROM paid
    WHERE (psn_no, fixmedins_code, sd) IN (SELECT psn_no, fixmedins_code, sd FROM busy)
),

basket AS (
    SELECT
        looked_at.setl_id, looked_at.fixmedins_code,
        COUNT(*) AS lines, SUM(line.hilist_key) AS keys, SUM(line.cnt) AS counts
    FROM line
    INNER JOIN looked_at ON line.setl_id = looked_at.setl_id
    GROUP BY looked_at.setl_id, looked_at.fixmedins_code
),

-- Equal baskets have equal sums, and only these are written out
common AS (
    SELECT setl_id
    FROM basket
    QUALIFY COUNT(*) OVER (PARTITION BY fixmedins_code, lines, keys, counts) >= $dense_persons
),

content AS (
    SELECT
        looked_at.setl_id, looked_at.psn_no, looked_at.fixmedins_code, looked_at.sd, looked_at.setl_time,
        COUNT(*) || '*' || line.cnt || '*' || line.hilist_code AS entry
    FROM line
    INNER JOIN looked_at ON line.setl_id = looked_at.setl_id
    WHERE looked_at.setl_id IN (SELECT setl_id FROM common)
    GROUP BY
        looked_at.setl_id, looked_at.psn_no, looked_at.fixmedins_code, looked_at.sd, looked_at.setl_time,
        line.hilist_code, line.cnt
),

alike AS (
    SELECT setl_id, psn_no, fixmedins_code, sd, setl_time, 0 AS is_basket,
        CAST(medfee_sumamt AS VARCHAR) AS same
    FROM looked_at
    UNION ALL
    SELECT setl_id, psn_no, fixmedins_code, sd, setl_time, 1 AS is_basket,
        STRING_AGG(entry, ';' ORDER BY entry) AS same
    FROM content
    GROUP BY setl_id, psn_no, fixmedins_code, sd, setl_time
),

-- An amount and a basket never read the same.
once AS (
    SELECT setl_id, fixmedins_code, setl_time, is_basket, same
    FROM alike
    QUALIFY 1 = ROW_NUMBER() OVER (
        PARTITION BY fixmedins_code, same, psn_no, sd ORDER BY setl_time, setl_id
    )
),

-- A window begins at each payment; a payment is in those that began at most that long before it.
counted AS (
    SELECT
        setl_id, fixmedins_code, setl_time, is_basket, same,
        COUNT(*) OVER (
            PARTITION BY fixmedins_code, same ORDER BY setl_time
            RANGE BETWEEN CURRENT ROW AND INTERVAL ($dense_minutes) MINUTE FOLLOWING
        ) AS near
    FROM once
),

dense AS (
    SELECT
        setl_id, is_basket,
        MAX(near) OVER (
            PARTITION BY fixmedins_code, same ORDER BY setl_time
            RANGE BETWEEN INTERVAL ($dense_minutes) MINUTE PRECEDING AND CURRENT ROW
        ) AS persons
    FROM counted
)

SELECT
    setl_id,
    NULL::VARCHAR AS bkkp_sn, CAST(1 AS DECIMAL(18, 4)) AS part, CAST(1 AS DECIMAL(18, 4)) AS whole,
    NULL::VARCHAR AS related,
    'window=' || $dense_minutes || ' observed=' || MAX(persons) || ' limit=' || $dense_persons
    || ' same_amount=' || (1 - MIN(is_basket)) || ' same_basket=' || MAX(is_basket) AS evidence
FROM dense
WHERE persons >= $dense_persons
GROUP BY setl_id
