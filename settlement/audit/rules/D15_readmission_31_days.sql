-- id             = "D15"
-- name           = "31日内再入院"
-- name_en        = "readmission within 31 days"
-- purpose        = "同一人出院后三十一日内又在同一机构住院(统计指标)"
-- purpose_en     = "a person admitted again to the same hospital within 31 days of discharge (a statistic)"
-- national_ref   = "ZB10000205008000"
-- category       = "management"
-- grade          = "可疑"
-- status         = "active"
-- scope          = ["hospital"]
-- dated_by       = "begndate"
-- reads          = ["settlement", "past_settlement"]
-- deduction      = "D0"
-- effective_from = 2021-05-01
-- message        = "{began} 入院,距同一机构上次出院({ended}){observed} 天,在 {limit} 天以内"
-- message_en     = "admitted on {began}, {observed} days after discharge on {ended}, within {limit}"
--
-- [past]
-- days        = 366
-- settlements = "clr_type = '21'"
--
-- [[basis]]
-- source  = "cat-2026"
-- article = "D15 非计划再入院(ZB10000205008000)"
--
-- [parameters.unplanned_days]
-- unit    = "days"
-- meaning = "上次出院至再次入院不超过此天数"
--
-- [parameters.readmission_exempt_diags]
-- unit    = "code"
-- meaning = "允许再次入院的主诊断前缀(三至七位),以 | 分隔"
--
-- [parameters.transfer_ways]
-- unit    = "code"
-- meaning = "视为转诊的离院方式,以 | 分隔"
--
-- [limits]
-- misses = "上次住院未填离院方式的;是否计划内再入院只按所列主诊断判断"

WITH began AS (
    SELECT psn_no, MIN(begndate) AS first_day
    FROM settlement
    GROUP BY psn_no
),

stay AS (
    SELECT
        setl_id, psn_no, fixmedins_code, begndate, enddate, setl_time, dscg_way, dscg_maindiag_code, 1 AS is_new
    FROM settlement
    UNION ALL
    SELECT
        setl_id, psn_no, fixmedins_code, begndate, enddate, setl_time, dscg_way, dscg_maindiag_code, 0
    FROM past_settlement
    INNER JOIN began USING (psn_no)
    WHERE DATE_DIFF('day', enddate, first_day) <= $unplanned_days
),

exempt AS (
    SELECT code.dscg_maindiag_code
    FROM (SELECT DISTINCT dscg_maindiag_code FROM stay) AS code
    CROSS JOIN (VALUES (3), (4), (5), (6), (7)) AS size (chars)
    WHERE '|' || $readmission_exempt_diags || '|' LIKE '%|' || LEFT(code.dscg_maindiag_code, size.chars) || '|%'
),

counted AS (
    SELECT setl_id, psn_no, fixmedins_code, begndate, enddate, setl_time, dscg_way, is_new
    FROM stay
    WHERE
        enddate >= begndate
        AND (
            dscg_maindiag_code IS NULL
            OR dscg_maindiag_code NOT IN (SELECT dscg_maindiag_code FROM exempt)
        )
),

-- Admissions and discharges by day; on one day in the order of stays, so that an admission sees the
-- discharges of exactly the earlier stays that are over by then.
event AS (
    SELECT
        setl_id, psn_no, fixmedins_code, enddate AS event_day, begndate, enddate, setl_time,
        1 AS is_end, CAST(enddate AS VARCHAR) || setl_id AS ended
    FROM counted
    WHERE '|' || $transfer_ways || '|' NOT LIKE '%|' || dscg_way || '|%'
    UNION ALL
    SELECT
        setl_id, psn_no, fixmedins_code, begndate, begndate, enddate, setl_time,
        0, NULL
    FROM counted
    WHERE is_new = 1
),

seen AS (
    SELECT
        setl_id, is_end, begndate,
        MAX(ended) OVER (
            PARTITION BY psn_no, fixmedins_code
            ORDER BY event_day, begndate, enddate, setl_time, setl_id, is_end
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS latest
    FROM event
)

SELECT
    setl_id,
    NULL::VARCHAR             AS bkkp_sn,
    CAST(1 AS DECIMAL(18, 4)) AS part,
    CAST(1 AS DECIMAL(18, 4)) AS whole,
    SUBSTR(latest, 11)        AS related,
    'began=' || CAST(begndate AS VARCHAR) || ' ended=' || SUBSTR(latest, 1, 10)
    || ' observed=' || CAST(DATE_DIFF('day', CAST(SUBSTR(latest, 1, 10) AS DATE), begndate) AS VARCHAR)
    || ' limit=' || CAST($unplanned_days AS VARCHAR) AS evidence
FROM seen
WHERE
    is_end = 0
    AND DATE_DIFF('day', CAST(SUBSTR(latest, 1, 10) AS DATE), begndate) <= $unplanned_days
