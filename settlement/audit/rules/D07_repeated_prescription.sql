-- id             = "D07"
-- name           = "重复开药"
-- name_en        = "repeated prescription"
-- purpose        = "上次开的同一通用名药品还没有用完又开药"
-- purpose_en     = "a drug given again while the last supply of the same drug still lasts"
-- national_ref   = "GZ10000301006000"
-- category       = "medical"
-- grade          = "可疑"
-- status         = "active"
-- scope          = ["outpatient", "pharmacy"]
-- dated_by       = "fee_ocur_time"
-- reads          = ["line", "past_line", "generic"]
-- deduction      = "DQ"
-- effective_from = 2021-05-01
-- message        = "{day} 开药 {supply} 天,上次开的同种药可用到 {until} 前,提前 {observed} 天(允许 {limit} 天)"
-- message_en     = "{supply} days given on {day}, {observed} days before the earlier supply ends on {until} (allowed {limit})"
--
-- [past]
-- days  = 100
-- lines = """prd_days >= 1 AND d + CAST(FLOOR(prd_days) AS INTEGER) > (SELECT first_day FROM claim_month) - 31
--   AND list_type LIKE '1%'"""
--
-- [[basis]]
-- source  = "law-735"
-- article = "第三十八条第二项"
--
-- [parameters.duplicate_tolerance_days]
-- unit    = "days"
-- meaning = "允许提前开药的天数"
--
-- [limits]
-- misses = "未填周期天数的明细;同一次结算内重复的;以往开的药在本清算月首日 31 天以前已用完的不看"

-- Days are counted from 1900-01-01: they add faster than dates, and five digits sort as texts.
WITH drug AS (
    SELECT
        setl_id, visit_key, bkkp_sn, psn_key, hilist_code, setl_time, CAST(FLOOR(prd_days) AS INTEGER) AS supply,
        DATE_DIFF('day', DATE '1900-01-01', d) AS day_no, DATE_DIFF('day', setl_time, d) AS shift, 1 AS is_new
    FROM line
    WHERE list_type LIKE '1%' AND prd_days >= 1
    UNION ALL
    SELECT
        setl_id, visit_key, bkkp_sn, psn_key, hilist_code, setl_time, CAST(FLOOR(prd_days) AS INTEGER),
        DATE_DIFF('day', DATE '1900-01-01', d), DATE_DIFF('day', setl_time, d), 0
    FROM past_line
    WHERE clr_type IN ('11', '41') AND psn_key IS NOT NULL
),

given AS NOT MATERIALIZED (
    SELECT
        drug.setl_id, drug.visit_key, drug.bkkp_sn, drug.psn_key, generic.generic_key, drug.setl_time,
        drug.supply, drug.day_no, drug.shift, drug.is_new
    FROM drug
    INNER JOIN generic ON drug.hilist_code = generic.hilist_code
),

-- Most drugs are bought once, or for so few days that nothing can be left; only the others are put in order.
-- A purchase may have lines of several days: what is left then is counted from its first one.
repeated AS (
    SELECT psn_key, generic_key
    FROM given
    GROUP BY psn_key, generic_key
    HAVING MIN(visit_key) <> MAX(visit_key) AND MAX(supply + shift) - MIN(shift) > $duplicate_tolerance_days
),

bought AS (
    SELECT
        given.psn_key, given.generic_key, given.setl_id, given.setl_time, MIN(given.day_no) AS first_day,
        CAST(MAX(given.day_no + given.supply) AS VARCHAR) || given.setl_id AS cover
    FROM given
    INNER JOIN repeated ON given.psn_key = repeated.psn_key AND given.generic_key = repeated.generic_key
    GROUP BY given.psn_key, given.generic_key, given.setl_id, given.setl_time
),

seen AS (
    SELECT
        setl_id, generic_key,
        MAX(cover) OVER (
            PARTITION BY psn_key, generic_key
            ORDER BY first_day, setl_time, setl_id
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS latest
    FROM bought
),

hit AS (
    SELECT
        given.setl_id, given.bkkp_sn, given.supply, given.day_no, SUBSTR(seen.latest, 6) AS related,
        CAST(SUBSTR(seen.latest, 1, 5) AS INTEGER) AS until
    FROM given
    INNER JOIN seen ON given.setl_id = seen.setl_id AND given.generic_key = seen.generic_key
    WHERE given.is_new = 1
)

SELECT
    setl_id,
    bkkp_sn,
    CAST(LEAST(until - day_no, supply) AS DECIMAL(18, 4)) AS part,
    CAST(supply AS DECIMAL(18, 4))                        AS whole,
    related,
    'day=' || CAST(CAST(DATE '1900-01-01' + day_no * INTERVAL 1 DAY AS DATE) AS VARCHAR)
    || ' supply=' || CAST(supply AS VARCHAR)
    || ' until=' || CAST(CAST(DATE '1900-01-01' + until * INTERVAL 1 DAY AS DATE) AS VARCHAR)
    || ' observed=' || CAST(until - day_no AS VARCHAR)
    || ' limit=' || CAST($duplicate_tolerance_days AS VARCHAR) AS evidence
FROM hit
WHERE day_no < until - $duplicate_tolerance_days
