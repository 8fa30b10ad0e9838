-- id             = "D01"
-- name           = "分解住院"
-- name_en        = "split stay"
-- purpose        = "同一人出院不久又因同类主诊断在同一机构住院"
-- purpose_en     = "a person admitted again to the same hospital for the same kind of main diagnosis soon after discharge"
-- national_ref   = "GZ10000204001000"
-- category       = "management"
-- grade          = "可疑"
-- status         = "active"
-- scope          = ["hospital"]
-- dated_by       = "begndate"
-- reads          = ["settlement", "past_settlement"]
-- deduction      = "DS"
-- effective_from = 2021-05-01
-- message        = "{began} 入院,距同一机构同类主诊断的上次出院({ended}){observed} 天,在 {limit} 天以内"
-- message_en     = "admitted on {began}, {observed} days after discharge on {ended} with the same kind of diagnosis, within {limit}"
--
-- [past]
-- days        = 366
-- settlements = "clr_type = '21'"
--
-- [[basis]]
-- source  = "law-735"
-- article = "第三十八条第一项"
--
-- [parameters.readmission_days]
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
-- [parameters.emergency_stay_med_types]
-- unit    = "code"
-- meaning = "急诊入院医疗类别,以 | 分隔"
--
-- [limits]
-- misses = "上次住院未填离院方式的;主诊断缺失的;换机构、换诊断类目的分解;计划内分次治疗只认所列诊断,其余由复审撤销"

WITH began AS (
    SELECT psn_no, MIN(begndate) AS first_day
    FROM settlement
    GROUP BY psn_no
),

stay AS (
    SELECT
        setl_id, psn_no, fixmedins_code, med_type, begndate, enddate, setl_time, dscg_way, dscg_maindiag_code,
        1 AS is_new
    FROM settlement
    UNION ALL
    SELECT
        setl_id, psn_no, fixmedins_code, med_type, begndate, enddate, setl_time, dscg_way, dscg_maindiag_code, 0
    FROM past_settlement
    INNER JOIN began USING (psn_no)
    WHERE DATE_DIFF('day', enddate, first_day) <= $readmission_days
),

exempt AS (
    SELECT code.dscg_maindiag_code
    FROM (SELECT DISTINCT dscg_maindiag_code FROM stay) AS code
    CROSS JOIN (VALUES (3), (4), (5), (6), (7)) AS size (chars)
    WHERE '|' || $readmission_exempt_diags || '|' LIKE '%|' || LEFT(code.dscg_maindiag_code, size.chars) || '|%'
),

counted AS (
    SELECT
        setl_id, psn_no, fixmedins_code, med_type, begndate, enddate, setl_time, dscg_way, is_new,
        LEFT(dscg_maindiag_code, 3) AS diag
    FROM stay
    WHERE
        enddate >= begndate
        AND dscg_maindiag_code IS NOT NULL
        AND dscg_maindiag_code NOT IN (SELECT dscg_maindiag_code FROM exempt)
),

-- Admissions and discharges by day; on one day in the order of stays, so that an admission sees the
-- discharges of exactly the earlier stays that are over by then.
event AS (
    SELECT
        setl_id, psn_no, fixmedins_code, diag, enddate AS event_day, begndate, enddate, setl_time,
        1 AS is_end, CAST(enddate AS VARCHAR) || setl_id AS ended
    FROM counted
    WHERE '|' || $transfer_ways || '|' NOT LIKE '%|' || dscg_way || '|%'
    UNION ALL
    SELECT
        setl_id, psn_no, fixmedins_code, diag, begndate, begndate, enddate, setl_time,
        0, NULL
    FROM counted
    WHERE is_new = 1 AND '|' || $emergency_stay_med_types || '|' NOT LIKE '%|' || med_type || '|%'
),

seen AS (
    SELECT
        setl_id, is_end, begndate,
        MAX(ended) OVER (
            PARTITION BY psn_no, fixmedins_code, diag
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
    || ' limit=' || CAST($readmission_days AS VARCHAR) AS evidence
FROM seen
WHERE
    is_end = 0
    AND DATE_DIFF('day', CAST(SUBSTR(latest, 1, 10) AS DATE), begndate) <= $readmission_days
