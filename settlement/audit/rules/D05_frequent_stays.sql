-- id             = "D05"
-- name           = "频繁住院"
-- name_en        = "frequent stays"
-- purpose        = "同一人在若干天或一年内住院次数过多"
-- purpose_en     = "a person with too many stays within some days or a year"
-- national_ref   = "GZ10000204004000"
-- category       = "management"
-- grade          = "可疑"
-- status         = "active"
-- scope          = ["hospital"]
-- dated_by       = "begndate"
-- reads          = ["settlement", "past_settlement"]
-- deduction      = "D0"
-- effective_from = 2021-05-01
-- message        = "{began} 入院为当年第 {in_year} 次住院(上限 {year_limit} 次);往前数第 {window_limit} 次于 {since} 入院(上限为 {window} 天内 {window_limit} 次)"
-- message_en     = "admitted on {began}: stay {in_year} of the year (limit {year_limit}); {window_limit} stays before it began on {since} (limit {window_limit} in {window} days)"
--
-- [past]
-- days        = 366
-- settlements = "clr_type = '21'"
--
-- [[basis]]
-- source  = "law-735"
-- article = "第三十八条第一项"
--
-- [parameters.stays_per_window]
-- unit    = "count"
-- meaning = "窗口天数内住院次数上限"
--
-- [parameters.stays_window_days]
-- unit    = "days"
-- meaning = "窗口天数,按入院日计"
--
-- [parameters.stays_per_year]
-- unit    = "count"
-- meaning = "一个自然年内住院次数上限"
--
-- [parameters.readmission_exempt_diags]
-- unit    = "code"
-- meaning = "不计入的主诊断前缀(三至七位),以 | 分隔"
--
-- [limits]
-- misses = "在别的经办机构申报的住院;同一次住院分段结算时逐单计数,由复审辨认"

WITH began AS (
    SELECT psn_no, MIN(begndate) AS first_day
    FROM settlement
    GROUP BY psn_no
),

stay AS (
    SELECT setl_id, psn_no, begndate, enddate, setl_time, dscg_maindiag_code, 1 AS is_new
    FROM settlement
    UNION ALL
    SELECT setl_id, psn_no, begndate, enddate, setl_time, dscg_maindiag_code, 0
    FROM past_settlement
    WHERE psn_no IN (SELECT psn_no FROM settlement)
),

exempt AS (
    SELECT code.dscg_maindiag_code
    FROM (SELECT DISTINCT dscg_maindiag_code FROM stay) AS code
    CROSS JOIN (VALUES (3), (4), (5), (6), (7)) AS size (chars)
    WHERE '|' || $readmission_exempt_diags || '|' LIKE '%|' || LEFT(code.dscg_maindiag_code, size.chars) || '|%'
),

counted AS (
    SELECT setl_id, psn_no, begndate, enddate, setl_time, is_new
    FROM stay
    WHERE
        enddate >= begndate
        AND (
            dscg_maindiag_code IS NULL
            OR dscg_maindiag_code NOT IN (SELECT dscg_maindiag_code FROM exempt)
        )
),

-- Only who may have more stays than a limit allows is put in order.
often AS (
    SELECT counted.psn_no
    FROM counted
    INNER JOIN began ON counted.psn_no = began.psn_no
    GROUP BY counted.psn_no
    HAVING
        COUNT(CASE WHEN YEAR(counted.begndate) >= YEAR(began.first_day) THEN 1 END) > $stays_per_year
        OR COUNT(CASE WHEN DATE_DIFF('day', counted.begndate, began.first_day) < $stays_window_days THEN 1 END)
        > $stays_per_window
),

-- More than so many in the window: the stay that many places before began within it
numbered AS (
    SELECT
        setl_id, is_new, begndate,
        LAG(begndate, $stays_per_window) OVER (
            PARTITION BY psn_no
            ORDER BY begndate, enddate, setl_time, setl_id
        ) AS since,
        ROW_NUMBER() OVER (
            PARTITION BY psn_no, YEAR(begndate)
            ORDER BY begndate, enddate, setl_time, setl_id
        ) AS in_year
    FROM counted
    WHERE psn_no IN (SELECT psn_no FROM often)
)

SELECT
    setl_id,
    NULL::VARCHAR             AS bkkp_sn,
    CAST(1 AS DECIMAL(18, 4)) AS part,
    CAST(1 AS DECIMAL(18, 4)) AS whole,
    NULL::VARCHAR             AS related,
    'began=' || CAST(begndate AS VARCHAR) || ' since=' || COALESCE(CAST(since AS VARCHAR), '-')
    || ' window=' || CAST($stays_window_days AS VARCHAR)
    || ' window_limit=' || CAST($stays_per_window AS VARCHAR)
    || ' in_year=' || CAST(in_year AS VARCHAR) || ' year_limit=' || CAST($stays_per_year AS VARCHAR) AS evidence
FROM numbered
WHERE
    is_new = 1
    AND (DATE_DIFF('day', since, begndate) < $stays_window_days OR in_year > $stays_per_year)
